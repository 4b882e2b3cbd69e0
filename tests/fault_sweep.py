"""A tiny sweep on a file of features, run by the launcher in a process of its own, to be disturbed."""

import contextlib
import json
import os
import signal
import time
from pathlib import Path

import numpy as np
from forked import Forked

ROOT = Path(__file__).resolve().parent.parent
SMALL = {
    "sweep.semantics": "('one-hot',)",
    "sweep.unseen": "('class 0','class 1')",
    "sweep.method": "('lsh','itq')",  # which compile in no time, and share what evaluates
    "sweep.bits": "(8,)",
    "sweep.seed": "(0,1)",
    "sweep.training_samples": "(60,)",
    "sweep.anchors": "(10,)",
    "sweep.queries": "(10,)",
    "sweep.neighbours": "(3,)",
    "evaluation.cutoffs": "()",  # their program is the largest of all
    "gallery.queries": "0",
    "report": "False",
    "wandb.mode": "disabled",
}
CELLS = 8  # two sets of unseen classes, two seeds; a batch for each of two methods

# A process that was started in the background of a shell is told to ignore Ctrl-C.
START = """
import os, runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv = ["launch.py", *sys.argv[1:]]
{patch}
runpy.run_path("launch.py", run_name="__main__")
"""


def write_features(folder):
    """240 samples of six classes, 8 features each."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(6), 40)
    features = rng.normal(size=(6, 8))[labels] + 0.5 * rng.normal(size=(240, 8))
    path = Path(folder) / "features.npz"
    np.savez(path, features=features.astype(np.float32), labels=labels)
    return path


def arguments(path, workdir, **changes):
    """What the launcher takes.

    Args:
        path: of `write_features`.
        workdir: its own.
        changes: of settings, with two underscores for a dot.
    """
    settings = SMALL | {key.replace("__", "."): str(value) for key, value in changes.items()}
    settings |= {"dataset.path": path, "workdir": workdir}
    flags = [f"--config.{key}={value}" for key, value in settings.items()]
    return ["--config=experiments/sweep_bits.py:features", *flags]


def start(path, workdir, *, patch="", **changes):
    """Start the sweep.

    Args:
        path: of `write_features`.
        workdir: its own.
        patch: Python that runs before the launcher does.
        changes: as those of `arguments`.
    """
    environment = {key: value for key, value in os.environ.items() if not key.startswith("WANDB_")}
    environment |= {"JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)}
    given = arguments(path, workdir, **changes)
    return Forked(START.format(patch=patch), given, environment=environment, folder=ROOT)


def run(path, workdir, **options):
    """Run the sweep; exit status, standard output and standard error."""
    with ended(start(path, workdir, **options)) as process:
        said, error = process.communicate(timeout=300)
    return process.returncode, said, error


def wait_for(there, process):
    """Wait until something is so, or the process has ended."""
    while not there() and process.poll() is None:
        time.sleep(0.005)


def rows(workdir):
    """Every line of the results, which must be whole and of another cell than the others; by `cell_id`."""
    content = (Path(workdir) / "results.jsonl").read_text()
    assert content.endswith("\n")
    found = [json.loads(line) for line in content.splitlines()]
    by_cell = {row["cell_id"]: row for row in found}
    assert len(by_cell) == len(found), "a cell is there twice"
    return by_cell


def figures(row):
    """What of a row is the same whenever it is run."""
    own = ("seconds", "date", "checksum", "commit")
    return {key: value for key, value in row.items() if not key.endswith(own)}


def assert_as_uninterrupted(workdir, undisturbed):
    """No cell is lost, doubled or changed."""
    one, other = rows(workdir), rows(undisturbed)
    assert {cell: figures(row) for cell, row in one.items()} == {
        cell: figures(row) for cell, row in other.items()
    }


@contextlib.contextmanager
def ended(process):
    """A process that is dead at the end, whatever the test found."""
    with process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
