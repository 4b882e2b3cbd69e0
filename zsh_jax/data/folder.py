"""Load any folder of images with one sub-folder for each class, or such folders of several splits."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.images import SUFFIXES, LazyImages, check_whole, square
from zsh_jax.data.notices import say
from zsh_jax.data.reading import reading, written
from zsh_jax.data.text import unseen_letter
from zsh_jax.errors import InputError

FEWEST = 2  # images a class: a query needs at least one relevant image
KINDS = ", ".join(suffix for suffix in SUFFIXES if suffix not in (".jpeg", ".tiff"))
LAYOUT = f"a folder with one sub-folder of images for each class ({KINDS})"
SPLITS = ("train", "training", "val", "valid", "validation", "dev", "test", "testing")
WHOLE = "all"  # the split of a folder without these


class _Class(NamedTuple):
    """The images of a class in a split."""

    split: str
    folder: Path
    files: list[Path]


def load_folder(path: str | Path, *, image_size: int = 224, images: bool = True) -> Dataset:
    """Load images sorted into sub-folders by class.

    Args:
        path: the folder. If all its sub-folders are called `train`, `val`, `test` or the like and one of them holds
            folders, these are the classes. Names that begin with a dot are ignored; a line on standard error counts the
            other files that are left out.
        image_size: side of the square that each image is resized to, see `zsh_jax.data.images.square`.
        images: whether to return images; they are decoded on demand.

    Returns:
        The data set, sorted by split, class name and file name. Identifiers are `CLASS/FILE`; the only source split is
        `all`, unless sub-folders are splits.

    Raises:
        InputError: the folder is missing or empty, a name is not printable, a class has too few images, or an image is
            truncated.
    """
    folder = written(path)
    with reading(folder, "cannot be read", "check that it exists and is readable"):
        if folder.is_file():
            fix = f"give {LAYOUT}; a list of images is read by the data set lists"
            raise InputError(f"dataset.path: {folder} is a file, but a folder is needed; fix: {fix}")
        if not folder.is_dir():
            raise InputError(f"dataset.path: there is no folder {folder}; fix: give {LAYOUT}")
        found = list(_classes(folder))
        loose = sum(map(_is_image, folder.iterdir()))
    if not found:
        held = f"{loose} images and no sub-folder" if loose else "no sub-folder"
        raise InputError(f"dataset.path: {folder} holds {held}; fix: give {LAYOUT}")
    names = sorted({one.folder.name for one in found})
    counts = Counter({name: 0 for name in names})
    for one in found:
        counts[one.folder.name] += len(one.files)
    few = next((one.folder for one in found if counts[one.folder.name] < FEWEST), None)
    if few:
        raise InputError(
            f"dataset.path: class {few.name!r} has {counts[few.name]} images ({KINDS}) in {few}, and each class needs "
            f"{FEWEST} or more; fix: add images or remove the sub-folder"
        )
    every = [file for one in found for file in one.files]
    for place in (*(one.folder for one in found), *every):
        hidden = unseen_letter(place.name)
        if hidden:
            raise InputError(f"{place.parent}: the name {place.name!r} holds {hidden}; fix: rename it")
    for file in every if images else ():
        check_whole(file)
    _say_left_out(folder, {one.folder for one in found})
    sizes = [len(one.files) for one in found]
    return Dataset(
        name=folder.resolve().name,
        ids=np.array([f"{file.parent.name}/{file.name}" for file in every]),
        source_splits=np.repeat([one.split for one in found], sizes),
        labels=np.repeat(np.array([names.index(one.folder.name) for one in found], np.int32), sizes),
        class_names=tuple(names),
        version=_version(found, image_size),
        images=LazyImages(lambda number: square(every[number], image_size), np.arange(len(every)), image_size)
        if images
        else None,
    )


def _classes(folder: Path) -> Iterator[_Class]:
    """The classes of each split, in the order of their names."""
    tops = _folders(folder)
    split = bool(tops) and all(top.name.lower() in SPLITS for top in tops) and any(map(_folders, tops))
    for name, place in ((top.name, top) for top in tops) if split else ((WHOLE, folder),):
        for child in _folders(place):
            yield _Class(name, child, sorted(file for file in child.iterdir() if _is_image(file)))


def _folders(folder: Path) -> list[Path]:
    return sorted(child for child in folder.iterdir() if child.is_dir() and child.name[0] != ".")


def _say_left_out(folder: Path, classes: set[Path]) -> None:
    """Count the files that are no image of a class, by their endings."""
    left = []
    for place, inner, names in os.walk(folder):
        inner[:] = [name for name in inner if name[0] != "."]
        endings = [(name, Path(name).suffix.lower()) for name in names if name[0] != "."]
        known = SUFFIXES if Path(place) in classes else ()
        left += [ending or name for name, ending in endings if ending not in known]
    if left:
        kinds = ", ".join(f"{kind} {count}" for kind, count in Counter(left).most_common(5))
        say(f"{folder}: {len(left)} files are left out, which are not images of a class ({kinds})")


def _version(found: Sequence[_Class], image_size: int) -> str:
    """A digest of names, lengths and times; a digest of the contents would take as long as decoding."""
    digest = hashlib.sha256(f"{image_size}".encode())
    for split, folder, files in found:
        under = folder.name if split == WHOLE else f"{split}/{folder.name}"
        for file in files:
            stat = file.stat()
            digest.update(f"{under}/{file.name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def _is_image(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in SUFFIXES and path.name[0] != "."
