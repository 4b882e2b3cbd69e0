"""Load the class vectors of each kind of semantics, as configured."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32
from ml_collections import ConfigDict

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.reading import written
from zsh_jax.data.semantics import MissingVectors, attribute_vectors, one_hot, word_vectors
from zsh_jax.errors import InputError

SEMANTICS = ("word_vectors", "attributes", "minilm", "sentences", "one-hot", "random", "shuffled")
"""Kinds of class vectors; the last three are controls."""

DROP = "drop"  # value of semantics.missing: leave out classes without a vector


class Semantics(NamedTuple):
    """Class vectors and their name in results."""

    name: str
    vectors: Float32[np.ndarray, "c e"]


def check_semantics(config: ConfigDict, semantics: tuple[str, ...]) -> None:
    """Check the configuration early.

    Args:
        config: with `semantics`.
        semantics: the kinds that the sweep needs.

    Raises:
        InputError: a kind is unknown, or a file is missing.
    """
    for kind in semantics:
        if kind not in SEMANTICS:
            raise InputError(f"sweep.semantics: unknown kind {kind!r}; fix: use {', '.join(SEMANTICS)}")
    path, model = config.semantics.path, config.semantics.model
    if "word_vectors" in semantics and not (path and written(path).exists()):
        what = f"semantics.path: there is no {path}" if path else "semantics.path is not set"
        raise InputError(f"{what}; fix: give a word2vec or GloVe file with --config.semantics.path=PATH")
    if "sentences" in semantics and not model:
        raise InputError(
            "semantics.model is not set; fix: set --config.semantics.model to a sentence-transformers model folder"
        )


def load_semantics(config: ConfigDict, kind: str, dataset: Dataset) -> Semantics:
    """Load the class vectors of a data set.

    Args:
        config: with `semantics`.
        kind: of semantics.
        dataset: whose classes.

    Returns:
        One row a class.

    Raises:
        MissingVectors: a class has no vector.
        InputError: a file is missing or damaged.
    """
    names = dataset.class_names
    if kind in ("one-hot", "random"):  # each seed rotates the latter
        return Semantics(kind, one_hot(len(names)))
    if kind == "shuffled":  # each seed shuffles again
        has_attributes = config.semantics.attributes or dataset.attributes is not None
        kinds = {"word_vectors": config.semantics.path, "attributes": has_attributes, "minilm": True}
        own = load_semantics(config, next(kind for kind, there in kinds.items() if there), dataset)
        return own._replace(name=f"shuffled {own.name}")
    if kind == "attributes":
        return _attributes(config, dataset)
    synonyms = _synonyms(config, dataset)
    if kind == "sentences":
        from zsh_jax.data.semantics.sentences import sentence_vectors

        model, prompt, download = (config.semantics[key] for key in ("model", "prompt", "download"))
        vectors = sentence_vectors(names, model=model, prompt=prompt, synonyms=synonyms, download=download)
        return Semantics(Path(model).name, vectors)
    if kind == "minilm":
        from zsh_jax.data.semantics.minilm import minilm_vectors

        return Semantics(kind, minilm_vectors(dataset.name, names, synonyms=synonyms))
    path = written(config.semantics.path)
    return Semantics(path.stem, word_vectors(path, names, synonyms=synonyms, **_reading(config)))


def _attributes(config: ConfigDict, dataset: Dataset) -> Semantics:
    if config.semantics.attributes:
        from zsh_jax.data.semantics.attribute_files import attribute_file_vectors

        path = written(config.semantics.attributes)
        return Semantics(path.stem, attribute_file_vectors(path, dataset.class_names))
    if dataset.attributes is None:
        raise InputError(
            f"{dataset.name} has no attributes; fix: set --config.semantics.attributes=PATH, or use "
            "--config.sweep.semantics='(\"word_vectors\",)' or one-hot"
        )
    return Semantics("attributes", attribute_vectors(dataset.attributes))


def _reading(config: ConfigDict) -> dict[str, Any]:
    """Reader options for a word vector file."""
    return {"limit": config.semantics.limit, "lower_case": config.semantics.lower_case}


def find_missing(
    config: ConfigDict, semantics: tuple[str, ...], dataset: Dataset
) -> tuple[MissingVectors, ...]:
    """Find the classes without a vector, for each kind of semantics.

    Args:
        config: with `semantics`.
        semantics: the kinds of a sweep.
        dataset: whose classes.

    Returns:
        One error, as raised by `load_semantics`, for each kind with missing vectors.

    Raises:
        InputError: a file cannot be read.
    """
    found = []
    for kind in semantics:
        try:
            load_semantics(config, kind, dataset)
        except MissingVectors as missing:
            found.append(missing)
    return tuple(found)


def _synonyms(config: ConfigDict, dataset: Dataset) -> dict[str, str]:
    """The synonyms of classes in the data set; a seed may draw other classes, and classes may be left out."""
    pairs = config.semantics.synonyms
    well_formed = all(
        isinstance(pair, tuple) and [type(word) for word in pair] == [str, str] for pair in pairs
    )
    if not well_formed:
        raise InputError(f"semantics.synonyms must be pairs, such as (('cat', 'kitten'),); got {pairs!r}")
    drawn = config.dataset.classes is not None or config.auxiliary.dataset.classes is not None
    some = drawn or config.semantics.missing == DROP
    return {name: words for name, words in pairs if not some or name in dataset.class_names}
