"""Twenty processes each of what once waited for itself, on cores that are busy already: all of them end."""

import contextlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROCESSES = 20
AT_ONCE = 4  # beside the busy loops: the cores are contended for all the more
PATIENCE = 240  # seconds for one process; a deadlock lasts for ever
BUSY = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    sum(range(100_000))"

# Two problems of 60 classes in one batch, and more features than fit a cache: this hung at once, each time.
JOINT = """
import jax, jax.numpy as jnp, numpy as np
import zsh_jax as zsh
from zsh_jax.methods import joint_fixed as joint
from zsh_jax.methods.protocol import TrainingData

n, d, anchors, e, classes = 1000, 499, 300, 25, 60
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
print(all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(fit(keys, data))))
"""
GIST = """
import threading
import numpy as np
from zsh_jax.features.gist import gist

images = np.random.default_rng(0).integers(0, 256, (32, 64, 64, 3), np.uint8)
found = []
threads = [threading.Thread(target=lambda: found.append(gist(images, batch_size=16))) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(np.array_equal(*found))
"""


@contextlib.contextmanager
def _busy_cores():
    loops = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


@pytest.mark.slow
@pytest.mark.optimised
@pytest.mark.parametrize("script", [pytest.param(JOINT, id="joint"), pytest.param(GIST, id="gist")])
def test_twenty_of_twenty_end_beside_busy_loops(script):
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script]

    def run(number):
        try:
            return subprocess.run(
                command, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
            )
        except subprocess.TimeoutExpired:
            return pytest.fail(f"process {number} did not end in {PATIENCE} s")

    with _busy_cores(), ThreadPoolExecutor(AT_ONCE) as pool:
        for done in pool.map(run, range(PROCESSES)):
            assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
