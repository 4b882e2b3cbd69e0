"""Where memory runs out: smaller batches, the same cells, a line that says so."""

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import jax
import numpy as np
import pytest
from test_engine import CUTOFFS, _inputs, _plan

from zsh_jax.errors import InputError
from zsh_jax.sweep import engine
from zsh_jax.sweep.compiled import Compiled
from zsh_jax.sweep.halving import halves, is_out_of_memory, within
from zsh_jax.sweep.load import prepare_splits
from zsh_jax.sweep.train import train

WEIGHTS = {"lam": (0.01, 1.0), "alpha": (1e-5, 0.1)}
GRID = {"unseen": ("ant", "bee"), "seed": (0,), "bits": (8, 9), "zsh": WEIGHTS}
LINE = "memory ran out for {} cells of zsh, {} bits at once; the sweep continues with {} at a time"


class Limited(Compiled):
    """As a device of which so many cells, and so many data splits, exhaust the memory."""

    def __init__(self, most_cells):
        super().__init__()
        self.most_cells = most_cells
        self.prepared = 0
        self.refused = []

    def run(self, function, *args, **kwargs):
        self.prepared += function is prepare_splits
        if function is train:
            splits, shared, others = len(args[0].start), len(args[1].alpha), len(args[1].lam)
            if splits * shared * others > self.most_cells:
                self.refused.append((splits, shared, others))
                raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 8 bytes.")
        return super().run(function, *args, **kwargs)


def test_cells_of_halved_batches_equal_those_of_whole_ones():
    inputs = _inputs()
    plan = _plan(inputs, **GRID)
    assert [len(batch) for batch in plan.batches] == [8, 8]
    whole = [r for batch in engine.run(plan, inputs, cutoffs=CUTOFFS) for r in batch]
    lines: list[str] = []
    limited = Limited(most_cells=1)
    batches = list(engine.run(plan, inputs, cutoffs=CUTOFFS, compiled=limited, tell=lines.append))
    assert {len(batch) for batch in batches} == {1}
    # Weights first, then data splits; the second length starts at the size that worked.
    assert limited.refused == [(2, 2, 2), (2, 1, 2), (2, 1, 1)]
    assert lines == [LINE.format(8, 8, 4), LINE.format(4, 8, 2), LINE.format(2, 8, 1)]
    assert limited.prepared == 2 + 1 + 1  # for all lengths together
    found = {tuple(r.cell.items()): r for batch in batches for r in batch}
    assert len(found) == len(whole)
    for expected in whole:
        result = found[tuple(expected.cell.items())]
        for name in ("mean_average_precision", "precision_at", "precision_curve", "iterations", "objective"):
            np.testing.assert_allclose(
                result.metrics[name], expected.metrics[name], rtol=1e-4, atol=1e-6, err_msg=name
            )
        np.testing.assert_array_equal(result.history["flips"], expected.history["flips"])


@pytest.mark.parametrize("where", ["training", "preparing", "samples"])
def test_one_cell_that_does_not_fit_is_bad_input(where, monkeypatch):
    inputs = _inputs()
    limited = Limited(most_cells=0)

    def exhausted(*args, **kwargs):
        raise MemoryError("Unable to allocate")

    if where == "preparing":
        monkeypatch.setattr(engine, "load", exhausted)
    elif where == "samples":
        monkeypatch.setattr(engine, "samples_of", exhausted)
    with pytest.raises(InputError, match="memory ran out with one cell of zsh, 8 bits, 100 training") as told:
        list(engine.run(_plan(inputs, **GRID), inputs, compiled=limited))
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 200


def test_what_ended_before_stands_and_other_errors_pass():
    inputs = _inputs()
    plan = _plan(inputs, **GRID | {"zsh": {}, "unseen": ("ant",)})

    class Second(Compiled):
        message = "RESOURCE_EXHAUSTED: x"

        def run(self, function, *args, **kwargs):
            if function is train and kwargs["program"].bits == 9:
                raise jax.errors.JaxRuntimeError(self.message)
            return super().run(function, *args, **kwargs)

    results = engine.run(plan, inputs, compiled=Second())
    assert next(results)[0].cell["bits"] == 8
    with pytest.raises(InputError, match="of zsh, 9 bits"):
        next(results)
    other = Second()
    other.message = "INTERNAL: x"
    results = engine.run(plan, inputs, compiled=other)
    next(results)
    with pytest.raises(jax.errors.JaxRuntimeError, match="INTERNAL"):
        next(results)


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 8, 16, 1000])
@pytest.mark.parametrize("most_splits", [None, 1, 2])
def test_within_a_limit_each_cell_stands_once_and_chunks_follow_each_other(limit, most_splits):
    grid = GRID | {"seed": (0, 1, 2), "zsh": WEIGHTS | {"lam": (0.01, 0.1, 1.0)}}
    batches = _plan(_inputs(), **grid).batches
    made = within(batches, limit, len, most_splits=most_splits)
    cells = [tuple(sorted(cell.axes().items())) for batch in made for cell in batch.cells()]
    assert len(cells) == len(set(cells)) == sum(map(len, batches))
    assert all(len(batch) <= max(limit, len(batch.splits)) for batch in made)
    assert most_splits is None or all(len(batch.splits) <= most_splits for batch in made)
    order = [batch.splits for batch in made]
    assert sum(one != other for one, other in pairwise(order)) + 1 == len(set(order))


def test_halves_keep_weights_that_share_a_factorisation_together():
    (batch, _) = _plan(_inputs(), **GRID).batches
    one, other = halves(batch)
    assert [len(half.shared) for half in (one, other)] == [1, 1]
    assert [len(half.others) for half in (one, other)] == [2, 2]
    cell = halves(halves(halves(one)[0])[0])[0]
    assert len(cell) == 1
    assert halves(cell) == [cell]


def test_what_says_that_memory_ran_out():
    assert is_out_of_memory(MemoryError("Unable to allocate 137. MiB"))
    assert is_out_of_memory(jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory"))
    assert is_out_of_memory(jax.errors.JaxRuntimeError("INTERNAL: YNNPACK operation failed: error"))
    assert not is_out_of_memory(jax.errors.JaxRuntimeError("INVALID_ARGUMENT"))
    assert not is_out_of_memory(ValueError("RESOURCE_EXHAUSTED"))


SHORT = """
import resource, sys
import jax
import numpy as np
from test_engine import _axes
from zsh_jax.data.dataset import Dataset
from zsh_jax.data.semantics import one_hot
from zsh_jax.sweep import engine
from zsh_jax.sweep.compiled import Compiled
from zsh_jax.sweep.grid import groups
from zsh_jax.sweep.halving import halves
from zsh_jax.inputs.load import Inputs, Semantics
from zsh_jax.sweep.memory import sizes_of
from zsh_jax.sweep.plan import make_plan

rng = np.random.default_rng(0)
labels = (np.arange(2800) % 5).astype(np.int32)
features = (2 * rng.normal(size=(5, 7))[labels] + rng.normal(size=(2800, 7))).astype(np.float32)
ids = np.array([f"{i:04d}" for i in range(2800)])
names = ("ant", "bee", "cow", "dog", "elk")
dataset = Dataset("beasts", ids, np.full(2800, "train"), labels, names)
inputs = Inputs(dataset, "made-up", features, {"one-hot": Semantics("one-hot", one_hot(5))})
grid = dict(unseen=("ant",), seed=(0,), training_samples=(2000,), anchors=(20,), bits=(64,))
powers = tuple(2.0 ** -k for k in range(20))
grid["zsh"] = dict(lam=powers, alpha=powers, gamma=(0.0,), max_iterations=(2,))
plan = make_plan(groups(_axes(**grid)), sizes_of(inputs), memory_gib=64.0)
(batch,) = plan.batches
quarter = halves(halves(batch)[0])[0]
assert len(quarter) == 100
compiled = Compiled()
needed = engine.footprint(quarter, inputs, compiled)  # its programs are compiled before memory is short
used = next(int(line.split()[1]) << 10 for line in open("/proc/self/status") if line.startswith("VmSize"))
resource.setrlimit(resource.RLIMIT_AS, (used + needed * 3 // 2 + (100 << 20),) * 2)
cells = sum(len(batch) for batch in engine.run(plan, inputs, compiled=compiled, tell=print))
print("batches planned", len(plan.batches), "cells", cells)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the size of a process is read from /proc")
def test_a_real_limit_is_met_with_smaller_batches():
    tests = Path(__file__).resolve().parent
    path = os.pathsep.join((str(tests.parent), str(tests)))
    done = subprocess.run(
        [sys.executable, "-c", SHORT],
        env=os.environ | {"PYTHONPATH": path, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    *lines, last = done.stdout.splitlines()
    assert last == "batches planned 1 cells 400"
    assert lines
    assert lines[0].startswith(
        "memory ran out for 400 cells of zsh, 64 bits at once; the sweep continues with "
    )
