"""Read columns of Parquet and Arrow files: numbers, strings, and lists of numbers of one length."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from zsh_jax.data.blocks import Array, Blocks, Piece, rows_at_once
from zsh_jax.data.reading import reading
from zsh_jax.data.tables import damaged, open_table
from zsh_jax.errors import InputError

ROWS = 1 << 16  # values of a plain column read at a time
TAKEN = "numbers, strings, or lists of numbers"


def parquet_names(path: Path) -> tuple[str, ...]:
    """Names of the columns of a file.

    Raises:
        InputError: the file is damaged, or pyarrow is not installed.
    """
    return open_table(path).names


def read_parquet(path: Path, name: str) -> Array:
    """Read a column whole, for labels and identifiers.

    Args:
        path: the file.
        name: an entry of `parquet_names`.

    Returns:
        (n,) numbers or strings; (n, c) for a column of lists.

    Raises:
        InputError: the file is damaged, the column is of another type, or has missing values or lists of several
            lengths.
    """
    parts = [values for _, values in _batches(path, name, ROWS)]
    return np.concatenate(parts) if parts else np.empty(0)


def parquet_blocks(path: Path, name: str) -> Blocks:
    """A column of lists as a matrix, read in blocks of rows; only metadata and one row are read now.

    Args:
        path: the file.
        name: an entry of `parquet_names`.

    Returns:
        The blocks; of one dimension if the column is not of lists.

    Raises:
        InputError: as for `read_parquet`; from `pieces` too, if values are damaged.
    """
    rows = sum(open_table(path).groups)
    first = next((values for _, values in _batches(path, name, 1)), np.empty(0))
    shape = (rows, *first.shape[1:])
    step = rows_at_once(int(np.prod(shape[1:])), first.dtype.itemsize)

    def pieces() -> Iterator[Piece]:
        read = 0
        for start, values in _batches(path, name, step, width=shape[1]):
            read = start + len(values)
            if read > rows:
                break
            yield (slice(start, read), slice(None)), values
        if read != rows:
            raise InputError(
                f"{path} {damaged(path)}: it states {rows} rows and has others; fix: make it again"
            )

    return Blocks(shape, first.dtype, pieces)


def _batches(path: Path, name: str, rows: int, *, width: int | None = None) -> Iterator[tuple[int, Array]]:
    """Start and values of each block of a column; memory holds one block, and pages of one row group."""
    table = open_table(path)
    with reading(path, damaged(path)):
        if table.names.count(name) > 1:
            raise InputError(f"{path} has several columns {name!r}; fix: rename them")
        start = 0
        for column in table.batches(name, rows):
            values = _values(column, f"{path}, column {name}", start, width)
            width = values.shape[1] if values.ndim == 2 else None
            yield start, values
            start += len(values)


def _values(column: Any, where: str, start: int, width: int | None) -> Array:
    """The values of a block as an array; `start` is the number of its first row."""
    import pyarrow as pa
    from pyarrow import types

    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    _check_whole(column, where, start)
    if types.is_string(kind) or types.is_large_string(kind):
        return np.array(column.to_pylist(), np.str_)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _lists(column, where, start, width)
    return _plain(column, where)


def _lists(column: Any, where: str, start: int, width: int | None) -> Array:
    lengths = column.value_lengths().to_numpy(zero_copy_only=False)
    length = int(lengths[0]) if width is None else width
    other = np.flatnonzero(lengths != length)
    if other.size:
        raise InputError(
            f"{where}: row {start + other[0]} has {lengths[other[0]]} values, rows before it have {length}; fix: save "
            "lists of one length"
        )
    values = column.flatten()
    _check_whole(values, where, start, length)
    return _plain(values, where, "lists of ").reshape(len(column), length)


def _plain(values: Any, where: str, what: str = "") -> Array:
    from pyarrow import types

    kind = values.type
    if not (types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)):
        raise InputError(f"{where} holds {what}{kind}; fix: save {TAKEN}")
    array: Array = values.to_numpy(zero_copy_only=False)
    return array


def _check_whole(values: Any, where: str, start: int, length: int = 1) -> None:
    """Refuse missing values; `length` is their number in a row."""
    if values.null_count:
        first = np.flatnonzero(values.is_null().to_numpy(zero_copy_only=False))[0]
        raise InputError(
            f"{where}: row {start + first // max(length, 1)} has no value; fix: drop it, or fill it in"
        )
