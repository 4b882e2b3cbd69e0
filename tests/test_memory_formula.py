"""The formula that batches are cut by, against the memory that the compiler says its programs take."""

import jax
import numpy as np
import pytest
from test_engine import _inputs, _plan

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.semantics import one_hot
from zsh_jax.errors import InputError
from zsh_jax.inputs.load import Inputs, Semantics
from zsh_jax.methods.table import METHODS
from zsh_jax.sweep import engine
from zsh_jax.sweep.compiled import Compiled
from zsh_jax.sweep.config import defaults
from zsh_jax.sweep.fit import fit_plan
from zsh_jax.sweep.grid import groups
from zsh_jax.sweep.memory import sizes_of
from zsh_jax.sweep.plan import batch_bytes, make_plan
from zsh_jax.sweep.searches import SEARCHES, Searching

BELOW, ABOVE = 1.5, 2.0  # a batch that is cut too small costs little
# Samples, features, training samples, anchors, bits: wide features, and many samples.
SIZES = {"wide": (4000, 800, 1000, 300, 32), "long": (12_000, 64, 3000, 100, 64)}
# One method of each formula and of each kind of head.
KINDS = {(method.floats, method.feature_map): name for name, method in reversed(METHODS.items())}
VARIANTS = {
    **{method: {"method": (method,)} for method in KINDS.values()},
    "restarts": {"zsh": {"restarts": (3,)}},
    "alpha grows": {"zsh": {"alpha_growth": (2.0,)}},
    "weights": {"zsh": {"alpha": (1e-5, 1e-3), "lam": (0.01, 1.0)}, "seed": (0, 1)},
    "blocks": {"graph": ("anchors",)},
    "weights of sdh": {"method": ("sdh",), "sdh": {"nu": (1e-5, 1e-3), "lam": (0.1, 1.0)}, "seed": (0, 1)},
}


@pytest.fixture(scope="module")
def programs():
    """What the methods share is compiled once."""
    return Compiled()


def _sized(samples, features):
    labels = (np.arange(samples) % 10).astype(np.int32)
    ids = np.array([f"{i:06d}" for i in range(samples)])
    names = tuple(f"c{i}" for i in range(10))
    dataset = Dataset("sized", ids, np.full(samples, "train"), labels, names)
    described = np.zeros((samples, features), np.float32)
    return Inputs(dataset, "none", described, {"one-hot": Semantics("one-hot", one_hot(10))})


def _batch(inputs, size, changes):
    _, _, training, anchors, bits = SIZES[size]
    axes = defaults().sweep.to_dict() | {
        "unseen": ("c0",),
        "semantics": ("one-hot",),
        "seed": (0,),
        "training_samples": (training,),
        "anchors": (anchors,),
        "queries": (100,),
        "bits": (bits if METHODS[changes.get("method", ("zsh",))[0]].has_codes else 0,),
    }
    where = {"samples": "blocks" if changes.get("graph") == ("anchors",) else "memory"}
    (batch,) = make_plan(groups(axes | changes), sizes_of(inputs), memory_gib=1e3, **where).batches
    return batch


LONG = ("zsh", "cosine_features", "weights", "blocks")  # one of each way to hold many samples
CASES = [(name, "wide") for name in VARIANTS] + [(name, "long") for name in LONG]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size"), CASES, ids=map("-".join, CASES))
def test_the_formula_is_near_what_the_compiler_says(name, size, programs):
    changes = VARIANTS[name]
    inputs = _sized(*SIZES[size][:2])
    batch = _batch(inputs, size, changes)
    by_formula = batch_bytes(sizes_of(inputs)["one-hot"], batch)
    by_compiler = engine.footprint(batch, inputs, programs, cutoffs=(100, 1000))
    print(f"{size} {batch.program.method}: {by_formula >> 10} and {by_compiler >> 10} KiB")
    assert by_compiler / BELOW <= by_formula <= by_compiler * ABOVE


@pytest.mark.slow
def test_the_formula_counts_what_searches_hold(programs):
    inputs, searching = _sized(*SIZES["wide"][:2]), Searching(tuple(SEARCHES))
    batch = _batch(inputs, "wide", {"method": ("random_rotation",)})
    by_formula = batch_bytes(sizes_of(inputs, searching=searching)["one-hot"], batch)
    by_compiler = engine.footprint(batch, inputs, programs, searching=searching)
    assert by_compiler / BELOW <= by_formula <= by_compiler * ABOVE
    assert by_formula > 2 * batch_bytes(sizes_of(inputs)["one-hot"], batch)


def _by_cells(per_cell, seen):
    """In the place of `footprint`: so many bytes a cell."""

    def footprint(batch, inputs, compiled, **how):
        seen.append(len(batch))
        return per_cell * len(batch)

    return footprint


GRID = {"unseen": ("ant", "bee"), "seed": (0,), "bits": (8, 9)}
GRID["zsh"] = {"lam": (0.01, 1.0), "alpha": (1e-5, 0.1)}


def test_a_plan_is_cut_to_what_the_compiler_says_and_states_it(monkeypatch):
    inputs, seen = _inputs(), []
    plan = _plan(inputs, **GRID)
    monkeypatch.setattr("zsh_jax.sweep.fit.footprint", _by_cells(1 << 20, seen))
    fitted = fit_plan(plan, inputs, Compiled(), memory_gib=3 / 1024)
    assert fitted.peak_bytes == max(map(len, fitted.batches)) << 20 <= 3 << 20
    assert sum(map(len, fitted.batches)) == len(plan) == 16
    assert {cell for b in fitted.batches for cell in b.cells()} == {
        c for b in plan.batches for c in b.cells()
    }
    assert fit_plan(plan, inputs, Compiled(), memory_gib=1.0).batches == plan.batches
    with pytest.raises(InputError, match=r"one cell of zsh, 9 bits needs 1\.00 MiB, more than memory_gib"):
        fit_plan(plan, inputs, Compiled(), memory_gib=1e-4)


def test_a_cell_that_the_compiler_finds_too_large_trains_in_blocks(monkeypatch):
    def footprint(batch, inputs, compiled, **how):
        return (1 << 10) if batch.in_blocks else (1 << 20) * len(batch)

    monkeypatch.setattr("zsh_jax.sweep.fit.footprint", footprint)
    inputs = _inputs()
    grid = GRID | {"graph": ("anchors",), "unseen": ("ant",)}
    fitted = fit_plan(_plan(inputs, **grid), inputs, Compiled(), memory_gib=1e-4)
    assert [(len(batch), batch.in_blocks) for batch in fitted.batches] == [(1, True)] * 8
    assert fitted.peak_bytes == 1 << 10


def test_where_nothing_is_left_to_run_nothing_is_compiled():
    inputs, compiled = _inputs(), Compiled()
    plan = _plan(inputs, **GRID)
    how = {"memory_gib": 1.0, "is_done": lambda cell: True}
    assert fit_plan(plan, inputs, compiled, **how) is plan
    assert not list(engine.run(plan, inputs, compiled=compiled, **how))
    assert len(compiled) == 0


def test_what_was_compiled_for_the_plan_is_not_compiled_again(monkeypatch):
    inputs, compiled = _inputs(), Compiled()
    plan = fit_plan(_plan(inputs, **GRID | {"bits": (8,)}), inputs, compiled, memory_gib=1.0)
    assert len(compiled) == 5
    monkeypatch.setattr(jax.stages.Lowered, "compile", None)
    results = [r for batch in engine.run(plan, inputs, compiled=compiled, memory_gib=1.0) for r in batch]
    assert len(results) == 8


def test_a_later_batch_that_the_compiler_finds_too_large_is_cut_as_it_comes(monkeypatch):
    inputs, lines, seen = _inputs(), [], []
    plan = _plan(inputs, **GRID | {"method": ("lsh",)})
    monkeypatch.setattr(engine, "footprint", _by_cells(1 << 20, seen))
    batches = list(engine.run(plan, inputs, memory_gib=1 / 1024, tell=lines.append))
    assert [len(batch) for batch in batches] == [1, 1, 1, 1]
    assert lines == [
        "2.00 MiB needed for 2 cells of lsh, 8 bits at once; the sweep continues with 1 at a time"
    ]
