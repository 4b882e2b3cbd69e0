"""Which classes a file of word vectors knows, for data sets that are drawn among these."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from zsh_jax.data.semantics.read import read_vectors
from zsh_jax.data.semantics.words import NO_SYNONYMS, _vector


def known_words(
    path: str | Path,
    class_names: Sequence[str],
    *,
    synonyms: Mapping[str, str] = NO_SYNONYMS,
    limit: int | None = None,
    lower_case: bool = False,
) -> tuple[str, ...]:
    """The classes for which `zsh_jax.data.semantics.word_vectors` finds a vector.

    Args:
        path: file of word vectors.
        class_names: those in question.
        synonyms: what to look up in the place of a class name.
        limit: as `word_vectors` takes it.
        lower_case: as `word_vectors` takes it.

    Returns:
        The names that have one, in their order.

    Raises:
        InputError: the file cannot be read.
    """
    path = Path(path)
    vectors = read_vectors(path, limit)

    def has_vector(name: str) -> bool:
        words = synonyms.get(name, name)
        return (
            _vector(vectors, words.lower() if lower_case else words, path, lower_case=lower_case) is not None
        )

    return tuple(name for name in class_names if has_vector(name))
