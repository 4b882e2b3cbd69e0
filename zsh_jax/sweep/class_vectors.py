"""Class vectors of each kind of semantics, as a configuration says."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32
from ml_collections import ConfigDict

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.known_words import known_words
from zsh_jax.data.semantics import attribute_vectors, one_hot, word_vectors
from zsh_jax.errors import InputError
from zsh_jax.sweep.axes import SEMANTICS


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
        path = config.semantics.path
        if kind == "word_vectors" and not (path and Path(path).expanduser().exists()):
            what = f"there is no {path}" if path else "is not set"
            raise InputError(
                f"semantics.path{':' if path else ''} {what}; give a word2vec or GloVe file with "
                "--config.semantics.path=PATH"
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
        InputError: a class has none.
    """
    if kind in ("one-hot", "random"):  # the latter is turned anew by each seed
        return Semantics(kind, one_hot(len(dataset.class_names)))
    if kind == "shuffled":  # anew by each seed
        own = load_semantics(config, "word_vectors" if config.semantics.path else "attributes", dataset)
        return own._replace(name=f"shuffled {own.name}")
    if kind == "attributes":
        if dataset.attributes is None:
            raise InputError(
                f"{dataset.name} has no attributes; use --config.sweep.semantics='(\"word_vectors\",)' or one-hot"
            )
        return Semantics(kind, attribute_vectors(dataset.attributes))
    path = Path(config.semantics.path).expanduser()
    return Semantics(path.stem, word_vectors(path, dataset.class_names, synonyms=_synonyms(config)))


def with_vectors(config: ConfigDict, semantics: tuple[str, ...], dataset: Dataset) -> tuple[str, ...]:
    """The classes that have a vector in every kind of semantics of a sweep.

    Args:
        config: with `semantics`.
        semantics: the kinds.
        dataset: whose classes.

    Returns:
        Their names, in the order of the classes.

    Raises:
        InputError: a file cannot be read.
    """
    names = dataset.class_names
    if "word_vectors" in semantics:
        names = known_words(Path(config.semantics.path).expanduser(), names, synonyms=_synonyms(config))
    return names


def _synonyms(config: ConfigDict) -> dict[str, str]:
    pairs = config.semantics.synonyms
    well_formed = all(
        isinstance(pair, tuple) and [type(word) for word in pair] == [str, str] for pair in pairs
    )
    if not well_formed:
        raise InputError(f"semantics.synonyms takes pairs, such as (('cat', 'kitten'),), not {pairs!r}")
    return dict(pairs)
