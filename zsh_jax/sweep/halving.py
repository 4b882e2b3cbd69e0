"""Cut batches that do not fit the memory: the same cells, fewer at a time."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import groupby

import jax

from zsh_jax.errors import InputError, ProcessLost
from zsh_jax.sweep.plan import Batch

WEIGHTS = ("shared", "others")
# Messages of XLA that mean out of memory: for arrays; in products on the CPU under a limit; in GPU libraries.
SIGNS = ("RESOURCE_EXHAUSTED", "YNNPACK operation failed", "ALLOC_FAILED", "OUT_OF_MEMORY")


def halves(batch: Batch, axes: Sequence[str] = (*WEIGHTS, "splits")) -> list[Batch]:
    """Cut a batch in two along the first axis with two values: weights before data splits, which are stacked already.

    Args:
        batch: to cut.
        axes: that it may be cut along.

    Returns:
        Two batches with the same cells; the batch alone if it cannot be cut.
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
    """Cut the weights of batches until each batch is small enough, or has one set of weights.

    Args:
        batches: in the order in which they run; batches of one chunk of data splits are adjacent.
        limit: the largest size.
        size: of a batch.
        most_splits: the largest number of stacked data splits; any number if None.

    Returns:
        The same cells; batches of one chunk are still adjacent.
    """

    def by_weights(batch: Batch) -> list[Batch]:
        parts = halves(batch, WEIGHTS)
        if size(batch) <= limit or len(parts) == 1:
            return [batch]
        return [part for half in parts for part in by_weights(half)]

    def by_splits(same: list[Batch]) -> list[Batch]:
        splits = len(same[0].splits)
        if most_splits is None or splits <= most_splits:
            return same
        # The splits of a half are prepared once, for all of its batches.
        pairs = [halves(batch, ("splits",)) for batch in same]
        return [part for half in zip(*pairs, strict=True) for part in by_splits(list(half))]

    chunks = [list(same) for _, same in groupby(batches, key=lambda batch: batch.splits)]
    return [part for same in chunks for batch in by_splits(same) for part in by_weights(batch)]


def smaller(
    queue: list[Batch],
    size: Callable[[Batch], int],
    *,
    is_loaded: bool,
    why: str,
    tell: Callable[[str], None],
) -> list[Batch]:
    """Cut the remaining batches to sizes that may fit the memory.

    Args:
        queue: batches; the first did not fit.
        size: of a batch.
        is_loaded: whether its data splits fitted; if not, the splits are cut.
        why: the reason, for the line.
        tell: takes a line about it.

    Returns:
        The same cells, none in a batch larger than half of the first.

    Raises:
        InputError: if the first batch cannot be cut.
    """
    batch = queue[0]
    parts = halves(batch) if is_loaded else halves(batch, ("splits",))
    program, split = batch.program, batch.splits[0]
    what = f"{program.method}, {program.bits} bits"
    if len(parts) == 1:
        raise InputError(
            f"memory ran out with one cell of {what}, {split.training_samples} training samples and {split.anchors} "
            f"anchors; fix: lower these, or use more memory. Finished cells are saved"
        )
    cells, fewer = len(batch), len(parts[0])
    tell(f"{why} for {cells} cells of {what} at once; the sweep continues with {fewer} at a time")
    most_splits = len(parts[0].splits)
    return within(
        queue, size(parts[0]), size, most_splits=most_splits if most_splits < len(batch.splits) else None
    )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception means out of memory, on the host or on the device."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in SIGNS)


def check_smaller_helps(error: BaseException, *, together: bool) -> None:
    """Raise the error of a batch unless smaller batches may help.

    Args:
        error: of the batch.
        together: whether several processes run it: one cannot cut it alone, since the others wait for it.

    Raises:
        InputError: if memory ran out in one of several processes.
        ProcessLost: if another process has ended.
    """
    if is_out_of_memory(error):
        if not together:
            return
        raise InputError(
            f"memory ran out in process {jax.process_index()}, and one of several cannot cut batches alone; fix: lower "
            "--config.memory_gib in all. Finished cells are saved"
        ) from error
    if together and isinstance(error, jax.errors.JaxRuntimeError):
        said = str(error).partition("\n")[0]
        raise ProcessLost(f"another process of the sweep has ended ({said})") from error
    raise error
