"""Load any folder of images with one sub-folder for each class."""

import hashlib
from pathlib import Path

import numpy as np

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.images import SUFFIXES, LazyImages, check_whole, square
from zsh_jax.data.reading import reading, written
from zsh_jax.data.text import unseen_letter
from zsh_jax.errors import InputError

FEWEST = 2  # images a class: a query needs at least one relevant image
LAYOUT = "a folder with one sub-folder of .jpg or .png images for each class"


def load_folder(path: str | Path, *, image_size: int = 224, images: bool = True) -> Dataset:
    """Load images sorted into sub-folders by class.

    Args:
        path: the folder. Names that begin with a dot and other file types are ignored.
        image_size: side of the square that each image is resized to, see `zsh_jax.data.images.square`.
        images: whether to return images; they are decoded on demand.

    Returns:
        The data set, sorted by class name, then by file name. Identifiers are `CLASS/FILE`; the only source split is
        `all`.

    Raises:
        InputError: the folder is missing or empty, a name is not printable, a class has too few images, or an image is
            truncated.
    """
    folder = written(path)
    with reading(folder, "cannot be read", "check that it exists and is readable"):
        if folder.is_file():
            raise InputError(f"dataset.path: {folder} is a file, but a folder is needed; fix: give {LAYOUT}")
        if not folder.is_dir():
            raise InputError(f"dataset.path: there is no folder {folder}; fix: give {LAYOUT}")
        classes = sorted(child for child in folder.iterdir() if child.is_dir() and child.name[0] != ".")
        loose = sum(_is_image(child) for child in folder.iterdir())
        files = [sorted(child for child in folder_of.iterdir() if _is_image(child)) for folder_of in classes]
    if not classes:
        held = f"{loose} images and no sub-folder" if loose else "no sub-folder"
        raise InputError(f"dataset.path: {folder} holds {held}; fix: give {LAYOUT}")
    for folder_of, held_by in zip(classes, files, strict=True):
        if len(held_by) < FEWEST:
            raise InputError(
                f"dataset.path: class {folder_of.name!r} has {len(held_by)} .jpg or .png images in {folder_of}, and "
                f"each class needs {FEWEST} or more; fix: add images or remove the sub-folder"
            )
    every = [file for held_by in files for file in held_by]
    for place in (*classes, *every):
        hidden = unseen_letter(place.name)
        if hidden:
            raise InputError(f"{place.parent}: the name {place.name!r} holds {hidden}; fix: rename it")
    for file in every if images else ():
        check_whole(file)
    return Dataset(
        name=folder.resolve().name,
        ids=np.array([file.relative_to(folder).as_posix() for file in every]),
        source_splits=np.full(len(every), "all"),
        labels=np.repeat(np.arange(len(classes), dtype=np.int32), [len(held_by) for held_by in files]),
        class_names=tuple(folder_of.name for folder_of in classes),
        version=_version(every, image_size),
        images=LazyImages(lambda number: square(every[number], image_size), np.arange(len(every)), image_size)
        if images
        else None,
    )


def _version(files: list[Path], image_size: int) -> str:
    """A digest of names, lengths and times; a digest of the contents would take as long as decoding."""
    digest = hashlib.sha256(f"{image_size}".encode())
    for file in files:
        stat = file.stat()
        digest.update(f"{file.parent.name}/{file.name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def _is_image(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in SUFFIXES and path.name[0] != "."
