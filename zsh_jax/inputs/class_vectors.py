"""Load the class vectors of each kind of semantics, as configured."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.notices import say
from zsh_jax.data.reading import written
from zsh_jax.data.semantics import MissingVectors, attribute_vectors, one_hot, word_vectors
from zsh_jax.errors import InputError
from zsh_jax.inputs.settings import InputSettings, SemanticsSettings

SEMANTICS = ("word_vectors", "attributes", "minilm", "sentences", "towers", "one-hot", "random", "shuffled")
"""Kinds of class vectors; the last three are controls."""

DROP = "drop"  # value of semantics.missing: leave out classes without a vector


class Semantics(NamedTuple):
    """Class vectors and their name in results."""

    name: str
    vectors: Float32[np.ndarray, "c e"]


def check_semantics(settings: SemanticsSettings, semantics: tuple[str, ...]) -> None:
    """Check the configuration early.

    Args:
        settings: of the class vectors.
        semantics: the kinds that the sweep needs.

    Raises:
        InputError: a kind is unknown, or a file is missing.
    """
    for kind in semantics:
        if kind not in SEMANTICS:
            raise InputError(f"sweep.semantics: unknown kind {kind!r}; fix: use {', '.join(SEMANTICS)}")
    path, model = settings.path, settings.model
    if "word_vectors" in semantics and not (path and written(path).exists()):
        what = f"semantics.path: there is no {path}" if path else "semantics.path is not set"
        raise InputError(f"{what}; fix: give a word2vec or GloVe file with --config.semantics.path=PATH")
    if "sentences" in semantics and not model:
        raise InputError(
            "semantics.model is not set; fix: set --config.semantics.model to a sentence-transformers model folder"
        )
    if "towers" in semantics:
        if not model:
            raise InputError(
                "semantics.model is not set; fix: give the folder of a saved CLIP or SigLIP model with "
                "--config.semantics.model=PATH"
            )
        if "sentences" in semantics:
            raise InputError(
                "sweep.semantics: sentences and towers both read semantics.model; fix: run them as two sweeps"
            )
        from zsh_jax.data.towers.library import check_installed
        from zsh_jax.data.towers.saved import find_towers

        find_towers(model, setting="semantics.model", download=settings.download)
        check_installed()


def load_semantics(
    settings: InputSettings, kind: str, dataset: Dataset, *, notice: Callable[[str], None] = say
) -> Semantics:
    """Load the class vectors of a data set.

    Args:
        settings: of the inputs.
        kind: of semantics.
        dataset: whose classes.
        notice: takes lines about a file of word vectors.

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
        has_attributes = settings.semantics.attributes or dataset.attributes is not None
        kinds = {"word_vectors": settings.semantics.path, "attributes": has_attributes, "minilm": True}
        own = load_semantics(
            settings, next(kind for kind, there in kinds.items() if there), dataset, notice=notice
        )
        return own._replace(name=f"shuffled {own.name}")
    if kind == "attributes":
        return _attributes(settings.semantics, dataset)
    synonyms, chosen = _synonyms(settings, dataset), settings.semantics
    if kind in ("sentences", "towers"):
        return _embedded(chosen, kind, names, synonyms)
    if kind == "minilm":
        from zsh_jax.data.semantics.minilm import minilm_vectors

        return Semantics(kind, minilm_vectors(dataset.name, names, synonyms=synonyms))
    assert chosen.path is not None  # checked before
    path = written(chosen.path)
    looked_up: dict[str, Any] = {"synonyms": synonyms, "limit": chosen.limit, "lower_case": chosen.lower_case}
    vectors = word_vectors(path, names, **looked_up, notice=notice)
    return Semantics(path.stem, vectors)


def _embedded(
    settings: SemanticsSettings, kind: str, names: tuple[str, ...], synonyms: dict[str, str]
) -> Semantics:
    """Class vectors of an encoder that a folder or a name says."""
    assert settings.model is not None  # checked before
    how: dict[str, Any] = {"model": settings.model, "synonyms": synonyms, "download": settings.download}
    if settings.prompt is not None:  # each kind has a default of its own
        how["prompt"] = settings.prompt
    if kind == "towers":
        from zsh_jax.data.semantics.towers import tower_vectors

        vectors = tower_vectors(names, **how)
    else:
        from zsh_jax.data.semantics.sentences import sentence_vectors

        vectors = sentence_vectors(names, **how)
    return Semantics(Path(settings.model).name, vectors)


def _attributes(settings: SemanticsSettings, dataset: Dataset) -> Semantics:
    if settings.attributes:
        from zsh_jax.data.semantics.attribute_files import attribute_file_vectors

        path = written(settings.attributes)
        return Semantics(path.stem, attribute_file_vectors(path, dataset.class_names))
    if dataset.attributes is None:
        raise InputError(
            f"{dataset.name} has no attributes; fix: set --config.semantics.attributes=PATH, or use "
            "--config.sweep.semantics='(\"word_vectors\",)' or one-hot"
        )
    return Semantics("attributes", attribute_vectors(dataset.attributes))


def find_missing(
    settings: InputSettings, semantics: tuple[str, ...], dataset: Dataset
) -> tuple[MissingVectors, ...]:
    """Find the classes without a vector, for each kind of semantics.

    Args:
        settings: of the inputs.
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
            load_semantics(settings, kind, dataset, notice=lambda line: None)  # said when they are loaded
        except MissingVectors as missing:
            found.append(missing)
    return tuple(found)


def _synonyms(settings: InputSettings, dataset: Dataset) -> dict[str, str]:
    """The synonyms of classes in the data set; a seed may draw other classes, and classes may be left out."""
    some = settings.draws_classes or settings.semantics.missing == DROP
    pairs = settings.semantics.synonyms
    return {name: words for name, words in pairs if not some or name in dataset.class_names}
