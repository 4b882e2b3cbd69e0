"""Data splits and samples spread over several devices: each cell is what it is on one."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import pytest
from bad_input import make_data, put, refusal, tiny_config

from zsh_jax.sweep.mesh import padded, places, sweep_mesh

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = """
import gc, jax, numpy as np
from test_engine import _axes, _inputs
from zsh_jax import encode
from zsh_jax.methods.table import METHODS
from zsh_jax.sweep import engine
from zsh_jax.sweep.compiled import Compiled
from zsh_jax.sweep.grid import groups
from zsh_jax.sweep.memory import sizes_of
from zsh_jax.sweep.mesh import sweep_mesh
from zsh_jax.sweep.plan import make_plan
from zsh_jax.sweep.searches import SEARCHES, Searching

gc.set_threshold(50_000, 50, 100)  # as in conftest.py
FEW = {"zsh": {"max_iterations": (4,)}, "zsh_coupled": {"max_iterations": (4,)}}
FEW |= {"zsh_relaxed": {"max_iterations": (4,), "gradient_steps": (3,)}, "ksh": {"max_iterations": (30,)}}
FEW |= {name: {"epochs": (2,)} for name in METHODS if hasattr(METHODS[name].options(), "epochs")}
inputs, few = _inputs(), np.arange(1, 300)  # 299 samples, of which 99 train: no multiple of a number of devices
labels, ids = inputs.dataset.labels[few], inputs.dataset.ids[few]
dataset = inputs.dataset._replace(labels=labels, ids=ids, source_splits=inputs.dataset.source_splits[few])
inputs = inputs._replace(features=inputs.features[few], dataset=dataset)


def results(places, data, axes, cutoffs):
    mesh = sweep_mesh(places, data)
    axes = _axes(**{"training_samples": (99,)} | axes)
    plan = make_plan(groups(axes), sizes_of(inputs, data), memory_gib=1.0, places=places)
    keep = {"keeps_model": lambda cell: True, "seen_queries": 3, "cutoffs": cutoffs}
    if axes["method"] == ("random_rotation",):  # it has all searches
        keep["searching"] = Searching(tuple(SEARCHES), 30)
    compiled = Compiled(mesh)
    found = [r for batch in engine.run(plan, inputs, compiled=compiled, memory_gib=1.0, **keep) for r in batch]
    return {repr(sorted(result.cell.items(), key=str)): result for result in found}


def compare(axes, places, data=1, cutoffs=()):
    one = results(1, 1, axes, cutoffs)
    several = results(places, data, axes, cutoffs)
    assert one.keys() == several.keys(), axes
    for cell in one:
        a, b = one[cell], several[cell]
        jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-12), a.history, b.history)
        for name in (name for name in a.metrics if not name.endswith("seconds")):
            if isinstance(a.metrics[name], str):
                assert a.metrics[name] == b.metrics[name]
                continue
            np.testing.assert_allclose(a.metrics[name], b.metrics[name], rtol=1e-9, atol=1e-12, err_msg=name)
        if a.model is not None:
            np.testing.assert_array_equal(encode(a.model, inputs.features), encode(b.model, inputs.features))
    print("same", len(one), "cells", axes, places, data, flush=True)


with jax.enable_x64(True):
    assert len(jax.devices()) == 8
    several = {"unseen": ("ant",), "seed": (0, 1, 2)} | FEW
    searched = ("random_rotation",)
    coded = tuple(name for name in METHODS if METHODS[name].has_codes and name not in searched)
    bounds = tuple(name for name in METHODS if not METHODS[name].has_codes)
    # In one sweep, they share what prepares, encodes and evaluates.
    compare({"method": coded, "bits": (7,)} | several, 2, 4)  # as many bits as features
    compare({"method": searched, "bits": (7,)} | several, 2, 4)
    compare({"method": bounds, "bits": (0,)} | several, 2, 4)
    weights = {"zsh": {"lam": (0.01, 1.0), "alpha": (1e-5, 0.1, 1.0), "max_iterations": (4,)}}
    ways = {"seed": (0, 1), "unseen": ("ant",), "edge_weights": ("binary",), "neighbours": (4, 7), "bits": (8,)}
    compare(ways | weights, 3)  # four splits
    # Figures within a cut-off come from counts of all devices too.
    compare({"method": ("lsh",), "bits": (7,)} | several, 2, 4, cutoffs=(5, 20))
"""
PATIENCE = "--xla_cpu_collective_call_terminate_timeout_seconds=600"  # virtual devices share the cores


def _run(script):
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=8 {PATIENCE}".strip()
    path = f"{ROOT}{os.pathsep}{ROOT / 'tests'}"
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "PYTHONPATH": path, "XLA_FLAGS": flags}
    command = [sys.executable, "-c", script]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=1800)


@pytest.mark.slow
def test_every_method_gives_the_same_on_eight_devices():
    from zsh_jax.methods.table import METHODS

    done = _run(SCRIPT)
    assert done.returncode == 0, done.stderr[-3000:]
    cells = [int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("same")]
    # Three seeds of every method, of one alone, of two bounds; six weights on four splits; three seeds.
    assert cells == [3 * (len(METHODS) - 3), 3, 6, 24, 3]


def test_one_device_needs_no_mesh():
    if len(jax.local_devices()) == 1:
        assert sweep_mesh(None) is None
    assert sweep_mesh(1) is None
    assert places(None) == 1
    assert padded(["a", "b"], None) == ["a", "b"]


def test_more_devices_than_there_are_are_refused(launch, tmp_path, capsys):
    make_data(tmp_path)
    config = put(tiny_config(tmp_path), {"mesh.sweep": 1000})
    there = len(jax.local_devices())
    assert refusal(launch, tmp_path, capsys, config).startswith(
        f"mesh.sweep: there are {there} devices (cpu), not 1000"
    )
    config = put(tiny_config(tmp_path), {"mesh.data": 1000})
    assert refusal(launch, tmp_path, capsys, config).startswith(
        f"mesh.data: there are {there} devices (cpu), not 1000"
    )
    config = put(tiny_config(tmp_path), {"mesh.sweep": 1000, "mesh.data": there})
    assert f"devices (cpu), not 1000 x {there};" in refusal(launch, tmp_path, capsys, config) or there == 1
