"""The features of a file for a hash function, one row a sample."""

import numpy as np

from zsh_jax.data.blocks import Array, Blocks, fill, transposed
from zsh_jax.data.feature_files.arrays import Arrays
from zsh_jax.data.feature_files.names import texts
from zsh_jax.data.feature_files.parts import FEATURES, IDS, check_matrix
from zsh_jax.errors import InputError


def features_in(arrays: Arrays, values: int, name: str | None = None) -> tuple[str, Blocks]:
    """Find the features of a file; they are not read yet.

    Args:
        arrays: of the file.
        values: of a row, as the hash function needs them.
        name: of the array; None for a usual name.

    Returns:
        Their source, for messages, and the features. A matrix of MATLAB may have its samples in columns.

    Raises:
        InputError: there is no such array, or it has other values a row.
    """
    chosen = name or next((one for one in FEATURES if one in arrays.names), "")
    if chosen not in arrays.names:
        what = f"array {name!r}" if name else "array with a usual name for features"
        raise InputError(
            f"{arrays.path} has no {what}; it has {', '.join(arrays.names) or 'none'}; fix: name one of them"
        )
    blocks, where = arrays.blocks(chosen), f"{arrays.path}, {chosen}"
    check_matrix(blocks, where)
    if arrays.matlab and blocks.shape[1] != values == blocks.shape[0]:
        blocks = transposed(blocks)
    if blocks.shape[1] != values:
        raise InputError(
            f"{where} has {blocks.shape[1]} values a row, but the hash function needs {values}; fix: use the "
            "features that it was trained on"
        )
    return where, blocks


def read_whole(blocks: Blocks) -> Array:
    """The features of `features_in`; memory-mapped where the file allows it."""
    if blocks.held is not None:
        return blocks.held
    out = np.empty(blocks.shape, blocks.dtype)
    for _ in fill(out, blocks):
        pass
    return out


def ids_in(arrays: Arrays) -> Array | None:
    """The identifiers of a file, (n,) strings or whole numbers, if it has any.

    Raises:
        InputError: they are damaged.
    """
    name = next((one for one in IDS if one in arrays.names), None)
    if name is None:
        return None
    ids = arrays.read(name)
    if ids.dtype == object:  # cells
        return np.array(texts(arrays, name))
    if arrays.matlab and ids.dtype.kind == "f" and (ids == np.round(ids)).all():
        ids = ids.astype(np.int64)  # MATLAB's numbers are double
    return ids.ravel() if arrays.matlab else ids
