"""Runs of what once waited for itself, on cores that are busy already: all of them end."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 240  # seconds for all; a deadlock lasts for ever

# A process keeps all cores busy while it runs its program, which is compiled by then.
BESIDE_BUSY_LOOPS = """
import os, subprocess, sys

BUSY = "import os\\nparent = os.getppid()\\nwhile os.getppid() == parent:\\n    sum(range(100_000))"

def runs(run):
    cores = range(os.cpu_count() or 1)
    loops = [subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.DEVNULL) for _ in cores]
    ended = [run() for _ in range(int(sys.argv[1]))]
    for loop in loops:
        loop.kill()
        loop.wait()
    print(len(ended), all(ended))
"""
# Two problems of 60 classes in one batch, and more features than fit a cache: this hung at once, each time.
JOINT = """
import jax, jax.numpy as jnp, numpy as np
import zsh_jax as zsh
from zsh_jax.methods import joint_fixed as joint
from zsh_jax.methods.protocol import TrainingData

n, d, anchors, e, classes = 500, 299, 150, 25, 60
rng = np.random.default_rng(0)
labels = rng.integers(0, classes, (2, n))
x = jnp.asarray(rng.normal(size=(2, n, d)), jnp.float32)
phi = jax.vmap(lambda x: zsh.rbf_features(x, x[:anchors], zsh.choose_bandwidth(x, x[:anchors])))(x)
vectors = rng.normal(size=(classes, e))
vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
hot = jnp.asarray(np.eye(classes, dtype=np.float32)[labels])
data = TrainingData(x=x, phi=phi, classes=hot, semantics=jnp.asarray(vectors[labels], jnp.float32))
keys = jax.random.split(jax.random.key(0), 2)
fit = jax.jit(jax.vmap(lambda key, data: joint.fit(key, data, joint.Weights(), joint.Options(), bits=64)))
fit = fit.lower(keys, data).compile()
runs(lambda: all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(fit(keys, data))))
"""
GIST = """
import threading
import numpy as np
from zsh_jax.features.gist import gist

images = np.random.default_rng(0).integers(0, 256, (32, 64, 64, 3), np.uint8)

def run():
    found = []
    threads = [threading.Thread(target=lambda: found.append(gist(images, batch_size=16))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return np.array_equal(*found)

gist(images, batch_size=16)
runs(run)
"""


@pytest.mark.slow
@pytest.mark.optimised
@pytest.mark.parametrize(
    ("script", "runs"), [pytest.param(JOINT, 20, id="joint"), pytest.param(GIST, 20, id="gist")]
)
def test_every_run_ends_beside_busy_loops(script, runs):
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", BESIDE_BUSY_LOOPS + script, str(runs)]
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        pytest.fail(f"{runs} runs did not end in {PATIENCE} s")
    assert (done.returncode, done.stdout) == (0, f"{runs} True\n"), done.stderr
