"""Class vectors of each kind of semantics, as a configuration says."""

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

DROP = "drop"  # of semantics.missing: leave out the classes without a vector


class Semantics(NamedTuple):
    """Class vectors and the name that results give them."""

    name: str
    vectors: Float32[np.ndarray, "c e"]


def check_semantics(config: ConfigDict, semantics: tuple[str, ...]) -> None:
    """Find out early what is wrong with the configuration.

    Args:
        config: with `semantics`.
        semantics: the kinds that the sweep wants.

    Raises:
        InputError: a kind is unknown, or a file is not there.
    """
    for kind in semantics:
        if kind not in SEMANTICS:
            raise InputError(f"sweep.semantics takes {', '.join(SEMANTICS)}, not {kind!r}")
    path, model = config.semantics.path, config.semantics.model
    if "word_vectors" in semantics and not (path and written(path).exists()):
        what = f"semantics.path: there is no {path}" if path else "semantics.path is not set"
        raise InputError(f"{what}; give a word2vec or GloVe file with --config.semantics.path=PATH")
    if "sentences" in semantics and not model:
        raise InputError(
            "semantics.model is not set; give a model of sentence-transformers with --config.semantics.model=FOLDER"
        )


def load_semantics(config: ConfigDict, kind: str, dataset: Dataset) -> Semantics:
    """The vectors of all classes of a data set.

    Args:
        config: with `semantics`.
        kind: of semantics.
        dataset: whose classes.

    Returns:
        One row a class.

    Raises:
        MissingVectors: a class has none.
        InputError: a file is missing or damaged.
    """
    names = dataset.class_names
    if kind in ("one-hot", "random"):  # the latter is turned anew by each seed
        return Semantics(kind, one_hot(len(names)))
    if kind == "shuffled":  # anew by each seed
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
            f"{dataset.name} has no attributes; give a file of them with --config.semantics.attributes=PATH, or use "
            "--config.sweep.semantics='(\"word_vectors\",)' or one-hot"
        )
    return Semantics("attributes", attribute_vectors(dataset.attributes))


def _reading(config: ConfigDict) -> dict[str, Any]:
    """How a file of word vectors is read."""
    return {"limit": config.semantics.limit, "lower_case": config.semantics.lower_case}


def find_missing(
    config: ConfigDict, semantics: tuple[str, ...], dataset: Dataset
) -> tuple[MissingVectors, ...]:
    """The classes that lack a vector, for each kind of semantics in which some do.

    Args:
        config: with `semantics`.
        semantics: the kinds of a sweep.
        dataset: whose classes.

    Returns:
        What `load_semantics` would raise.

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
    """Those of the classes that are there: which ones are drawn depends on the seed, and some may be left out."""
    pairs = config.semantics.synonyms
    well_formed = all(
        isinstance(pair, tuple) and [type(word) for word in pair] == [str, str] for pair in pairs
    )
    if not well_formed:
        raise InputError(f"semantics.synonyms takes pairs, such as (('cat', 'kitten'),), not {pairs!r}")
    drawn = config.dataset.classes is not None or config.auxiliary.dataset.classes is not None
    some = drawn or config.semantics.missing == DROP
    return {name: words for name, words in pairs if not some or name in dataset.class_names}
