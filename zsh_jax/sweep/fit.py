"""Make a plan fit the memory, as the compiler counts it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from zsh_jax.byte_size import byte_size
from zsh_jax.errors import InputError
from zsh_jax.inputs.load import Inputs
from zsh_jax.sweep.collect import identity
from zsh_jax.sweep.compiled import Compiled
from zsh_jax.sweep.engine import footprint
from zsh_jax.sweep.halving import halves, within
from zsh_jax.sweep.memory import fewer_searches, sizes_of
from zsh_jax.sweep.mesh import devices_of_a_place
from zsh_jax.sweep.plan import Batch, Plan, batch_bytes, can_stream, in_blocks_instead
from zsh_jax.sweep.searches import NO_OTHERS, Searching


def fit_plan(
    plan: Plan,
    inputs: Inputs,
    compiled: Compiled,
    *,
    memory_gib: float,
    cutoffs: tuple[int, ...] = (),
    seen_queries: int = 0,
    searching: Searching = NO_OTHERS,
    is_done: Callable[[dict[str, Any]], bool] = lambda cell: False,
) -> Plan:
    """Compile the programs of the largest batch that will run, and cut batches until it fits the memory.

    Args:
        plan: from `make_plan`, cut by formulas.
        inputs: of the sweep.
        compiled: stores the programs, so that `run` does not compile them again.
        memory_gib: memory limit of a batch, in GiB.
        cutoffs: as in `run`.
        seen_queries: as in `run`.
        searching: as in `run`.
        is_done: as in `run`.

    Returns:
        The same cells, with the memory of the largest batch as the compiler counts it. If all cells are finished, the
        plan is returned unchanged and nothing is compiled.

    Raises:
        InputError: if one cell alone does not fit.
    """
    budget = int(memory_gib * 2**30)
    evaluation: Any = {"cutoffs": cutoffs, "seen_queries": seen_queries, "searching": searching}
    sizes = sizes_of(inputs, devices_of_a_place(compiled.mesh), searching)

    def size(batch: Batch) -> int:
        return batch_bytes(sizes[batch.splits[0].semantics], batch)

    batches = list(plan.batches)
    while True:
        todo = [
            batch for batch in batches if not all(is_done(identity(cell, inputs)) for cell in batch.cells())
        ]
        if not todo:
            return plan
        largest = max(todo, key=size)
        found = compiled.agreed(footprint(largest, inputs, compiled, **evaluation))
        if found <= budget:
            return replace(plan, batches=tuple(batches), peak_bytes=found)
        half = halves(largest)[0]
        if len(largest) == 1 and _can_stream(plan, largest):
            batches = [replace(batch, in_blocks=True) if batch is largest else batch for batch in batches]
            continue
        if len(largest) == 1:
            instead = "" if largest.in_blocks else in_blocks_instead([largest])
            instead += fewer_searches(sizes[largest.splits[0].semantics])
            raise InputError(
                f"one cell of {largest.program.method}, {largest.program.bits} bits needs {byte_size(found)}, more "
                f"than memory_gib = {memory_gib:g}; fix: raise --config.memory_gib, or lower sweep.training_samples or "
                f"sweep.anchors{instead}"
            )
        fewer = len(half.splits) < len(largest.splits)
        limit = min(size(half), size(largest) * budget // found)
        batches = within(batches, limit, size, most_splits=len(half.splits) if fewer else None)


def _can_stream(plan: Plan, batch: Batch) -> bool:
    """Whether the cell of a batch can train in blocks of samples instead."""
    if batch.in_blocks or plan.samples == "memory":
        return False
    return can_stream(batch.program, batch.splits[0], batch.reads)
