"""Read class attributes from files: AwA, CUB and SUN as distributed, or a table with one row a class."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64

from zsh_jax.data.feature_files.arrays import open_arrays
from zsh_jax.data.nearest import nearest_names
from zsh_jax.data.reading import reading, written
from zsh_jax.data.semantics.missing import MissingVectors, examples
from zsh_jax.data.semantics.targets import attribute_vectors
from zsh_jax.data.text import read_text
from zsh_jax.errors import InputError

AWA = "predicate-matrix-continuous.txt"
CUB = "class_attribute_labels_continuous.txt"
SUN = "attributeLabels_continuous.mat"
WANTED = (
    f"a folder that holds {AWA} (AwA), {CUB} (CUB) or {SUN} (SUN), a .mat file with att and allclasses_names, or a "
    ".csv, .txt or .npy table with one row a class"
)

# Feature files with numbered classes, such as res101.mat of xlsa17.
_NAMELESS = "put a classes.txt beside the feature file, with one class name a line, in class order"


class _Table(NamedTuple):
    """The attributes of a file; without names, rows are in the class order of the data set."""

    path: Path
    rows: Float64[np.ndarray, "c a"]
    names: list[str] | None


def attribute_file_vectors(path: str | Path, class_names: Sequence[str]) -> Float32[np.ndarray, "c a"]:
    """Class vectors from an attribute file.

    Names are matched without regard to case, separators and CUB's numbers. A table without names needs a `classes.txt`
    beside it, or one row for each class in the order of the data set. SUN has attributes of images: the vector of a
    class is the mean over its images.

    Args:
        path: a folder of AwA (Lampert et al. 2009), CUB (Wah et al. 2011) or SUN (Patterson and Hays 2012) as
            distributed; a `.mat` file of Xian et al. (2018), with one column of `att` for each class and
            `allclasses_names`; or a table as `.csv`, `.txt` (values separated by spaces) or `.npy`. Text tables may
            have a name first in each row, and a header.
        class_names: the c names.

    Returns:
        The rows of the classes, at unit length.

    Raises:
        MissingVectors: a class is not in the file.
        InputError: the file is missing, damaged or has another format.
    """
    path = written(path)
    if not path.exists():
        raise InputError(f"semantics.attributes: there is no {path}; fix: give {WANTED}")
    table = _read(path)
    damaged = np.flatnonzero(~np.isfinite(table.rows).all(axis=1))
    if damaged.size:
        raise InputError(
            f"{table.path}: {damaged.size} of {len(table.rows)} rows are not finite (first: row {damaged[0] + 1}); "
            "fix: correct them"
        )
    if table.names is None:
        if len(table.rows) != len(class_names):
            raise InputError(
                f"{table.path} has {len(table.rows)} rows and no names, but there are {len(class_names)} classes; fix: "
                "put a name first in each row, or a classes.txt beside it"
            )
        return attribute_vectors(table.rows, where=f"{table.path}: ")
    if len(table.names) != len(table.rows):
        raise InputError(
            f"{table.path} has {len(table.rows)} rows, but its names list {len(table.names)} classes; fix: fetch both "
            "again"
        )
    rows: dict[str, Float64[np.ndarray, " a"]] = {}
    for name, row in zip(table.names, table.rows, strict=True):
        if _plain(name) in rows:
            raise InputError(f"{table.path}: class {name!r} has two rows; fix: remove one")
        rows[_plain(name)] = row
    missing = tuple(name for name in class_names if _plain(name) not in rows)
    if missing:
        raise MissingVectors(
            f"{table.path}: no attributes for {len(missing)} of {len(class_names)} classes ({examples(missing)}; "
            f"{nearest_names(missing[0], table.names)})",
            _NAMELESS
            if len(missing) == len(class_names) and missing[0].startswith("class ")
            else "rename them",
            missing,
        )
    stacked = np.stack([rows[_plain(name)] for name in class_names])
    return attribute_vectors(stacked, where=f"{table.path}: ")


def _read(path: Path) -> _Table:
    folder = path if path.is_dir() else path.parent
    named = path.name if path.is_file() else ""
    for kind, read in ((AWA, _read_awa), (CUB, _read_cub), (SUN, _read_sun)):
        places = (folder / kind, folder / "attributes" / kind)
        found = next((place for place in places if place.is_file()), None)
        if found and named in ("", kind):
            return read(found)
    if path.is_dir():
        raise InputError(f"semantics.attributes: {path} is not {WANTED}")
    kind = path.suffix.lower()
    if kind == ".mat":
        return _read_mat(path)
    if kind == ".npy":
        return _Table(path, _real(path, open_arrays(path).read("features")), _classes(path))
    if kind in (".csv", ".txt"):
        return _read_text(path)
    raise InputError(f"semantics.attributes: {path} is not {WANTED}")


def _read_awa(path: Path) -> _Table:
    table = _read_text(path)
    # AwA marks missing values as negative: replace them with the mean of the known classes.
    known = np.where(table.rows < 0, np.nan, table.rows)
    counts = (~np.isnan(known)).sum(axis=0)
    means = np.nansum(known, axis=0) / np.maximum(counts, 1)
    return table._replace(rows=np.where(np.isnan(known) & ~np.isnan(table.rows), means, table.rows))


def _read_cub(path: Path) -> _Table:
    table = _read_text(path)
    return table if table.names is not None else table._replace(names=_classes(path.parent))


def _read_sun(path: Path) -> _Table:
    beside = path.with_name("images.mat")
    if not beside.is_file():
        raise InputError(f"semantics.attributes: {beside} is missing; it names the images of {path.name}")
    values = _real(path, _array(path, "labels_cv"))
    images = _cells(beside, _array(beside, "images"))
    if len(images) != len(values):
        raise InputError(
            f"{path} has {len(values)} rows, but {beside} lists {len(images)} images; fix: fetch both again"
        )
    # a/apse/indoor/sun_x.jpg: a letter, the scene, the file.
    scenes = np.array(["/".join(image.strip("/").split("/")[1:-1]) for image in images])
    names = np.unique(scenes)
    return _Table(path, np.stack([values[scenes == name].mean(axis=0) for name in names]), names.tolist())


def _read_mat(path: Path) -> _Table:
    return _Table(path, _real(path, _array(path, "att")).T, _cells(path, _array(path, "allclasses_names")))


def _array(path: Path, name: str) -> np.ndarray:
    arrays = open_arrays(path)
    if name not in arrays.names:
        raise InputError(
            f"{path} lacks {name}; it has {', '.join(arrays.names) or 'nothing'}; fix: give {WANTED}"
        )
    return arrays.read(name)


def _cells(path: Path, array: np.ndarray) -> list[str]:
    """Read a cell array of strings: an object array of string arrays."""
    with reading(path, "does not hold cells of text", f"give {WANTED}"):
        return [
            str(np.asarray(cell).item() if np.size(cell) == 1 else "".join(cell)) for cell in array.ravel()
        ]


def _real(path: Path, array: np.ndarray) -> Float64[np.ndarray, "c a"]:
    if array.ndim != 2 or array.dtype.kind not in "biuf" or not array.size:
        raise InputError(
            f"{path}: attributes must be a table of real numbers; got {array.dtype} {array.shape}"
        )
    with np.errstate(invalid="ignore"):  # values that are not finite are found later
        return array.astype(np.float64)


def _read_text(path: Path) -> _Table:
    lines = [line for line in read_text(path).split("\n") if line.strip()]
    commas = any("," in line for line in lines[:2])
    with reading(path, "cannot be read as a table", f"give {WANTED}"):
        cells = list(csv.reader(lines, skipinitialspace=True)) if commas else [line.split() for line in lines]
    cells = [row for row in cells if row]
    if cells and not any(_is_number(cell) for cell in cells[0][1:]):
        cells = cells[1:]  # headings
    named = bool(cells) and not _is_number(cells[0][0])
    names = [row[0] for row in cells] if named else None
    values = []
    for number, row in enumerate(cells, 1):
        given = row[1:] if named else row
        wanted, numbers = len(cells[0]) - named, sum(map(_is_number, given))
        if not given or not len(given) == numbers == wanted:
            raise InputError(
                f"{path}: row {number} has {len(given)} values, of which {numbers} are numbers, and the first has "
                f"{wanted}; fix: correct it"
            )
        values.append([float(value) for value in given])
    if not values:
        raise InputError(f"{path} holds no attributes; fix: give {WANTED}")
    return _Table(path, np.array(values, np.float64), names if named else _classes(path))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _classes(path: Path) -> list[str] | None:
    """The names in `classes.txt` beside a file; numbers before them are removed."""
    listed = path.with_name("classes.txt")
    if not listed.is_file():
        return None
    lines = read_text(listed).split("\n")
    return [re.sub(r"^\s*\d+[\s,]+", "", line).strip() for line in lines if line.strip()]


def _plain(name: str) -> str:
    """Normal form of a name for matching: `001.Black_footed_Albatross` becomes `black footed albatross`."""
    return " ".join(re.sub(r"[_+/-]", " ", re.sub(r"^\d+\.", "", name.strip())).casefold().split())
