"""Thumbnails of images, compressed for a page."""

import io
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int, UInt8

from zsh_jax.progress_bar import counting

SIDE = 64  # pixels
QUALITY = 60  # of WebP; of JPEG, which needs more of it


class Thumbnails(NamedTuple):
    """Compressed images.

    Attributes:
        kind: their media type.
        files: one an image.
    """

    kind: str
    files: Sequence[bytes]


def thumbnails(images: Any, rows: Int[np.ndarray, " n"], side: int = SIDE) -> Thumbnails:
    """Shrink and compress images, one at a time.

    Args:
        images: an array (n, h, w, 3) of bytes, or `LazyImages`.
        rows: of the images.
        side: longest side of a thumbnail; smaller images keep their size.

    Returns:
        WebP, or JPEG where this Pillow was built without WebP.

    Raises:
        InputError: an image is damaged.
    """
    from PIL import features

    kind = "webp" if features.check("webp") else "jpeg"
    files = []
    with counting("thumbnails", len(rows), unit="images") as advance:
        for row in rows:
            files.append(_compressed(images[int(row)], side, kind))
            advance(1)
    return Thumbnails(f"image/{kind}", files)


def _compressed(image: UInt8[np.ndarray, "h w 3"], side: int, kind: str) -> bytes:
    from PIL import Image

    small = Image.fromarray(np.asarray(image))
    small.thumbnail((side, side), Image.Resampling.BOX)
    content = io.BytesIO()
    small.save(content, kind, quality=QUALITY + 15 * (kind == "jpeg"))
    return content.getvalue()
