"""Programs that are compiled in a second thread while a batch runs."""

import threading
import time
from contextlib import contextmanager

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_engine import _inputs, _plan

from zsh_jax.commands import saving
from zsh_jax.sweep import engine
from zsh_jax.sweep.ahead import ahead
from zsh_jax.sweep.compiled import Compiled

METHODS = {"method": ("zsh", "lsh"), "bits": (8, 9), "zsh": {"lam": (0.01, 1.0)}}


@contextmanager
def _nothing_ahead(work):
    yield


def _rows(plan, inputs, compiled):
    results = [r for batch in engine.run(plan, inputs, compiled=compiled) for r in batch]
    times = {"seconds", "prepare_seconds", "encode_seconds", "evaluate_seconds"}
    metrics = [{key: r.metrics[key] for key in r.metrics.keys() - times} for r in results]
    return [(result.cell, result.history, found) for result, found in zip(results, metrics, strict=True)]


def test_the_next_programs_are_compiled_meanwhile_once_each_and_change_nothing(monkeypatch, float64):
    threads, compile_ = [], jax.stages.Lowered.compile

    def noted(lowered):
        threads.append(threading.current_thread().name)
        return compile_(lowered)

    monkeypatch.setattr(jax.stages.Lowered, "compile", noted)
    inputs = _inputs()
    plan = _plan(inputs, **METHODS)
    assert len(plan.batches) == 4
    compiled = Compiled()
    monkeypatch.setattr(compiled, "release", lambda needed: None)
    found = _rows(plan, inputs, compiled)
    assert len(threads) == len(compiled)
    assert {"MainThread", "compile ahead"} == set(threads)
    # All but those of the first batch; what fails there is compiled again in the main thread.
    assert threads.count("MainThread") < threads.count("compile ahead")
    monkeypatch.setattr(engine, "ahead", _nothing_ahead)
    jax.tree.map(np.testing.assert_array_equal, found, _rows(plan, inputs, Compiled()))


def test_two_threads_that_want_one_program_compile_it_once(monkeypatch):
    compile_, times = jax.stages.Lowered.compile, []

    def slow(lowered):
        times.append(1)
        time.sleep(0.2)
        return compile_(lowered)

    monkeypatch.setattr(jax.stages.Lowered, "compile", slow)
    compiled, double = Compiled(), jax.jit(lambda x: 2 * x)
    with ahead(lambda: compiled.shapes(double, jnp.ones(3))):
        np.testing.assert_array_equal(compiled.run(double, jnp.ones(3))[0], [2, 2, 2])
    assert len(times) == 1


def test_the_work_has_the_precision_of_its_caller_and_is_waited_for():
    for x64 in (False, True):
        found = []
        with (
            jax.enable_x64(x64),
            ahead(lambda found=found: (time.sleep(0.1), found.append(jnp.ones(1).dtype))),
        ):
            pass
        assert found == [jnp.float64 if x64 else jnp.float32]


def test_work_that_fails_fails_where_it_is_needed_alone():
    with ahead(lambda: 1 / 0):
        pass
    with pytest.raises(KeyError, match="mine"), ahead(lambda: 1 / 0):
        raise KeyError("mine")


def test_wandb_writes_a_batch_while_the_next_one_runs(monkeypatch):
    next_runs, logged = threading.Event(), []

    def log(settings, batch):
        logged.append((batch, next_runs.wait(30)))
        return settings + 1

    def batches():
        yield ["first"]
        next_runs.set()
        yield ["second"]

    for name in ("_save_models", "append_history", "_forget"):
        monkeypatch.setattr(saving, name, lambda *args: None)
    monkeypatch.setattr(saving, "append_results", lambda results, batch, made_by: results + batch)
    monkeypatch.setattr(saving, "log_cells", log)
    nothing = {"made_by": {}, "check": lambda: None, "advance": lambda batch: None}
    assert saving.save_batches("", batches(), [], 0, **nothing) == (["first", "second"], 2)
    assert logged == [(["first"], True), (["second"], True)]


def test_a_failure_of_the_disk_in_wandb_ends_the_sweep(monkeypatch):
    def log(settings, batch):
        raise OSError("full")

    for name in ("_save_models", "append_history", "_forget"):
        monkeypatch.setattr(saving, name, lambda *args: None)
    monkeypatch.setattr(saving, "append_results", lambda results, batch, made_by: results)
    monkeypatch.setattr(saving, "log_cells", log)
    nothing = {"made_by": {}, "check": lambda: None, "advance": lambda batch: None}
    with pytest.raises(OSError, match="full"):
        saving.save_batches("", iter([["only"]]), [], 0, **nothing)
