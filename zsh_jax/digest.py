"""Short digests of arrays and texts, used as ids of inputs and files."""

import hashlib
import json
from collections.abc import Sequence

import numpy as np
from jaxtyping import Shaped

LENGTH = 16  # hexadecimal digits
BLOCK = 1 << 26  # bytes that are hashed at once


def digest(*parts: Shaped[np.ndarray, "..."] | Sequence[str] | str | None) -> str:
    """A short SHA-256 of arrays and texts, the same on every machine.

    Numbers are hashed with their type and shape, in little-endian order, independent of their memory layout; texts by
    their characters, independent of the width of their array.

    Args:
        *parts: arrays of numbers or texts, sequences of texts, a text, or None.

    Returns:
        16 hexadecimal digits.
    """
    hashed = hashlib.sha256()
    for part in parts:
        array = None if part is None or isinstance(part, str) else np.asarray(part)
        if array is None or array.dtype.kind in "USO":
            plain = part if array is None else [_text(one) for one in array.ravel().tolist()]
            text = json.dumps([None if array is None else list(array.shape), plain]).encode()
            hashed.update(b"text %d " % len(text) + text)
            continue
        shape, array = array.shape, np.atleast_1d(array).astype(array.dtype.newbyteorder("<"), copy=False)
        hashed.update(f"{array.dtype.str} {shape} ".encode())
        rows = max(1, BLOCK // max(1, array[:1].nbytes))
        for start in range(0, len(array), rows):
            hashed.update(np.ascontiguousarray(array[start : start + rows]).data)
    return hashed.hexdigest()[:LENGTH]


def _text(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
