"""Retrieval examples: the file that a sweep writes, and its HTML on the report page."""

import base64
import io
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Int, Shaped, UInt8

from zsh_jax.atomic import write_whole
from zsh_jax.data.numpy_files import read_npz
from zsh_jax.errors import InputError

GALLERY = "gallery.npz"
SIDE = 64  # pixels


class Gallery(NamedTuple):
    """What several methods retrieve for the same queries. Each image is stored once; indices are rows of `images`.

    Attributes:
        images: thumbnails, RGB.
        captions: class of each image.
        methods: names of the methods.
        queries: rows of the query images.
        neighbours: rows of the nearest images, nearest first; -1 for none.
        correct: whether each is relevant to its query.
        names: class names that are queries.
        named_neighbours: nearest images of each class name; -1 if the method has no codes of class names.
        named_correct: whether each image is of that class.
    """

    images: UInt8[np.ndarray, "n h w 3"]
    captions: Shaped[np.ndarray, " n"]
    methods: Shaped[np.ndarray, " m"]
    queries: Int[np.ndarray, " q"]
    neighbours: Int[np.ndarray, "m q k"]
    correct: Bool[np.ndarray, "m q k"]
    names: Shaped[np.ndarray, " t"]
    named_neighbours: Int[np.ndarray, "m t k"]
    named_correct: Bool[np.ndarray, "m t k"]


class Retrieved(NamedTuple):
    """What one method retrieves; indices are rows of the data set.

    Attributes:
        method: its name.
        neighbours: nearest images of each query image, nearest first.
        correct: whether each is relevant.
        named_neighbours: nearest images of each class name; None if the method has no codes of class names.
        named_correct: whether each image is of that class.
    """

    method: str
    neighbours: Int[np.ndarray, "q k"]
    correct: Bool[np.ndarray, "q k"]
    named_neighbours: Int[np.ndarray, "t k"] | None = None
    named_correct: Bool[np.ndarray, "t k"] | None = None


def save_gallery(
    path: str | Path,
    *,
    images: Any,
    captions: Sequence[str],
    queries: Int[np.ndarray, " q"],
    retrieved: Sequence[Retrieved],
    names: Sequence[str] = (),
    side: int = SIDE,
) -> None:
    """Write `gallery.npz` atomically, as plain arrays. Only images that are shown are decoded.

    Args:
        path: `<workdir>/gallery.npz`.
        images: images of the data set: an array (n, h, w, 3) of bytes, or `LazyImages`, indexed by rows.
        captions: class or classes of each row of the data set.
        queries: rows of the query images.
        retrieved: one a method, for the same queries and names.
        names: class names that are queries.
        side: largest side of a thumbnail, in pixels.

    Raises:
        ValueError: if methods differ in the number of queries, names or neighbours.
    """
    queries = np.asarray(queries, np.int64)
    nearest = np.stack([one.neighbours for one in retrieved]).astype(np.int64)
    correct = np.stack([one.correct for one in retrieved]).astype(bool)
    blank = np.full((len(names), nearest.shape[2]), -1)
    named = np.stack([blank if one.named_neighbours is None else one.named_neighbours for one in retrieved])
    right = np.stack([blank > 0 if one.named_correct is None else one.named_correct for one in retrieved])
    if nearest.shape[1] != len(queries) or named.shape[1:] != blank.shape:
        raise ValueError(
            f"{len(queries)} queries and {len(names)} names with neighbours {nearest.shape}, {named.shape}"
        )
    rows = np.unique(np.concatenate([queries, nearest.ravel(), named.ravel()]))
    rows = rows[rows >= 0]

    def place(of: Int[np.ndarray, "*s"]) -> Int[np.ndarray, "*s"]:
        return np.where(of < 0, -1, np.searchsorted(rows, of))

    gallery = Gallery(
        images=_thumbnails(np.asarray(images[rows]), side),
        captions=np.array([captions[row] for row in rows], dtype=np.str_),
        methods=np.array([one.method for one in retrieved], dtype=np.str_),
        queries=place(queries),
        neighbours=place(nearest),
        correct=correct,
        names=np.array(names, dtype=np.str_),
        named_neighbours=place(named),
        named_correct=right.astype(bool),
    )
    content = io.BytesIO()
    np.savez_compressed(content, **gallery._asdict())
    write_whole(Path(path), content.getvalue())


def load_gallery(path: str | Path) -> Gallery:
    """Read what `save_gallery` wrote.

    Raises:
        InputError: if the file is not a gallery, or its arrays have inconsistent shapes.
    """
    try:
        gallery = Gallery(**{name: read_npz(Path(path), name) for name in Gallery._fields})
    except InputError as error:
        said, _, _ = str(error).partition("; fix:")
        raise InputError(f"{said}: not a gallery; fix: delete it, a report does not need it") from None
    if not _fits(gallery):
        raise InputError(
            f"the arrays of {path} have inconsistent shapes; fix: delete it, a report does not need it"
        ) from None
    return gallery


def gallery_html(gallery: Gallery) -> str:
    """Self-contained HTML: each query image and class name, with the nearest images of every method.

    Relevant images have a tick and a solid frame, others a cross and a dashed frame. Images are data URLs.
    """
    sources = [_data(image) for image in gallery.images]
    blocks = []
    for i, row in enumerate(gallery.queries):
        caption = str(gallery.captions[row])
        query = f'<img src="{sources[row]}" alt="query: {escape(caption)}">'
        head = f'<div class="query">{query}<div><small>query</small><br>{escape(caption)}</div></div>'
        nearest = zip(gallery.methods, gallery.neighbours[:, i], gallery.correct[:, i], strict=True)
        blocks.append(_block(head, nearest, gallery, sources))
    for i, name in enumerate(gallery.names):
        said = f"<div><small>query by class name</small><br>“{escape(str(name))}”</div>"
        nearest = zip(
            gallery.methods, gallery.named_neighbours[:, i], gallery.named_correct[:, i], strict=True
        )
        blocks.append(_block(f'<div class="query">{said}</div>', nearest, gallery, sources))
    return '<div class="gallery">\n' + "".join(blocks) + "</div>\n"


def _block(head: str, nearest: Iterator[tuple[Any, ...]], gallery: Gallery, sources: Sequence[str]) -> str:
    lines = []
    for method, rows, correct in nearest:
        there = rows >= 0
        if not there.any():
            continue
        thumbnails = "".join(
            _thumbnail(sources[row], str(gallery.captions[row]), bool(right))
            for row, right in zip(rows[there], correct[there], strict=True)
        )
        count = f"{int(correct[there].sum())} of {int(there.sum())}"
        lines.append(
            f'<div class="method"><h4>{escape(str(method))} <small>{count} right</small></h4>'
            f'<div class="row">{thumbnails}</div></div>\n'
        )
    return f'<article>{head}<div class="methods">\n{"".join(lines)}</div></article>\n'


def _thumbnail(source: str, caption: str, right: bool) -> str:
    verdict, sign = ("right", "✓") if right else ("wrong", "✗")
    return (
        f'<span class="hit {verdict}"><img src="{source}" alt="{verdict}: {escape(caption)}" '
        f'title="{escape(caption)}"><b aria-hidden="true">{sign}</b></span>'
    )


def _data(image: UInt8[np.ndarray, "h w 3"]) -> str:
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(image).save(content, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def _thumbnails(images: UInt8[np.ndarray, "n h w 3"], side: int) -> UInt8[np.ndarray, "n a b 3"]:
    from PIL import Image

    height, width = images.shape[1:3]
    scale = side / max(height, width)
    if scale >= 1:
        return images
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.stack([np.asarray(Image.fromarray(image).resize(size)) for image in images])


def _fits(gallery: Gallery) -> bool:
    images, nearest, named = gallery.images, gallery.neighbours, gallery.named_neighbours
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3 or nearest.ndim != 3:
        return False
    n, m, q, t = len(images), len(gallery.methods), len(gallery.queries), len(gallery.names)
    shapes = len(gallery.captions) == n and nearest.shape[:2] == (m, q) == gallery.correct.shape[:2]
    shapes = shapes and nearest.shape == gallery.correct.shape and named.shape == gallery.named_correct.shape
    if not shapes or named.shape[:2] != (m, t):
        return False
    queries = gallery.queries
    rows = np.concatenate([queries, nearest.ravel(), named.ravel()])
    kinds = all(array.dtype.kind == "i" for array in (queries, nearest, named))
    return bool(kinds and (rows < n).all() and (rows >= -1).all() and (queries >= 0).all())
