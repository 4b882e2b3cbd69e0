"""Class names of feature files: a text file beside them, or the cells of a `.mat` file."""

import re
from collections.abc import Sequence
from pathlib import Path

from zsh_jax.data.feature_files.arrays import Arrays, open_arrays
from zsh_jax.data.feature_files.files import File
from zsh_jax.data.feature_files.parts import LABELS
from zsh_jax.data.notices import say
from zsh_jax.data.reading import AGAIN, reading
from zsh_jax.data.tables import ARROW, class_names, open_table
from zsh_jax.data.text import read_names

NAMES = ("classes.txt", "labels.txt")
CELLS = "allclasses_names"  # as xlsa17 and its heirs name them
BESIDE = "att_splits.mat"  # of xlsa17, whose features are in res101.mat


def names_beside(file: File, labels: Sequence[str] = ()) -> tuple[str, ...] | None:
    """The class names of a feature file.

    Args:
        file: of features, and its split.
        labels: names of the columns of labels, if the user gives them.

    Returns:
        The names in `STEM.classes.txt`, `SPLIT.classes.txt`, `classes.txt` or `labels.txt` beside it, the first of
        these that is there; else those of `allclasses_names` in the `.mat` file itself or in `att_splits.mat` beside
        it, which is said; else those that `datasets` of Hugging Face stated in a table for its labels; else None.

    Raises:
        InputError: the file of names is damaged.
    """
    stems = dict.fromkeys((file.path.stem, file.split))
    for name in (*(f"{stem}.classes.txt" for stem in stems), *NAMES):
        if file.path.with_name(name).is_file():
            return read_names(file.path.with_name(name))
    for place in dict.fromkeys((file.path, file.path.with_name(BESIDE))):
        names = _cells(place) if file.path.suffix.lower() == ".mat" and place.is_file() else None
        if names is not None:
            say(f"classes are named by {CELLS} of {place}")
            return names
    return _of_table(file.path, labels) if file.path.suffix.lower() in (".parquet", ARROW) else None


def _of_table(path: Path, labels: Sequence[str]) -> tuple[str, ...] | None:
    table = open_table(path)
    column = next(iter(labels or [name for name in LABELS if name in table.names]), None)
    return class_names(table.features, column) if column else None


def _cells(path: Path) -> tuple[str, ...] | None:
    arrays = open_arrays(path)
    return tuple(map(plain_name, texts(arrays, CELLS))) if CELLS in arrays.names else None


def texts(arrays: Arrays, name: str, fix: str = AGAIN) -> list[str]:
    """A cell array of strings, or a matrix of characters.

    Args:
        arrays: of a `.mat` file.
        name: one of them.
        fix: what the user should do if it is something else.

    Raises:
        InputError: it is.
    """
    values = arrays.read(name)
    with reading(arrays.path, f"does not hold text in {name}", fix):
        return ["".join(cell.ravel()) if hasattr(cell, "ravel") else str(cell) for cell in values.ravel()]


def plain_name(name: str) -> str:
    """`grizzly+bear` as "grizzly bear", `001.Black_footed_Albatross` as "Black footed Albatross"."""
    return " ".join(re.sub(r"[+_]", " ", re.sub(r"^\d+\.", "", name.strip())).split())
