"""Measure the resources of a long sweep: memory, memory maps, open files, threads, processes, by finished groups.

    python scripts/long_run.py --groups 500

A group is a code length and compiles its own programs. The sweep runs as from the command line, with W&B offline.
The script prints a table of twelve lines; no column but the first two may grow.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
METHODS = ("lsh", "semantic_ridge", "zsh")
EXPERIMENT = """
from zsh_jax.sweep.config import for_dataset

LENGTHS, METHODS = {lengths}, {methods}


def get_config():
    config = for_dataset("features")
    config.name = "long_run"
    sizes = dict(unseen=("class 0",), seed=(0,), training_samples=(100,), queries=(20,), anchors=(20,))
    for axis, values in dict(sizes, semantics=("one-hot",)).items():
        config.sweep[axis] = values
    for place, method in enumerate(METHODS):  # no two of them share a code length, so no two share a program
        bits = tuple(range(1 + place * LENGTHS, 1 + (place + 1) * LENGTHS))
        config.variants[method] = dict(method=(method,), bits=bits)
    return config.lock()
"""
COLUMNS = ("groups", "seconds", "RSS MiB", "maps", "files", "threads", "processes")


def main() -> int:
    """Run the sweep in its own process and watch it from outside."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--groups", type=int, default=500)
    parser.add_argument("--wandb", default="offline", choices=("offline", "disabled"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return _watch(Path(folder), options.groups, options.wandb)


def _watch(folder: Path, groups: int, wandb: str) -> int:
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 5
    features = rng.normal(size=(5, 12))[labels] + rng.normal(size=(300, 12))
    np.savez(folder / "features.npz", features=features.astype(np.float32), labels=labels)
    workdir, experiment = folder / "run", folder / "experiment.py"
    experiment.write_text(EXPERIMENT.format(lengths=-(-groups // len(METHODS)), methods=METHODS))
    command = [sys.executable, str(ROOT / "launch.py"), "--config", str(experiment)]
    command += [f"--config.dataset.path={folder / 'features.npz'}", f"--config.workdir={workdir}"]
    command += [f"--config.wandb.mode={wandb}", "--config.gallery.queries=0"]
    start = time.monotonic()
    print("  ".join(f"{column:>9}" for column in COLUMNS), flush=True)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env=os.environ | {"PYTHONPATH": str(ROOT)}
        )
        shown, step = -1, max(1, groups // 12)
        while process.poll() is None:
            time.sleep(0.5)
            ended = _lines(workdir / "results.jsonl")
            if ended // step > shown and ended:
                shown = ended // step
                _show(ended, time.monotonic() - start, process.pid)
    if process.returncode:
        print((folder / "log").read_text()[-2000:], file=sys.stderr)
    return process.returncode


def _show(ended: int, seconds: float, pid: int) -> None:
    proc = Path(f"/proc/{pid}")
    try:
        status = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
        row = (
            ended,
            round(seconds),
            int(status["VmRSS"].split()[0]) >> 10,
            _lines(proc / "maps"),
            len(list((proc / "fd").iterdir())),
            int(status["Threads"]),
            _descendants(pid),
        )
    except (OSError, KeyError):  # the process has just ended
        return
    print("  ".join(f"{value:>9}" for value in row), flush=True)


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def _descendants(pid: int) -> int:
    """Number of child processes, and of theirs."""
    children = [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]
    return len(children) + sum(_descendants(child) for child in children)


if __name__ == "__main__":
    sys.exit(main())
