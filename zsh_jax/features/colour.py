"""Colour histograms, independent of place and orientation."""

import numpy as np
from jaxtyping import Float32, UInt8

BINS = 8  # of each channel


def colour(images: UInt8[np.ndarray, "n h w 3"]) -> Float32[np.ndarray, "n 512"]:
    """Joint histogram of the three channels, 8 bins each (Swain and Ballard, "Color Indexing", IJCV 7(1), 1991).

    The values are square roots of pixel shares, so rows have unit length and inner products are Bhattacharyya
    coefficients. Linear methods then use Hellinger distances, which give less weight to the few full bins of a plain
    background (Arandjelovic and Zisserman, CVPR 2012).

    Args:
        images: RGB images.

    Returns:
        One row an image; red is the slowest axis, blue the fastest.
    """
    n, height, width = images.shape[:3]
    # 16 million pixels at a time: bin indices take eight bytes a pixel.
    at_once = max(1, 2**24 // max(1, height * width))
    out = np.empty((n, BINS**3), np.float32)
    for start in range(0, n, at_once):
        part = (images[start : start + at_once] // (256 // BINS)).astype(np.int64)
        bins = (part[..., 0] * BINS + part[..., 1]) * BINS + part[..., 2]
        rows = np.arange(len(part))[:, None, None] * BINS**3
        counts = np.bincount((bins + rows).ravel(), minlength=len(part) * BINS**3)
        out[start : start + len(part)] = np.sqrt(counts.reshape(-1, BINS**3) / (height * width))
    return out
