"""Lists of images with zeros and ones: `train.txt`, `test.txt`, `database.txt`, as deep hashing repositories ship them.

A line is an image's path and a 0 or 1 for each class, as in the lists of HashNet (Cao et al. 2017).
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int32

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.given_roles import GivenRoles, check_disjoint
from zsh_jax.data.images import LazyImages, check_whole, square
from zsh_jax.data.reading import written
from zsh_jax.data.text import read_names, read_text, unseen_letter
from zsh_jax.errors import InputError

LISTS = {"train.txt": "training", "test.txt": "queries", "database.txt": "database"}
LAYOUT = f"the folder that holds {', '.join(LISTS)}, or one list, with a line 'PATH 0 0 1 0' for each image"
NAMES = "classes.txt"


class _List(NamedTuple):
    """One list: its file, the paths, and the labels of each."""

    file: Path
    paths: list[str]
    labels: Bool[np.ndarray, "n c"]


def load_image_lists(
    path: str | Path, *, root: str | Path | None = None, image_size: int = 224, images: bool = True
) -> Dataset:
    """Load images, their labels and their roles.

    Args:
        path: the folder of the three lists, which state the roles of their images; or one list, or a folder of one,
            whose images have no roles. A line of `classes.txt` names the class of each column, if the file is there.
        root: the folder that the paths start from; None for the folder of the lists.
        image_size: side of the square that each image is resized to, see `zsh_jax.data.images.square`.
        images: whether to return images; they are decoded on demand.

    Returns:
        The data set, in the order of the list; or of the database, then of the images that other lists add. An image in
        several lists is one sample. Identifiers are the paths as listed; the only source split is `all`. If each image
        has one class, labels are class indices.

    Raises:
        InputError: a list or an image is missing or damaged, a line has another form, labels of an image differ between
            lists, or an image is both a query and something else.
    """
    folder, names = _places(written(path))
    lists = {name: _read(folder / name) for name in names}
    widths = {found.labels.shape[1]: name for name, found in lists.items()}
    if len(widths) > 1:
        listed = ", ".join(f"{width} in {name}" for width, name in widths.items())
        raise InputError(
            f"{folder}: lists differ in their number of classes: {listed}; fix: use lists of one set"
        )
    rows: dict[str, Bool[np.ndarray, " c"]] = {}
    for name in names:
        for line, (image, labels) in enumerate(zip(lists[name].paths, lists[name].labels, strict=True), 1):
            if (rows.setdefault(image, labels) != labels).any():
                raise InputError(
                    f"{lists[name].file}, image {line}: {image} has other labels in another list; fix: correct one"
                )
    ids = np.array(list(rows))
    hot = np.stack(list(rows.values()))
    given = check_disjoint(_roles(folder, lists, rows), ids) if len(lists) > 1 else None
    bare = given.training & ~hot.any(axis=1) if given else np.zeros(len(ids), bool)
    if bare.any():
        raise InputError(
            f"{folder / 'train.txt'}: {np.count_nonzero(bare)} images have no class (first: {ids[bare][0]}); fix: "
            "leave them out"
        )
    files = _files(written(root) if root else folder, ids.tolist()) if images else []
    one: Int32[np.ndarray, " n"] | None = (
        hot.argmax(axis=1).astype(np.int32) if (hot.sum(axis=1) == 1).all() else None
    )
    return Dataset(
        name=folder.resolve().name,
        ids=ids,
        source_splits=np.full(len(ids), "all"),
        labels=hot if one is None else one,
        class_names=_class_names(folder, hot.shape[1]),
        version=_version(files, image_size),
        images=LazyImages(lambda number: square(files[number], image_size), np.arange(len(ids)), image_size)
        if images
        else None,
        given=given,
    )


def _places(path: Path) -> tuple[Path, tuple[str, ...]]:
    """The folder of the lists and their names, in the order of their images; one name for lists without roles."""
    if path.is_file():
        return path.parent, (path.name,)
    if not path.is_dir():
        raise InputError(f"dataset.path: there is no folder {path}; fix: give {LAYOUT}")
    there = tuple(name for name in ("database.txt", "train.txt", "test.txt") if (path / name).is_file())
    if len(there) not in (1, len(LISTS)):
        missing = ", ".join(name for name in LISTS if name not in there)
        raise InputError(f"dataset.path: {path} has no {missing}; fix: give {LAYOUT}")
    return path, there


def _read(file: Path) -> _List:
    """Read a list. The first line tells the number of classes, so that paths may hold spaces and numbers."""
    paths: list[str] = []
    labels: list[list[str]] = []
    first: dict[str, int] = {}
    classes = 0
    for number, line in enumerate(read_text(file).split("\n"), 1):
        if not line.strip():
            continue
        if not classes:
            classes = _columns(line.split())
        parts = line.rsplit(maxsplit=classes)
        if classes < 2 or len(parts) != classes + 1 or not {*parts[1:]} <= {"0", "1"}:
            many = classes if classes > 1 else "two or more"
            raise InputError(
                f"{file}, line {number}: {line.strip()[:60]!r} is not a path and {many} zeros and ones; fix: write one "
                "image a line"
            )
        name = parts[0].strip().replace("\\", "/")
        hidden = unseen_letter(name)
        if hidden:
            raise InputError(f"{file}, line {number}: the path {name!r} holds {hidden}; fix: rename it")
        if name in first:
            raise InputError(f"{file}: {name} is in lines {first[name]} and {number}; fix: remove one")
        first[name] = number
        paths.append(name)
        labels.append(parts[1:])
    if not paths:
        raise InputError(f"{file} lists no image; fix: give {LAYOUT}")
    return _List(file, paths, np.array(labels) == "1")


def _columns(parts: Sequence[str]) -> int:
    """The zeros and ones that end a line."""
    count = 0
    for part in reversed(parts[1:]):
        if part not in ("0", "1"):
            break
        count += 1
    return count


def _roles(folder: Path, lists: dict[str, _List], rows: dict[str, Bool[np.ndarray, " c"]]) -> GivenRoles:
    places = {image: place for place, image in enumerate(rows)}
    marks = {role: np.zeros(len(rows), bool) for role in (*LISTS.values(), "seen_queries")}
    for name, role in LISTS.items():
        marks[role][[places[image] for image in lists[name].paths]] = True
    return GivenRoles(str(folder), **marks)


def _class_names(folder: Path, classes: int) -> tuple[str, ...]:
    file = folder / NAMES
    if not file.is_file():
        return tuple(f"class {number}" for number in range(classes))
    names = read_names(file)
    if len(names) != classes:
        raise InputError(
            f"{file} has {len(names)} names, but the lists have {classes} classes; fix: correct it"
        )
    return names


def _files(root: Path, ids: list[str]) -> list[Path]:
    """The image of each path."""
    files = [root / name.lstrip("/") if (root / name.lstrip("/")).is_file() else root / name for name in ids]
    lost = [file for file in files if not file.is_file()]
    if lost:
        raise InputError(
            f"{len(lost)} of {len(files)} listed images do not exist (first: {lost[0]}); fix: give the folder that the "
            "paths start from with --config.dataset.root=PATH, or use --config.features.name=precomputed"
        )
    for file in files:
        check_whole(file)
    return files


def _version(files: list[Path], image_size: int) -> str:
    """A digest of names, lengths and times, as for a folder of images."""
    digest = hashlib.sha256(f"{image_size}".encode())
    for file in files:
        stat = file.stat()
        digest.update(f"{file.name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]
