"""Find the vector of each class by its name in a word vector file."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64

from zsh_jax.data.nearest import nearest_names
from zsh_jax.data.notices import say
from zsh_jax.data.semantics.missing import MissingVectors, examples
from zsh_jax.data.semantics.phrases import NO_SYNONYMS
from zsh_jax.data.semantics.read import Notice, Vectors, read_vectors
from zsh_jax.errors import InputError


def word_vectors(
    path: str | Path,
    class_names: Sequence[str],
    *,
    synonyms: Mapping[str, str] = NO_SYNONYMS,
    limit: int | None = None,
    lower_case: bool = False,
    notice: Notice = say,
) -> Float32[np.ndarray, "c e"]:
    """Class vectors from a word vector file.

    The whole name is looked up first (as it is, with underscores for spaces, in lower case, capitalised). A name of
    several words that is not in the file gets the mean of the unit vectors of its words.

    Args:
        path: word2vec binary, word2vec text or GloVe text; the content decides which.
        class_names: the c names.
        synonyms: words to look up in place of a class name.
        limit: number of words to read from the start of the file; None for all.
        lower_case: look up names in lower case only, so that `Turkey` and `Apple` mean the bird and the fruit.
        notice: takes lines about the file, see `read_vectors`.

    Returns:
        One unit row a class.

    Raises:
        MissingVectors: a class has no vector.
        InputError: the file cannot be read, or a synonym names an unknown class.
    """
    path = Path(path)
    for name in synonyms:
        if name not in class_names:
            raise InputError(
                f"semantics.synonyms: there is no class {name!r}; {nearest_names(name, class_names)}"
            )
    words = {name: synonyms.get(name, name) for name in class_names}
    if lower_case:
        words = {name: spelt.lower() for name, spelt in words.items()}
    wanted = {
        form for spelt in words.values() for part in (spelt.strip(), *_words(spelt)) for form in _forms(part)
    }
    if lower_case:
        wanted = {form for form in wanted if form == form.lower()}
    vectors = read_vectors(path, wanted, limit, notice=notice)
    found = {
        name: vector for name, spelt in words.items() if (vector := _vector(vectors, spelt, path)) is not None
    }
    missing = tuple(name for name in class_names if name not in found)
    if missing:
        among = f" among the first {limit} words" if limit else ""
        raise MissingVectors(
            f"{path}: no vector for {len(missing)} of {len(class_names)} classes{among} ({examples(missing)})",
            f"set other words with --config.semantics.synonyms=\"(({missing[0]!r}, 'WORDS'),)\", or use another file, "
            "attributes or one-hot",
            missing,
        )
    return np.stack([found[name] for name in class_names]).astype(np.float32)


def _words(spelt: str) -> list[str]:
    return [part for part in re.split(r"[\s_-]+", spelt) if part]


def _vector(vectors: Vectors, spelt: str, path: Path) -> Float64[np.ndarray, " e"] | None:
    whole = _look_up(vectors, spelt.strip(), path)
    if whole is not None:
        return whole
    parts = [_look_up(vectors, part, path) for part in _words(spelt)]
    if not parts or any(part is None for part in parts):
        return None
    mean = np.mean([part for part in parts if part is not None], axis=0)
    length = np.linalg.norm(mean)
    return mean / length if length > 1e-6 else None  # opposite vectors have no mean direction


def _look_up(vectors: Vectors, name: str, path: Path) -> Float64[np.ndarray, " e"] | None:
    form = next((form for form in _forms(name) if form in vectors), None)
    if form is None:
        return None
    vector = vectors[form]
    if not np.isfinite(vector).all() or not vector.any():
        raise InputError(f"{path}: the vector of {form!r} is damaged; fix: fetch the file again")
    return vector / np.linalg.norm(vector)


def _forms(name: str) -> Iterator[str]:
    """Spellings of a name, the most likely first; Google News joins phrases with underscores and capitalises them."""
    joined = re.sub(r"\s+", "_", name)
    yield name
    yield joined
    yield joined.lower()
    yield joined[:1].upper() + joined[1:].lower()
    yield "_".join(word[:1].upper() + word[1:].lower() for word in joined.split("_"))
