"""The inputs of a sweep, loaded as its configuration says."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int
from ml_collections import ConfigDict

from zsh_jax.data.auxiliary import join_datasets
from zsh_jax.data.dataset import Dataset
from zsh_jax.data.feature_files.parts import Keys
from zsh_jax.data.nearest import nearest_names
from zsh_jax.data.reading import written
from zsh_jax.data.registry import Source, load_dataset
from zsh_jax.data.select import draw_classes, select_classes
from zsh_jax.data.semantics import MissingVectors
from zsh_jax.errors import InputError
from zsh_jax.sweep.class_vectors import DROP, Semantics, check_semantics, find_missing, load_semantics
from zsh_jax.sweep.missing_vectors import leave_out, missing_names, refuse_missing

BLOCK = 1 << 14  # rows that are looked at together


class Inputs(NamedTuple):
    """What a sweep reads, on the host.

    Attributes:
        dataset: labels and class names; its images are dropped once features are made.
        features_name: as results state it.
        features: raw features of all samples.
        semantics: class vectors for each kind of semantics on the sweep's axis.
        left_out: lines on the classes that were left out, for want of a vector.
    """

    dataset: Dataset
    features_name: str
    features: Float32[np.ndarray, "n d"]
    semantics: dict[str, Semantics]
    left_out: tuple[str, ...] = ()


class _Part(NamedTuple):
    """A data set, and how its samples are described.

    Those of a data set without some classes are described with all others, as the files of precomputed features and
    the cache have them: `rows` are theirs among `whole`.
    """

    dataset: Dataset
    features: ConfigDict
    whole: Dataset
    rows: Int[np.ndarray, " n"] | None = None
    left_out: str = ""


def load_inputs(config: ConfigDict, semantics: tuple[str, ...]) -> Inputs:
    """Load data set, features and semantics. The cheap and the likely to fail come first.

    Args:
        config: with `dataset`, `features`, `semantics` and `auxiliary`.
        semantics: the kinds of semantics that the sweep wants.

    Returns:
        The inputs. With an auxiliary data set, its samples stand first.

    Raises:
        InputError: if something is missing or does not fit together.
    """
    check_semantics(config, semantics)
    parts = [_load_part(config.dataset, config.features, config, semantics)]
    if config.auxiliary.dataset.name:
        features = ConfigDict(config.features.to_dict() | {"path": config.auxiliary.features.path})
        features.name = config.auxiliary.features.name or config.features.name
        parts.insert(0, _load_part(config.auxiliary.dataset, features, config, semantics))
    dataset = _join([part.dataset._replace(features=None) for part in parts])
    _check_synonyms(config, parts)
    try:
        vectors = {kind: load_semantics(config, kind, dataset) for kind in semantics}
    except MissingVectors:
        refuse_missing(config, dataset, find_missing(config, semantics, dataset))
        raise
    described = [_describe(part) for part in parts]
    names = list(dict.fromkeys(name for name, _ in described))
    whole = _join(
        [part.dataset._replace(features=made) for part, (_, made) in zip(parts, described, strict=True)]
    )
    assert whole.features is not None
    name = " to ".join(names)
    _check_varies(name, whole.features)
    told = tuple(part.left_out for part in parts if part.left_out)
    return Inputs(dataset._replace(images=None), name, whole.features, vectors, told)


def _join(parts: list[Dataset]) -> Dataset:
    return parts[0] if len(parts) == 1 else join_datasets(*parts)


def _load_part(
    dataset: ConfigDict, features: ConfigDict, config: ConfigDict, semantics: tuple[str, ...]
) -> _Part:
    _check_features(features)
    source = source_of(dataset)
    kind = features.name
    loaded = load_dataset(source, images=kind not in ("precomputed", "source"), features=kind == "source")
    if kind == "source" and loaded.features is None:
        raise InputError(
            f"features.name: {loaded.name} comes without features; take gist, keras:... or precomputed"
        )
    if kind not in ("precomputed", "source") and loaded.images is None:
        raise InputError(f"features.name: {loaded.name} comes without pictures; take source or precomputed")
    drawn_too = dataset.classes is not None
    found: tuple[MissingVectors, ...] = ()
    if drawn_too or config.semantics.missing == DROP:
        found = find_missing(config, semantics, loaded)
    part = _Part(loaded, features, loaded)
    if found and not drawn_too:
        left, rows, told = leave_out(config, loaded, found)
        part = part._replace(dataset=left, rows=rows, left_out=told)
    lacking = missing_names(loaded, found)
    names = tuple(name for name in loaded.class_names if name not in lacking)
    if len(names) < 2:
        raise InputError(
            f"{loaded.name} has {len(names)} classes that can be used; some must be seen and some unseen"
        )
    drawn, held_out = draw_classes(
        names, classes=dataset.classes, held_out=dataset.held_out, seed=dataset.seed
    )
    if drawn_too:
        name = f"{loaded.name}/{len(drawn)}-classes-seed{dataset.seed}"
        loaded = select_classes(loaded, drawn)._replace(name=name)
        part = _Part(loaded, features, loaded)
    return part._replace(dataset=part.dataset._replace(held_out=held_out))


def _check_synonyms(config: ConfigDict, parts: list[_Part]) -> None:
    """Where classes are left out, a synonym may be for one of these, but not for none at all."""
    if config.semantics.missing != DROP or any(
        part.whole is not part.dataset and part.rows is None for part in parts
    ):
        return
    known = [name for part in parts for name in part.whole.class_names]
    for name, _ in config.semantics.synonyms:
        if name not in known:
            raise InputError(f"semantics.synonyms: there is no class {name!r}; {nearest_names(name, known)}")


def source_of(dataset: ConfigDict) -> Source:
    """Which data set a configuration names.

    Args:
        dataset: `config.dataset`, or that of the auxiliary one.

    Returns:
        What `load_dataset` takes.

    Raises:
        InputError: names of arrays are none.
    """
    keys = Keys(*(_names(dataset.arrays, array) for array in Keys._fields))
    return Source(dataset.name, dataset.data_dir, dataset.path, dataset.image_size, keys, dataset.first_label)


def _check_features(features: ConfigDict) -> None:
    if features.name == "precomputed":
        if not features.path:
            raise InputError(
                "features.path is not set; give the folder that holds {split}.npz with --config.features.path=PATH"
            )
        if not written(features.path).exists():
            raise InputError(
                f"features.path: there is no {features.path}; give the folder that holds {{split}}.npz"
            )
    elif features.name != "source":
        from zsh_jax.data.features.extractors import feature_extractors

        feature_extractors(features.name, weights=features.weights, batch_size=features.batch_size)


def _names(keys: ConfigDict, array: str) -> tuple[str, ...]:
    names = keys[array]
    names = (names,) if isinstance(names, str) else tuple(names)
    if not all(isinstance(name, str) for name in names):
        raise InputError(f"dataset.arrays.{array} takes names of arrays, such as ('X',), not {names!r}")
    return names


def _describe(part: _Part) -> tuple[str, Float32[np.ndarray, "n d"]]:
    """The name of the features as results state it, and the features."""
    name, made = _describe_whole(part.whole, part.features)
    return name, made if part.rows is None else made[part.rows]


def _describe_whole(dataset: Dataset, features: ConfigDict) -> tuple[str, Float32[np.ndarray, "n d"]]:
    if features.name == "source":
        assert dataset.features is not None  # checked when it was loaded
        return "source", dataset.features
    if features.name == "precomputed":
        from zsh_jax.data.features.precomputed import load_precomputed

        path = written(features.path)
        return path.name, load_precomputed(path, dataset)
    from zsh_jax.data.features.cache import default_cache
    from zsh_jax.data.features.extract import extract

    made = extract(
        dataset,
        features.name,
        cache=features.cache or default_cache(),
        weights=features.weights,
        batch_size=features.batch_size,
        version=dataset.version,
    )
    return features.name, made


def _check_varies(name: str, features: Float32[np.ndarray, "n d"]) -> None:
    """That they are finite is checked where they are read or made; a dead network gives finite ones too."""
    for start in range(0, len(features), BLOCK):  # as a rule the first block tells
        if (features[start : start + BLOCK] != features[0]).any():
            return
    raise InputError(f"features {name}: all {len(features)} rows are alike; extract them again")
