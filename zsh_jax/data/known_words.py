"""Which classes a file of word vectors knows, for data sets that are drawn among these."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from zsh_jax.data.semantics.read import read_vectors
from zsh_jax.data.semantics.words import NO_SYNONYMS, _vector


def known_words(
    path: str | Path, class_names: Sequence[str], *, synonyms: Mapping[str, str] = NO_SYNONYMS
) -> tuple[str, ...]:
    """The classes for which `zsh_jax.data.semantics.word_vectors` finds a vector.

    Args:
        path: file of word vectors.
        class_names: those in question.
        synonyms: what to look up in the place of a class name.

    Returns:
        The names that have one, in their order.

    Raises:
        InputError: the file cannot be read.
    """
    vectors = read_vectors(Path(path))
    return tuple(
        name for name in class_names if _vector(vectors, synonyms.get(name, name), Path(path)) is not None
    )
