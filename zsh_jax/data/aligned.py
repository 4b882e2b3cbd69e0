"""Arrays that JAX on the CPU reads where they are, instead of copying them."""

import numpy as np
from jaxtyping import Float32

ALIGNMENT = 64  # bytes: what XLA's CPU programs ask of their arguments


def empty_aligned(rows: int, columns: int) -> Float32[np.ndarray, "rows columns"]:
    """An uninitialised array that starts at a multiple of 64 bytes, as a memory-mapped `.npy` does.

    Args:
        rows: one a sample.
        columns: one a feature.

    Returns:
        The array.
    """
    size = rows * columns * np.dtype(np.float32).itemsize
    held = np.empty(size + ALIGNMENT, np.uint8)
    start = -held.ctypes.data % ALIGNMENT
    return held[start : start + size].view(np.float32).reshape(rows, columns)
