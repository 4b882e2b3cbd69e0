"""What the report shows of codes: a map of them, and the classes that they confuse; and the file of a sweep for it."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt8

from zsh_jax.atomic import write_whole
from zsh_jax.data.dataset import Dataset
from zsh_jax.data.numpy_files import read_npz
from zsh_jax.data.split import Split
from zsh_jax.errors import InputError
from zsh_jax.report.code_map import CodeMap, code_map
from zsh_jax.report.neighbour_classes import class_shares, evenly, members

CODES = "codes.npz"
METHODS = 4  # with figures: the first ones
NEAREST = 100  # images that count as neighbours
QUERIES = 50  # of each class
SAMPLES = 100  # images of each class on the map
SEEN = 4  # seen classes on the map: those that unseen ones are confused with most
UNSEEN = 8  # unseen classes on the map


class CodePicture(NamedTuple):
    """The codes of one method with one set of unseen classes.

    Attributes:
        method: its name and code length.
        mapped: of images of the database, by class number.
        unseen: numbers of the classes of the queries.
        shares: of the nearest images of queries of each of them, by class of the images.
    """

    method: str
    mapped: CodeMap
    unseen: Int[np.ndarray, " r"]
    shares: Float[np.ndarray, "r c"]


class CodePictures(NamedTuple):
    """The pictures of a sweep.

    Attributes:
        dataset: its name.
        names: of the classes.
        pictures: those of one method together, in the order of the sweep.
    """

    dataset: str
    names: tuple[str, ...]
    pictures: tuple[CodePicture, ...]


def code_picture(
    method: str, codes: UInt8[np.ndarray, "n bytes"], bits: int, dataset: Dataset, split: Split
) -> CodePicture:
    """Compute the map and the shares of one cell.

    Args:
        method: label of the cell.
        codes: of all samples of the data set, packed.
        bits: code length.
        dataset: its labels decide what is of one class.
        split: its queries search its database.
    """
    unseen = np.asarray(split.query_classes)
    queries, database = np.asarray(split.queries), np.asarray(split.database)
    of = members(dataset.labels[queries], unseen.tolist())
    some = evenly(of, QUERIES)
    shares = class_shares(
        codes[queries[some]],
        of[some],
        codes[database],
        dataset.labels[database],
        classes=len(dataset.class_names),
        nearest=NEAREST,
    )
    confused = np.nanmean(shares, axis=0) if np.isfinite(shares).any() else np.zeros(shares.shape[1])
    confused[unseen] = -1
    seen = [number for number in np.argsort(-confused, kind="stable")[:SEEN] if confused[number] > 0]
    drawn = [*unseen[:UNSEEN], *seen]
    has = members(dataset.labels[database], drawn)
    rows = evenly(has, SAMPLES)
    mapped = code_map(codes[database[rows]], np.array(drawn)[has[rows].argmax(1)], bits)
    return CodePicture(method, mapped, unseen, shares)


def save_code_pictures(path: str | Path, found: CodePictures) -> None:
    """Write `codes.npz` atomically, as plain arrays."""
    arrays: dict[str, Any] = {
        "dataset": np.array(found.dataset),
        "names": np.array(found.names, dtype=np.str_),
    }
    arrays["methods"] = np.array([one.method for one in found.pictures], dtype=np.str_)
    for place, one in enumerate(found.pictures):
        parts = {**one.mapped._asdict(), "unseen": one.unseen, "shares": one.shares}
        arrays |= {f"{name}_{place}": value for name, value in parts.items()}
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    write_whole(Path(path), content.getvalue())


def load_code_pictures(path: str | Path) -> CodePictures:
    """Read what `save_code_pictures` wrote.

    Raises:
        InputError: if the file is of another kind, or its arrays have inconsistent shapes.
    """
    path = Path(path)
    try:
        names, methods, dataset = (read_npz(path, name) for name in ("names", "methods", "dataset"))
        if (names.ndim, methods.ndim, dataset.ndim) != (1, 1, 0):
            raise InputError(f"the names in {path} are not lists of names")
        pictures = tuple(_read(path, str(method), place) for place, method in enumerate(methods))
        if not all(_fits(one, len(names)) for one in pictures):
            raise InputError(f"the arrays of {path} have inconsistent shapes")
    except InputError as error:
        said, _, _ = str(error).partition("; fix:")
        raise InputError(f"{said}; fix: delete it, a report does not need it") from None
    return CodePictures(str(dataset), tuple(map(str, names)), pictures)


def _read(path: Path, method: str, place: int) -> CodePicture:
    parts = {name: read_npz(path, f"{name}_{place}") for name in (*CodeMap._fields, "unseen", "shares")}
    unseen, shares = parts.pop("unseen"), parts.pop("shares")
    return CodePicture(method, CodeMap(**parts), unseen, shares)


def of_one_method(pictures: Sequence[CodePicture]) -> list[list[CodePicture]]:
    """The pictures, those of one method together."""
    found: dict[str, list[CodePicture]] = {}
    for one in pictures:
        found.setdefault(one.method, []).append(one)
    return list(found.values())


def _fits(one: CodePicture, classes: int) -> bool:
    points, kinds, counts, explained = one.mapped
    p, r = kinds.size, one.unseen.size
    arrays = (kinds, counts, one.unseen, points, explained, one.shares)
    if [array.shape for array in arrays] != [(p,), (p,), (r,), (p, 2), (2,), (r, classes)]:
        return False
    if "".join(array.dtype.kind for array in arrays) != "iiifff":
        return False
    numbers = np.concatenate([kinds, one.unseen])
    within = (numbers >= 0).all() and (numbers < classes).all() and (counts > 0).all()
    return bool(within and np.isfinite(points).all())
