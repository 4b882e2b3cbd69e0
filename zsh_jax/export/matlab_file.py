"""Write codes, labels and class names as a MATLAB file."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Int, Shaped, UInt8

from zsh_jax.errors import InputError
from zsh_jax.export.checks import check_codes, plain_ids
from zsh_jax.export.new_file import check_new_file, write_new_file

LARGEST = 2**31 - 1  # bytes of an array in a file of version 5


def save_mat(
    path: str | Path,
    codes: UInt8[np.ndarray, "n bytes"],
    *,
    bits: int,
    labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"] | None = None,
    class_names: Sequence[str] | None = None,
    ids: Shaped[np.ndarray, " n"] | None = None,
) -> None:
    """Write codes as `B`, (n, l) int8 of -1 and +1, labels as `L`, and cell arrays `class_names` and `ids`.

    `L` has class numbers from 1, (n, 1), as MATLAB counts, so that `class_names{L(i)}` is the class of sample i; or,
    for several labels, (n, c) zeros and ones. `zsh-jax evaluate` reads the file. Integer ids are a vector.

    Args:
        path: new `.mat` file, version 5, compressed.
        codes: packed, of `codes_of`.
        bits: code length l.
        labels: class indices from 0, (n,), or multi-hot, (n, c).
        class_names: of all classes, in the order of the indices.
        ids: of the samples, strings or integers.

    Raises:
        InputError: arrays do not fit each other or the format; the file exists or cannot be written.
        OSError: if the disk is full or gone; no file is left.
    """
    from scipy.io import savemat

    path = check_new_file(path, ".mat")
    check_codes(codes, bits)
    samples = plain_ids(ids, len(codes))
    names = None if class_names is None else tuple(class_names)
    arrays: dict[str, np.ndarray] = {}
    if labels is not None:
        arrays["L"] = _labels(np.asarray(labels), len(codes), names)
    if names is not None:
        arrays["class_names"] = _cells(names)
    if ids is not None and samples is not None:
        arrays["ids"] = ids[:, None] if ids.dtype.kind in "iu" else _cells(samples)
    if max(len(codes) * bits, *(array.nbytes for array in arrays.values()), 0) > LARGEST:
        raise InputError(
            f"{path}: an array is larger than 2 GiB, the most of a .mat file; fix: write several files"
        )
    arrays["B"] = 2 * np.unpackbits(codes, axis=1, count=bits).astype(np.int8) - 1
    file = io.BytesIO()
    savemat(file, arrays, do_compression=True)
    write_new_file(path, file.getvalue())


def _labels(labels: Shaped[np.ndarray, "..."], number: int, names: Sequence[str] | None) -> np.ndarray:
    """Labels as MATLAB counts them, checked against the codes and the names."""
    several = labels.ndim == 2 and labels.dtype.kind == "b"
    if len(labels) != number or not (several or (labels.ndim == 1 and labels.dtype.kind in "iu")):
        raise InputError(
            f"labels must be class indices ({number},) or booleans ({number}, c), not {labels.dtype} {labels.shape}; "
            "fix: give one label a code"
        )
    classes = labels.shape[1] if several else int(labels.max()) + 1
    if not several and labels.min() < 0:
        raise InputError(f"labels count from 0, not from {labels.min()}; fix: give class indices")
    if names is not None and (len(names) < classes or (several and len(names) > classes)):
        raise InputError(f"there are {len(names)} class names for {classes} classes; fix: name each class")
    return labels.astype(np.uint8) if several else (labels.astype(np.int32) + 1)[:, None]


def _cells(texts: Sequence[Any]) -> Shaped[np.ndarray, "n 1"]:
    """A cell array of one column; an empty text must stay text."""
    cells = np.empty((len(texts), 1), object)
    cells[:, 0] = texts
    return cells
