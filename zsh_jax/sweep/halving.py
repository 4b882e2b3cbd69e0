"""Smaller batches where memory is short: the same cells, fewer at a time."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from zsh_jax.sweep.plan import Batch

WEIGHTS = ("ratios", "lams")


def halves(batch: Batch, axes: Sequence[str] = (*WEIGHTS, "splits")) -> list[Batch]:
    """A batch in two, along the first axis that has two values: weights before data splits, which are stacked already.

    Args:
        batch: what is cut.
        axes: that it may be cut along.

    Returns:
        Two batches with the cells of the one; the batch alone where it cannot be cut.
    """
    for axis in axes:
        values = getattr(batch, axis)
        middle = -(-len(values) // 2)
        if len(values) > 1:
            return [replace(batch, **{axis: part}) for part in (values[:middle], values[middle:])]
    return [batch]


def within(
    batches: Iterable[Batch], limit: int, size: Callable[[Batch], int], *, most_splits: int | None = None
) -> list[Batch]:
    """Cut batches until each is small enough, or one cell.

    Args:
        batches: in the order in which they run; those of one chunk of data splits follow each other.
        limit: the largest size.
        size: of a batch.
        most_splits: how many data splits may be stacked; any number if not given.

    Returns:
        The same cells; batches of one chunk still follow each other.
    """
    made: list[Batch] = []
    for _, same in groupby(batches, key=lambda batch: batch.splits):
        made += _chunk_within(list(same), limit, size, most_splits)
    return made


def _chunk_within(
    same: list[Batch], limit: int, size: Callable[[Batch], int], most_splits: int | None
) -> list[Batch]:
    def by_weights(batch: Batch) -> list[Batch]:
        parts = halves(batch, WEIGHTS)
        if size(batch) <= limit or len(parts) == 1:
            return [batch]
        return [part for half in parts for part in by_weights(half)]

    splits = len(same[0].splits)
    cut = [part for batch in same for part in by_weights(batch)]
    few = most_splits is None or splits <= most_splits
    if splits == 1 or (few and all(size(part) <= limit for part in cut)):
        return cut
    # The splits of a half are prepared once, for all of its batches.
    pairs = [halves(batch, ("splits",)) for batch in same]
    return [
        part
        for half in zip(*pairs, strict=True)
        for part in _chunk_within(list(half), limit, size, most_splits)
    ]


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that memory ran out, on the host or on the device."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and "RESOURCE_EXHAUSTED" in str(error)
    )
