"""In float64 the figures do not depend on how the processor adds: its vectors, its cores."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

AS_USERS_DO = {"JAX_PLATFORMS": "cpu", "JAX_DISABLE_MOST_OPTIMIZATIONS": "0"}
SWEEP = """
import hashlib, json, os, sys
x64, cores = sys.argv[1] == "x64", int(sys.argv[2])
if cores and hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
import jax
import numpy as np
from test_engine import _inputs, _plan
from zsh_jax import encode_classes
from zsh_jax.sweep import engine
from zsh_jax.sweep.compiled import Compiled

codes = []

class Kept(Compiled):
    def run(self, function, *args, **kwargs):
        result = super().run(function, *args, **kwargs)
        if function is engine.encode_cells:
            codes.append(np.asarray(result[0]))
        return result

with jax.enable_x64(x64):
    plan = _plan(_inputs(), unseen=("ant",), seed=(0, 3), bits=(64,))
    results = [r for b in engine.run(plan, _inputs(), compiled=Kept(), keeps_model=lambda cell: True) for r in b]
    vectors = _inputs().semantics["one-hot"].vectors.astype(float)
    named = [np.asarray(encode_classes(r.model, vectors)) for r in results]
names = ("mean_average_precision", "mean_average_precision_by_name")
print(json.dumps({
    "codes": hashlib.sha256(codes[0].tobytes()).hexdigest(),
    "names": hashlib.sha256(b"".join(one.tobytes() for one in named)).hexdigest(),
    "figures": [float(r.metrics[name]) for r in results for name in names],
}))
"""


def _swept(precision, flags="", cores=0):
    tests = Path(__file__).resolve().parent
    path = os.pathsep.join((str(tests.parent), str(tests)))
    done = subprocess.run(
        [sys.executable, "-c", SWEEP, precision, str(cores)],
        env=os.environ | {"PYTHONPATH": path, "XLA_FLAGS": flags} | AS_USERS_DO,
        capture_output=True,
        text=True,
        timeout=900,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_codes_and_figures_are_the_same_however_sums_are_ordered():
    """On one core, in narrow vectors, and as a compiler likes that may reorder them."""
    here = _swept("x64")
    flags, cores = "--xla_cpu_max_isa=SSE4_2 --xla_cpu_enable_fast_math=true", 1
    there = _swept("x64", flags, cores)
    assert there["codes"] == here["codes"]
    assert there["names"] == here["names"]
    assert there["figures"] == pytest.approx(here["figures"], rel=1e-12)
