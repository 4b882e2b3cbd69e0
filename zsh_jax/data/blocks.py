"""Matrices in files, read in blocks: memory holds one block beside the result."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Num

Array = np.ndarray[Any, np.dtype[Any]]
Piece = tuple[tuple[slice, slice], Array]
BYTES = 1 << 24  # of a block


class Blocks(NamedTuple):
    """An array in a file, whose values are read later.

    Attributes:
        shape: as the file states it.
        dtype: as the file states it.
        pieces: reads a matrix from its start. Yields the place of a block, rows and columns, and its values; blocks
            are disjoint and cover the matrix. Blocks are of rows, or of columns if the file stores columns.
        held: the array, if it costs no more memory: memory-mapped, or read already.
        by_rows: whether blocks are of rows, in their order.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    pieces: Callable[[], Iterator[Piece]]
    held: Array | None = None
    by_rows: bool = True


def rows_at_once(columns: int, itemsize: int) -> int:
    """Rows of a block of `BYTES`, at least one."""
    return max(1, BYTES // max(1, columns * itemsize))


def blocks_of(array: Array) -> Blocks:
    """Blocks of an array in memory, or of a memory-mapped one.

    Args:
        array: of any shape; blocks of a matrix are views.

    Returns:
        The blocks.
    """

    def pieces() -> Iterator[Piece]:
        step = rows_at_once(array.shape[1], array.dtype.itemsize)
        for start in range(0, len(array), step):
            yield (slice(start, start + step), slice(None)), array[start : start + step]

    return Blocks(array.shape, array.dtype, pieces, array)


def transposed(blocks: Blocks) -> Blocks:
    """The blocks of the transposed matrix."""

    def pieces() -> Iterator[Piece]:
        for (rows, columns), values in blocks.pieces():
            yield (columns, rows), values.T

    held = None if blocks.held is None else blocks.held.T
    return Blocks(blocks.shape[::-1], blocks.dtype, pieces, held, not blocks.by_rows)


def fill(out: Num[np.ndarray, "n d"], blocks: Blocks) -> Iterator[int]:
    """Read a matrix into an array of its shape.

    Args:
        out: filled; values beyond its type become infinite.
        blocks: of the matrix.

    Yields:
        The number of values of each block, once it is in place.
    """
    source = blocks if blocks.held is None else blocks_of(blocks.held)
    for place, values in source.pieces():
        with np.errstate(over="ignore", invalid="ignore"):
            out[place] = values
        yield values.size
