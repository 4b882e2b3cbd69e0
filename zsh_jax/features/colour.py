"""Colour histograms: what a picture shows, whatever its place and turn."""

import numpy as np
from jaxtyping import Float32, UInt8

BINS = 8  # of each channel


def colour(images: UInt8[np.ndarray, "n h w 3"]) -> Float32[np.ndarray, "n 512"]:
    """Joint histogram of the three channels, 8 bins each (Swain and Ballard, "Color Indexing", IJCV 7(1), 1991).

    Square roots of the shares of the pixels, so that rows have unit length and their inner product is the
    Bhattacharyya coefficient of two histograms: linear methods then see Hellinger distances, to which the few
    full bins of a plain background matter less (Arandjelovic and Zisserman, CVPR 2012).

    Args:
        images: RGB pictures.

    Returns:
        One row a picture; red is the slowest and blue the fastest axis.
    """
    n, height, width = images.shape[:3]
    # Sixteen million pixels at a time: numbers of bins take eight bytes a pixel.
    at_once = max(1, 2**24 // max(1, height * width))
    out = np.empty((n, BINS**3), np.float32)
    for start in range(0, n, at_once):
        part = (images[start : start + at_once] // (256 // BINS)).astype(np.int64)
        bins = (part[..., 0] * BINS + part[..., 1]) * BINS + part[..., 2]
        rows = np.arange(len(part))[:, None, None] * BINS**3
        counts = np.bincount((bins + rows).ravel(), minlength=len(part) * BINS**3)
        out[start : start + len(part)] = np.sqrt(counts.reshape(-1, BINS**3) / (height * width))
    return out
