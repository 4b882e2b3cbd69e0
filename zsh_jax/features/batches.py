"""Run a network on images in batches of one size."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Array, Float32, UInt8


def in_batches(
    run: Callable[[UInt8[np.ndarray, "b h w 3"]], Float32[Array | np.ndarray, "b d"]],
    images: UInt8[np.ndarray, "n h w 3"],
    *,
    batch_size: int,
    length: int,
) -> Float32[np.ndarray, "n d"]:
    """Features of images; the last batch is filled up, so that one program is compiled for each image size.

    Args:
        run: from a batch to its features.
        images: RGB.
        batch_size: b.
        length: d, values of a feature vector.

    Returns:
        One row an image.
    """
    out = np.empty((len(images), length), np.float32)
    for start in range(0, len(images), batch_size):
        part = np.asarray(images[start : start + batch_size])
        filled = np.zeros((batch_size, *part.shape[1:]), np.uint8)
        filled[: len(part)] = part
        out[start : start + len(part)] = np.asarray(run(filled))[: len(part)]
    return out
