"""A sweep of many programs holds no more at its end than at its beginning."""

import gc
import os
from dataclasses import replace
from pathlib import Path

import jax
import pytest
from test_engine import _inputs, _plan

from zsh_jax.sweep import engine
from zsh_jax.sweep.compiled import MOST_DROPPED, Compiled
from zsh_jax.sweep.halving import within

FEW = {"unseen": ("ant",), "seed": (0,)}
PROGRAMS = 3  # of a group: it trains, encodes and evaluates

COMPILES_ANEW = True  # what is counted here is held by the sweep alone


def _held():
    gc.collect()
    lines = (line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    status = dict(lines)
    return {
        "maps": Path("/proc/self/maps").read_bytes().count(b"\n"),
        "files": len(os.listdir("/proc/self/fd")),
        "threads": int(status["Threads"]),
        "MiB": int(status["VmRSS"].split()[0]) >> 10,
    }


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="memory maps are counted in /proc")
def test_memory_maps_files_and_threads_are_flat_over_groups():
    plan = _plan(_inputs(), **FEW, method=("lsh",), bits=tuple(range(1, 15)))
    assert len(plan.groups) == 14
    held = [_held() for _ in engine.run(plan, _inputs())]
    early, late = held[3:8], held[-5:]
    for what, slack in (("files", 0), ("threads", 0), ("maps", 300)):
        assert max(one[what] for one in late) <= max(one[what] for one in early) + slack, what
    # Once caches are emptied; between, the memory of the compiler, which works in two threads, comes and goes.
    assert min(one["MiB"] for one in late) <= min(one["MiB"] for one in early) + 100
    # A program holds maps indeed, so that six groups would show if they were kept.
    assert held[1]["maps"] - held[0]["maps"] > 100


def test_a_program_is_dropped_after_its_last_batch_and_not_before():
    inputs = _inputs()
    plan = _plan(inputs, **FEW | {"seed": (0, 1)}, bits=(8, 9))
    plan = replace(plan, batches=tuple(within(plan.batches, 100, len, most_splits=1)))
    assert [(batch.splits[0].seed, batch.program.bits) for batch in plan.batches] == [
        (0, 8),
        (0, 9),
        (1, 8),
        (1, 9),
    ]
    compiled = Compiled()
    held = []
    for _ in engine.run(plan, inputs, compiled=compiled):
        held.append(len(compiled))
    # What prepares, what makes RBF features and what makes chance levels; for each length what trains, encodes and
    # evaluates. Those of the second length are compiled while the first runs.
    assert held == [3 + 2 * PROGRAMS, 3 + 2 * PROGRAMS, 3 + PROGRAMS, 0]


def test_of_too_many_programs_the_oldest_are_kept(monkeypatch):
    monkeypatch.setattr("zsh_jax.sweep.compiled.MOST_HELD", 3)
    compiled = Compiled()
    functions = [jax.jit(lambda x, number=number: x + number) for number in range(5)]
    for number, function in enumerate(functions):
        compiled.run(function, jax.numpy.ones(1), use=number)
        compiled.release(range(5))
        assert len(compiled) == min(number + 1, 3)
    monkeypatch.setattr(jax.stages.Lowered, "compile", None)
    for function in functions[:3]:
        compiled.run(function, jax.numpy.ones(1))


def test_caches_are_emptied_once_enough_is_dropped(monkeypatch):
    emptied = []
    monkeypatch.setattr(jax, "clear_caches", lambda: emptied.append(1))
    compiled = Compiled()
    for size in range(MOST_DROPPED):
        compiled.run(jax.jit(lambda x: x + 1), jax.numpy.ones(size + 1), use=size)
        compiled.release({size})
        assert not emptied
        assert len(compiled) == 1
    compiled.release(())
    assert emptied
    assert len(compiled) == 0
