"""How many data splits a batch holds: a share of the memory, and rows of the devices."""

import pytest
from test_grid import SIZES, _axes

from zsh_jax.sweep.grid import groups
from zsh_jax.sweep.memory import split_bytes
from zsh_jax.sweep.plan import STACK_SHARE, make_plan


@pytest.mark.parametrize(("memory_gib", "most"), [(0.15, 1), (1.0, 10), (8.0, 40)])
def test_splits_are_stacked_within_a_share_of_the_memory(memory_gib, most):
    """Cells and one split may take all of it: many splits at once gain time only where they are small."""
    plan = make_plan(groups(_axes(seed=tuple(range(40)))), SIZES, memory_gib=memory_gib)
    for batch in plan.batches:
        split, size = batch.splits[0], SIZES[batch.splits[0].semantics]
        each = split_bytes(size, split, batch.reads, holds_phi=batch.holds_phi)
        assert len(batch.splits) == 1 or len(batch.splits) * each <= memory_gib * 2**30 * STACK_SHARE
    assert max(len(batch.splits) for batch in plan.batches) == most


@pytest.mark.parametrize("devices", [1, 2, 4, 8, 40])
def test_splits_come_in_rows_of_the_devices(devices):
    """A device without a split would do the work of another once more."""
    every = groups(_axes(seed=tuple(range(40))))
    plan = make_plan(every, SIZES, memory_gib=0.3, places=devices)
    chunks = {batch.splits for batch in plan.batches}
    assert sum(map(len, chunks)) == 40
    assert all(len(chunk) % devices == 0 for chunk in chunks)
    most = max(len(batch.splits) for batch in make_plan(every, SIZES, memory_gib=0.3).batches)
    assert most > 1
    assert max(map(len, chunks)) >= min(40, devices * most)
    assert plan.peak_bytes <= 0.3 * 2**30
