"""Samples over several devices: functions of the core give what they give on one, and memory falls with the devices."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from zsh_jax.core.sharding import by_share, data_devices, even_rows, first_rows, rows_apart, take_rows

ROOT = Path(__file__).resolve().parent.parent
CORE = """
import jax, jax.numpy as jnp, numpy as np
from zsh_jax import *
from zsh_jax.core.metrics.bit_statistics import bit_statistics
from zsh_jax.core.metrics.evaluate import evaluate_queries
from zsh_jax.core.descent import descend
from zsh_jax.core.laplacian import laplacian_quadratic
from zsh_jax.core.anchor_graph import anchor_graph
from zsh_jax.core.sharding import by_share, first_rows, even_rows, take_rows
from zsh_jax.sweep.mesh import mesh_of

rng = np.random.default_rng(0)
n = 43  # shares of 11, 11, 11 and 10
whole = rng.integers(0, 4, (n, 5)).astype(float)  # many equal distances
whole[20:26] = whole[3]  # copies of one sample, on two devices, more than neighbours
codes = rng.integers(0, 256, (n, 3), np.uint8)
codes[30:] = codes[:13]
hot = rng.random((n, 6)) < 0.3
signs = np.where(rng.random((n, 21)) < 0.5, -1.0, 1.0)
coupling = rng.normal(size=(21, 21))
coupling += coupling.T


def prepared(x):
    fitted = fit_preprocessing(x, kind="pca", dimensions=4)
    z = apply_preprocessing(fitted, x)
    chosen = draw_anchors(jax.random.key(0), z, count=7)
    width = choose_bandwidth(z, chosen)
    return z, chosen, width, rbf_features(z, chosen, width)


def graphs(x):
    _, chosen, width, phi = prepared(x)
    few, many = knn_graph(x, k=4), knn_graph(x, k=17, weights="binary", block=8)  # 17: more than a share
    anchors = anchor_graph(x, chosen[:, :1] + jnp.zeros(5), width, nearest=3, block=8)
    forms = [laplacian_quadratic(phi, g, normalised=w, block=8) for g in (few, many, anchors) for w in (False, True)]
    return few, many, anchors, forms


def metrics(codes, labels, hot):
    items = first_rows(codes, n - 4)  # 39 items
    one, several = labels[: n - 4], hot[: n - 4]
    return [
        evaluate_queries(codes[-4:], labels[-4:], items, one, bits=20, cutoffs=(5,)),
        evaluate_queries(codes[-4:], hot[-4:], items, several, bits=20),
        bit_statistics(items, one, bits=20),
        bit_statistics(items, several, bits=20),
    ]


def rows(x, codes, hot, index):
    table = {"x": x, "codes": codes, "hot": hot}
    sums = by_share(lambda x, scale: scale * (x.T @ x), (x,), (jnp.asarray(2.0),), gives="sums")
    turned = by_share(lambda x: 3 * x.T, (x,), gives="columns")
    each = jax.vmap(lambda row: by_share(lambda x, r: x * r, (x,), (row,)))(x[:3])
    return take_rows(table, index), sums, turned, each, first_rows(even_rows(table), n)


def descent(signs, target, coupling):
    starts = jnp.stack([signs, -signs])
    solve = lambda start: descend(start, target, coupling, max_sweeps=20, samples=4)
    return jax.vmap(solve)(starts)


CASES = {
    "preparation": (prepared, (whole,)),
    "graphs": (graphs, (whole,)),
    "metrics": (metrics, (codes, np.arange(n) % 3, hot)),
    "rows": (rows, (whole, codes, hot, rng.permutation(n)[:30])),
    "descent": (descent, (signs, 3 * rng.normal(size=signs.shape), coupling)),
}
with jax.enable_x64(True):
    mesh = mesh_of(jax.devices()[:4], 4)
    for name, (function, given) in CASES.items():
        alone = jax.jit(function)(*given)
        with jax.set_mesh(mesh):
            program = jax.jit(function).lower(*given).compile()
            apart = program(*given)
        assert "num_partitions=4" in program.as_text(), name
        for a, b in zip(jax.tree.leaves(alone), jax.tree.leaves(apart), strict=True):
            a, b = np.asarray(a), np.asarray(b)
            if a.dtype.kind == "f" and name != "descent":
                np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-10, err_msg=name)
            else:
                np.testing.assert_array_equal(a, b, err_msg=name)
        print(name)
"""
SIZES = {"samples": 50_003, "features": 32, "training": 24_001, "anchors": 95, "bits": 32}
SIZES |= {"queries": 50, "neighbours": 4}
PHI = 24_001 * 96
PATIENCE = "--xla_cpu_collective_call_terminate_timeout_seconds=600"  # virtual devices share the cores


def _run(*command):
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=4 {PATIENCE}".strip()
    path = f"{ROOT}{os.pathsep}{ROOT / 'tests'}"
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "PYTHONPATH": path, "XLA_FLAGS": flags}
    done = subprocess.run(
        [sys.executable, *command],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
def test_functions_of_the_core_give_the_same_over_four_devices():
    assert _run("-c", CORE).split() == ["preparation", "graphs", "metrics", "rows", "descent"]


@pytest.mark.slow
def test_memory_falls_with_the_devices_and_no_device_gathers_phi():
    sizes = [word for name, size in SIZES.items() for word in (f"--{name}", str(size))]
    script = str(ROOT / "scripts" / "memory_over_devices.py")
    one, four = json.loads(_run(script, *sizes, "--devices", "1", "4", "--json").splitlines()[-1]).values()
    assert one["programs"].keys() == {
        "prepare_splits",
        "train",
        "encode_cells",
        "chance_levels",
        "evaluate_cells",
    }
    for name, program in four["programs"].items():
        assert program["gathered"] < PHI / 3, name
        if name not in ("chance_levels", "evaluate_cells"):  # most of it belongs to queries and labels
            assert program["bytes"] < 0.4 * one["programs"][name]["bytes"], name
    assert four["batch"] < 0.4 * one["batch"]
    for found in (one, four):
        assert found["batch"] / 1.5 <= found["formula"] <= found["batch"] * 2.0


def test_without_a_mesh_rows_stay_as_they_are():
    x = jnp.arange(10.0).reshape(5, 2)
    assert data_devices() == 1
    assert rows_apart(x) is x
    np.testing.assert_array_equal(even_rows(x), x)
    assert first_rows(x, 5) is x
    np.testing.assert_array_equal(first_rows(x, 3), x[:3])
    np.testing.assert_array_equal(take_rows(x, jnp.array([4, 0, 4])), x[np.array([4, 0, 4])])
    for gives in ("rows", "columns", "sums"):
        np.testing.assert_array_equal(by_share(lambda x, y: x * y, (x,), (2,), gives=gives), 2 * x)
