"""The vector of each class, found by its name among word vectors."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64

from zsh_jax.data.nearest import nearest_names
from zsh_jax.data.semantics.read import read_vectors
from zsh_jax.errors import InputError

NO_SYNONYMS: Mapping[str, str] = MappingProxyType({})


def word_vectors(
    path: str | Path,
    class_names: Sequence[str],
    *,
    synonyms: Mapping[str, str] = NO_SYNONYMS,
    limit: int | None = None,
    lower_case: bool = False,
) -> Float32[np.ndarray, "c e"]:
    """Class vectors from a file of word vectors.

    A name is looked up whole first (as it is, then with underscores for spaces, in lower case, capitalised); a name
    of several words that is not there whole is the mean of its words' unit vectors.

    Args:
        path: word2vec binary, word2vec text or GloVe text; which, its content tells.
        class_names: the c names.
        synonyms: what to look up in the place of a class name.
        limit: how many words of the file to know, from the first; None for all.
        lower_case: look names up in lower case alone, so that `Turkey` and `Apple` are a bird and a fruit.

    Returns:
        One unit row a class.

    Raises:
        InputError: the file cannot be read, a class has no vector, or a synonym is for no class.
    """
    path = Path(path)
    for name in synonyms:
        if name not in class_names:
            raise InputError(
                f"semantics.synonyms: there is no class {name!r}; {nearest_names(name, class_names)}"
            )
    vectors = read_vectors(path, limit)
    found: dict[str, Float64[np.ndarray, " e"]] = {}
    for name in class_names:
        words = synonyms.get(name, name)
        vector = _vector(vectors, words.lower() if lower_case else words, path, lower_case=lower_case)
        if vector is not None:
            found[name] = vector
    missing = [name for name in class_names if name not in found]
    if missing:
        listed = ", ".join(missing[:10]) + (", ..." if len(missing) > 10 else "")
        among = f" among the first {limit} words" if limit else ""
        raise InputError(
            f"{path}: no vector for {len(missing)} of {len(class_names)} classes{among} ({listed}); name other words "
            f"with --config.semantics.synonyms=\"(({missing[0]!r}, 'WORDS'),)\", give another file, or use attributes "
            "or one-hot"
        )
    return np.stack([found[name] for name in class_names]).astype(np.float32)


def known_words(
    path: str | Path,
    class_names: Sequence[str],
    *,
    synonyms: Mapping[str, str] = NO_SYNONYMS,
    limit: int | None = None,
    lower_case: bool = False,
) -> tuple[str, ...]:
    """The classes for which `word_vectors` finds a vector, for data sets that are drawn among these.

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


def _vector(
    vectors: Any, words: str, path: Path, *, lower_case: bool = False
) -> Float64[np.ndarray, " e"] | None:
    whole = _look_up(vectors, words.strip(), path, lower_case)
    if whole is not None:
        return whole
    parts = [_look_up(vectors, part, path, lower_case) for part in re.split(r"[\s_-]+", words) if part]
    if not parts or any(part is None for part in parts):
        return None
    mean = np.mean([part for part in parts if part is not None], axis=0)
    length = np.linalg.norm(mean)
    return mean / length if length > 1e-6 else None  # opposite words have no mean direction


def _look_up(vectors: Any, name: str, path: Path, lower_case: bool) -> Float64[np.ndarray, " e"] | None:
    for form in _forms(name):
        if lower_case and form != form.lower():
            continue
        if form in vectors:
            vector = vectors[form].astype(np.float64)
            # gensim spreads a lone value, all that is left of a row cut off, over the whole vector.
            constant = len(vector) > 1 and np.ptp(vector) == 0
            if constant or not np.isfinite(vector).all() or not vector.any():
                raise InputError(
                    f"{path}: the vector of {form!r} is cut off or garbled; fetch the file again"
                )
            return vector / np.linalg.norm(vector)
    return None


def _forms(name: str) -> Iterator[str]:
    """Spellings of a name, the likeliest first; Google News writes phrases with underscores and capitals."""
    joined = re.sub(r"\s+", "_", name)
    yield name
    yield joined
    yield joined.lower()
    yield joined[:1].upper() + joined[1:].lower()
    yield "_".join(word[:1].upper() + word[1:].lower() for word in joined.split("_"))
