"""Read the unpacked archives of MIRFlickr-25K: images and annotations.

Huiskes and Lew, "The MIR Flickr retrieval evaluation", ACM MIR 2008.
"""

import re
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

from zsh_jax.data.text import read_text
from zsh_jax.errors import InputError

CONCEPTS = (
    "animals",
    "baby",
    "bird",
    "car",
    "clouds",
    "dog",
    "female",
    "flower",
    "food",
    "indoor",
    "lake",
    "male",
    "night",
    "people",
    "plant_life",
    "portrait",
    "river",
    "sea",
    "sky",
    "structures",
    "sunset",
    "transport",
    "tree",
    "water",
)
"""Potential labels: the concept is visible to some extent."""

RELEVANT = tuple(
    f"{concept}_r1"
    for concept in (
        "baby",
        "bird",
        "car",
        "clouds",
        "dog",
        "female",
        "flower",
        "male",
        "night",
        "people",
        "portrait",
        "river",
        "sea",
        "tree",
    )
)
"""Relevant labels: the concept is salient; a subset of the potential label."""

LONGEST = 20  # digits of a number
INSTRUCTIONS = (
    "fix: download mirflickr25k.zip and mirflickr25k_annotations_v080.zip from https://press.liacs.nl/mirflickr/ and "
    "unpack both into one folder, which then holds mirflickr/im1.jpg and mirflickr25k_annotations_v080/animals.txt"
)


class Archive(NamedTuple):
    """Contents of the unpacked archives.

    Attributes:
        images: image files, in the order of their numbers.
        numbers: image numbers, from 1.
        labels: concepts of each image.
    """

    images: tuple[Path, ...]
    numbers: tuple[int, ...]
    labels: Bool[np.ndarray, "n c"]


def read_archive(folder: Path, concepts: tuple[str, ...]) -> Archive:
    """Find images and annotations.

    Args:
        folder: folder of both unpacked archives. Annotation files may also be directly in it, or in
            `mirflickr/annotations` or `annotations`.
        concepts: concepts to read.

    Returns:
        All images, including those without any concept.

    Raises:
        InputError: files are missing, or an annotation is not the number of an existing image.
    """
    pattern = re.compile(r"im(\d+)\.jpg", re.IGNORECASE)
    matches = [
        (match, path)
        for path in (folder / "mirflickr").glob("*.*")
        if (match := pattern.fullmatch(path.name))
    ]
    if not matches:
        raise InputError(f"{folder / 'mirflickr'} holds no im1.jpg, im2.jpg ...; {INSTRUCTIONS}")
    found = sorted((int(match[1]), path) for match, path in matches)
    numbers = tuple(number for number, _ in found)
    twice = [one[1].name for one, other in pairwise(found) if one[0] == other[0]]
    if twice:
        raise InputError(
            f"{folder / 'mirflickr'} holds {twice[0]} and another image of that number; fix: remove one"
        )
    place = {number: row for row, number in enumerate(numbers)}
    annotations = _annotations(folder, concepts)
    labels = np.zeros((len(found), len(concepts)), bool)
    for column, concept in enumerate(concepts):
        path = annotations / f"{concept}.txt"
        for number, line in enumerate(read_text(path).split("\n"), start=1):
            word = line.strip()
            if not word:
                continue
            is_number = word.isdecimal() and len(word) < LONGEST
            if not is_number or int(word) not in place:
                what = "is not the number of an image in" if is_number else "is not an image number"
                where = f" {folder / 'mirflickr'}" if is_number else ""
                word = word[:LONGEST]
                raise InputError(
                    f"{path}, line {number}: {word!r} {what}{where}; fix: unpack both archives again"
                )
            labels[place[int(word)], column] = True
    return Archive(tuple(path for _, path in found), numbers, labels)


def _annotations(folder: Path, concepts: tuple[str, ...]) -> Path:
    candidates = [*sorted(folder.glob("mirflickr25k_annotations*")), folder / "mirflickr" / "annotations"]
    candidates += [
        *sorted((folder / "mirflickr").glob("mirflickr25k_annotations*")),
        folder / "annotations",
        folder,
    ]
    for candidate in candidates:
        lacking = [concept for concept in concepts if not (candidate / f"{concept}.txt").is_file()]
        if not lacking:
            return candidate
        if len(lacking) < len(concepts):
            raise InputError(
                f"{candidate} lacks {len(lacking)} of {len(concepts)} annotation files (first: {lacking[0]}.txt); "
                f"{INSTRUCTIONS}"
            )
    raise InputError(f"{folder} holds no folder of annotation files such as animals.txt; {INSTRUCTIONS}")
