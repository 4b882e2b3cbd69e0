"""The inputs of a sweep, loaded as its configuration says."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32
from ml_collections import ConfigDict

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.semantics import attribute_vectors, one_hot, word_vectors
from zsh_jax.errors import InputError
from zsh_jax.sweep.axes import SEMANTICS


class Semantics(NamedTuple):
    """Class vectors and the name that results give them."""

    name: str
    vectors: Float32[np.ndarray, "c e"]


class Inputs(NamedTuple):
    """What a sweep reads, on the host.

    Attributes:
        dataset: labels and class names; its images are dropped once features are made.
        features_name: as results state it.
        features: raw features of all samples.
        semantics: class vectors for each kind of semantics on the sweep's axis.
    """

    dataset: Dataset
    features_name: str
    features: Float32[np.ndarray, "n d"]
    semantics: dict[str, Semantics]


def load_inputs(config: ConfigDict, semantics: tuple[str, ...]) -> Inputs:
    """Load data set, features and semantics. The cheap and the likely to fail come first.

    Args:
        config: with `dataset`, `features` and `semantics`.
        semantics: the kinds of semantics that the sweep wants.

    Returns:
        The inputs.

    Raises:
        InputError: if something is missing or does not fit together.
    """
    _check(config, semantics)
    dataset = _load_dataset(config, images=config.features.name == "gist")
    vectors = {kind: _load_semantics(config, kind, dataset) for kind in semantics}
    name, features = _load_features(config, dataset)
    damaged = np.flatnonzero(~np.isfinite(features).all(axis=1))
    if damaged.size:
        raise InputError(
            f"features {name}: {damaged.size} of {len(features)} rows are not finite (first: id "
            f"{dataset.ids[damaged[0]]!r}); extract them again"
        )
    return Inputs(dataset._replace(images=None), name, features, vectors)


def _check(config: ConfigDict, semantics: tuple[str, ...]) -> None:
    if config.features.name not in ("gist", "precomputed"):
        raise InputError(f"features.name takes gist or precomputed, not {config.features.name!r}")
    if config.features.name == "precomputed":
        _existing(config.features.path, "features.path", "the folder that holds {split}.npz")
    for kind in semantics:
        if kind not in SEMANTICS:
            raise InputError(f"sweep.semantics takes {', '.join(SEMANTICS)}, not {kind!r}")
        if kind == "word_vectors":
            _existing(config.semantics.path, "semantics.path", "a word2vec or GloVe file")


def _existing(path: str | None, key: str, what: str) -> Path:
    if not path:
        raise InputError(f"{key} is not set; give {what} with --config.{key}=PATH")
    if not Path(path).exists():
        raise InputError(f"{key}: there is no {path}; give {what} with --config.{key}=PATH")
    return Path(path)


def _load_dataset(config: ConfigDict, *, images: bool) -> Dataset:
    if config.dataset.name == "shapes":
        from zsh_jax.data.shapes import load_shapes

        return load_shapes(config.dataset.data_dir, images=images)
    from zsh_jax.data.tfds_source import load_tfds

    return load_tfds(config.dataset.name, data_dir=config.dataset.data_dir, images=images)


def _load_semantics(config: ConfigDict, kind: str, dataset: Dataset) -> Semantics:
    if kind == "one-hot":
        return Semantics(kind, one_hot(len(dataset.class_names)))
    if kind == "attributes":
        if dataset.attributes is None:
            raise InputError(
                f"{dataset.name} has no attributes; use --config.sweep.semantics='(\"word_vectors\",)' or one-hot"
            )
        return Semantics(kind, attribute_vectors(dataset.attributes))
    path = Path(config.semantics.path)
    return Semantics(path.stem, word_vectors(path, dataset.class_names, synonyms=_synonyms(config)))


def _synonyms(config: ConfigDict) -> dict[str, str]:
    pairs = config.semantics.synonyms
    well_formed = all(
        isinstance(pair, tuple) and [type(word) for word in pair] == [str, str] for pair in pairs
    )
    if not well_formed:
        raise InputError(f"semantics.synonyms takes pairs, such as (('cat', 'kitten'),), not {pairs!r}")
    return dict(pairs)


def _load_features(config: ConfigDict, dataset: Dataset) -> tuple[str, Float32[np.ndarray, "n d"]]:
    if config.features.name == "gist":
        from zsh_jax.data.features.gist import gist

        assert dataset.images is not None  # asked for above
        return "gist", gist(dataset.images)
    from zsh_jax.data.features.precomputed import load_precomputed

    return Path(config.features.path).name, load_precomputed(config.features.path, dataset)
