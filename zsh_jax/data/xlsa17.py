"""The data sets of Xian et al. with their proposed splits: AwA2, CUB, SUN and aPY as `res101.mat` and `att_splits.mat`.

Xian, Lampert, Schiele and Akata, "Zero-shot learning: a comprehensive evaluation of the good, the bad and the ugly",
PAMI 2018; the archive is called xlsa17.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int32, Shaped

from zsh_jax.data.aligned import empty_aligned
from zsh_jax.data.blocks import Array
from zsh_jax.data.dataset import Dataset
from zsh_jax.data.feature_files.arrays import Arrays, open_arrays
from zsh_jax.data.feature_files.names import plain_name, texts
from zsh_jax.data.given_roles import GivenRoles
from zsh_jax.data.reading import written
from zsh_jax.errors import InputError

FEATURES, SPLITS = "res101.mat", "att_splits.mat"
LAYOUT = f"the folder that holds {FEATURES} and {SPLITS}, or the unpacked xlsa17"
LOCATIONS = ("trainval_loc", "test_seen_loc", "test_unseen_loc")
AGAIN = "fetch xlsa17 again"
BLOCK = 1 << 12  # samples converted at a time


class Xlsa17(NamedTuple):
    """A data set of the archive.

    Attributes:
        folder: its name in the archive.
        by_folder: whether each image is in a folder that has the name of its class.
    """

    folder: str
    by_folder: bool = False


SETS = {"awa2": Xlsa17("AWA2", True), "cub": Xlsa17("CUB", True), "sun": Xlsa17("SUN"), "apy": Xlsa17("APY")}
"""The data sets by their names in configurations."""


def load_xlsa17(path: str | Path, name: str, *, features: bool = True) -> Dataset:
    """Load a data set with its attributes, and the roles of its proposed split.

    Training samples are those of `trainval_loc`. Queries are drawn from `test_unseen_loc`, and the database is every
    image that is not a query, seen and unseen (the rule of Yang et al. 2016). Queries of seen classes are drawn from
    `test_seen_loc`.

    Args:
        path: see `LAYOUT`.
        name: a key of `SETS`.
        features: whether to load features.

    Returns:
        The data set. Identifiers are the last two parts of an image's path, with `#2` and so on where several samples
        come from one image; `+` and `_` in class names become spaces, and numbers before names are removed.

    Raises:
        InputError: a file or an array is missing or damaged, arrays do not belong together, or locations are out of
            range, repeated, or of the wrong classes.
    """
    if name not in SETS:
        raise InputError(f"dataset.name: there is no {name!r}; fix: use {', '.join(SETS)}")
    folder = _folder(written(path), SETS[name].folder)
    split, found = open_arrays(folder / SPLITS), open_arrays(folder / FEATURES)
    attributes = _numbers(split, "att", 2)
    names = _class_names(split, attributes.shape[1])
    labels = _labels(found, len(names))
    ids = _ids(found, len(labels))
    if SETS[name].by_folder:
        _check_folders(found.path, ids, labels, names)
    return Dataset(
        name=name,
        ids=ids,
        source_splits=np.full(len(ids), "all"),
        labels=labels,
        class_names=names,
        attributes=attributes.T.astype(np.float32),
        features=_features(found, len(labels)) if features else None,
        given=_roles(split, labels, names),
    )


def _folder(path: Path, name: str) -> Path:
    places = [path, *(path.joinpath(*parts, name) for parts in ((), ("data",), ("xlsa17", "data")))]
    found = next(
        (place for place in places if (place / SPLITS).is_file() or (place / FEATURES).is_file()), None
    )
    if found is None:
        raise InputError(f"dataset.path: {path} holds neither {FEATURES} nor {SPLITS}; fix: give {LAYOUT}")
    for file in (FEATURES, SPLITS):
        if not (found / file).is_file():
            raise InputError(f"{found / file} is missing; fix: {AGAIN}")
    return found


def _array(arrays: Arrays, name: str) -> Array:
    if name not in arrays.names:
        raise InputError(
            f"{arrays.path} has no array {name}; it has {', '.join(arrays.names) or 'none'}; fix: {AGAIN}"
        )
    return arrays.read(name)


def _numbers(arrays: Arrays, name: str, ndim: int) -> Array:
    """A matrix of numbers, or a vector of whole ones."""
    values = _array(arrays, name)
    flat = values.ravel() if ndim == 1 and 1 in values.shape else values
    if flat.ndim != ndim or flat.dtype.kind not in "biuf" or not flat.size:
        raise InputError(
            f"{arrays.path}: {name} must be numbers in {ndim} dimension{'s' if ndim > 1 else ''}; got {values.dtype} "
            f"{values.shape}; fix: {AGAIN}"
        )
    damaged = ~np.isfinite(flat) if ndim > 1 else (flat != np.round(flat))
    if damaged.any():
        what = "values that are not finite" if ndim > 1 else "numbers that are not whole"
        raise InputError(f"{arrays.path}: {name} has {what}; fix: {AGAIN}")
    return flat


def _texts(arrays: Arrays, name: str) -> list[str]:
    _array(arrays, name)
    return texts(arrays, name, AGAIN)


def _class_names(arrays: Arrays, classes: int) -> tuple[str, ...]:
    given = _texts(arrays, "allclasses_names")
    if len(given) != classes:
        raise InputError(
            f"{arrays.path}: allclasses_names has {len(given)} names, but att has {classes} columns; fix: {AGAIN}"
        )
    return tuple(plain_name(name) for name in given)


def _labels(arrays: Arrays, classes: int) -> Int32[np.ndarray, " n"]:
    labels = _numbers(arrays, "labels", 1)
    outside = np.flatnonzero((labels < 1) | (labels > classes))
    if outside.size:
        raise InputError(
            f"{arrays.path}: {outside.size} of {len(labels)} labels are out of range (first: sample {outside[0] + 1}, "
            f"label {labels[outside[0]]}); {SPLITS} names classes 1 to {classes}; fix: take both files from one folder"
        )
    return (labels.astype(np.int64) - 1).astype(np.int32)


def _ids(arrays: Arrays, count: int) -> Shaped[np.ndarray, " n"]:
    if "image_files" not in arrays.names:
        return np.array([f"{row:05d}" for row in range(count)])
    files = _texts(arrays, "image_files")
    if len(files) != count:
        raise InputError(
            f"{arrays.path}: image_files has {len(files)} entries, but there are {count} labels; fix: {AGAIN}"
        )
    names = ["/".join(file.replace("\\", "/").split("/")[-2:]) for file in files]
    seen: dict[str, int] = {}
    for row, name in enumerate(names):
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            names[row] = f"{name}#{seen[name]}"
    return np.array(names)


def _check_folders(
    path: Path, ids: Shaped[np.ndarray, " n"], labels: Int32[np.ndarray, " n"], names: tuple[str, ...]
) -> None:
    """Check class names against the folders of images: files of two versions may number classes differently."""
    known = {name.casefold(): number for number, name in enumerate(names)}
    for name, label in zip(ids.tolist(), labels.tolist(), strict=True):
        folder = known.get(plain_name(name.rpartition("/")[0]).casefold(), label)
        if folder != label:
            raise InputError(
                f"{path}: image {name} has label {label + 1}, which {SPLITS} calls {names[label]!r}; fix: take both "
                "files from one folder"
            )


def _features(arrays: Arrays, count: int) -> Float32[np.ndarray, "n d"]:
    values = _array(arrays, "features")
    if values.ndim != 2 or values.dtype.kind not in "iuf" or values.shape[1] != count or not values.size:
        raise InputError(
            f"{arrays.path}: features must be (d, {count}) numbers, one column a sample; got {values.dtype} "
            f"{values.shape}; fix: {AGAIN}"
        )
    out = empty_aligned(count, values.shape[0])
    for start in range(0, count, BLOCK):
        with np.errstate(over="ignore", invalid="ignore"):  # checked below
            out[start : start + BLOCK] = values[:, start : start + BLOCK].T
        damaged = np.flatnonzero(~np.isfinite(out[start : start + BLOCK]).all(axis=1))
        if damaged.size:
            raise InputError(
                f"{arrays.path}: features of sample {start + damaged[0] + 1} are not finite; fix: {AGAIN}"
            )
    return out


def _roles(arrays: Arrays, labels: Int32[np.ndarray, " n"], names: tuple[str, ...]) -> GivenRoles:
    marks = [_marks(arrays, name, len(labels)) for name in LOCATIONS]
    for one in range(3):
        for other in range(one):
            both = np.flatnonzero(marks[one] & marks[other])
            if both.size:
                raise InputError(
                    f"{arrays.path}: {both.size} samples are in both {LOCATIONS[other]} and {LOCATIONS[one]} (first: "
                    f"{both[0] + 1}); fix: {AGAIN}"
                )
    training, seen, unseen = marks
    taught = np.isin(np.arange(len(names)), labels[training])
    for where, wrong in ((2, unseen & taught[labels]), (1, seen & ~taught[labels])):
        if wrong.any():
            first = np.flatnonzero(wrong)[0]
            what = "which trainval_loc has too" if where == 2 else "which trainval_loc lacks"
            raise InputError(
                f"{arrays.path}: {LOCATIONS[where]} has a sample of class {names[labels[first]]!r}, {what} (first: "
                f"{first + 1}); fix: {AGAIN}"
            )
    return GivenRoles(str(arrays.path), training, unseen, training | seen | unseen, seen)


def _marks(arrays: Arrays, name: str, count: int) -> Bool[np.ndarray, " n"]:
    places = _numbers(arrays, name, 1)
    outside = np.flatnonzero((places < 1) | (places > count))
    if outside.size:
        raise InputError(
            f"{arrays.path}: {name} has location {places[outside[0]]}, but {FEATURES} has samples 1 to {count}; fix: "
            "take both files from one folder"
        )
    counts = np.bincount(places.astype(np.int64) - 1, minlength=count)
    if (counts > 1).any():
        raise InputError(
            f"{arrays.path}: {name} repeats location {np.flatnonzero(counts > 1)[0] + 1}; fix: {AGAIN}"
        )
    return counts > 0
