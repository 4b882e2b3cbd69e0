"""Run `launch.py` of the package that is imported, in a process of its own, and watch it."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

POLL = 0.02  # seconds
KEPT_ELSEWHERE = ("JAX_COMPILATION_CACHE_DIR",)  # caches of whoever runs the benchmarks


class Launch(NamedTuple):
    """A sweep that has ended.

    Attributes:
        seconds: from start to end.
        first_cell: seconds until the first cell was on disk.
        cells: on disk at the end.
        peak_mib: peak resident memory of the process.
    """

    seconds: float
    first_cell: float
    cells: int
    peak_mib: float


def root() -> Path:
    """The folder that holds the imported package, `launch.py` and `experiments/`."""
    found = find_spec("zsh_jax")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("zsh_jax is not importable; fix: run in its repository")
    return Path(found.origin).parent.parent


def missing() -> str:
    """What the launcher needs and this environment lacks; "" for nothing."""
    libraries = ("ml_collections", "absl", "tensorflow_datasets", "matplotlib", "wandb", "rich", "scipy")
    lacking = [name for name in libraries if find_spec(name) is None]
    if not (root() / "launch.py").exists():
        lacking.append("launch.py")
    return f"needs {', '.join(lacking)}" if lacking else ""


def launch(experiment: str, options: Sequence[str], *, workdir: Path, cache: Path) -> Launch:
    """Run a sweep to its end.

    Args:
        experiment: file name in `experiments/`, with the data set after a colon.
        options: of the configuration, such as "sweep.bits=(16,)".
        workdir: of the results; must not exist.
        cache: the user's cache folder for this sweep; a folder that exists makes a warm start.

    Returns:
        What was measured.

    Raises:
        RuntimeError: the sweep failed.
    """
    folder = root()
    command = [
        sys.executable,
        str(folder / "launch.py"),
        "--config",
        str(folder / "experiments" / experiment),
    ]
    command += [f"--config.{option}" for option in (*options, f"workdir={workdir}")]
    environment = {name: value for name, value in os.environ.items() if name not in KEPT_ELSEWHERE}
    environment |= {"XDG_CACHE_HOME": str(cache)}
    results, said = workdir / "results.jsonl", workdir.with_suffix(".log")
    first_cell, peak = 0.0, 0.0
    with said.open("w") as log:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=workdir.parent, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            while process.poll() is None:
                if not first_cell and results.exists() and b"\n" in results.read_bytes():
                    first_cell = time.perf_counter() - start
                peak = max(peak, peak_mib(process.pid))
                time.sleep(POLL)
        finally:
            process.terminate()
            process.wait()
        seconds = time.perf_counter() - start
    if process.returncode:
        last = said.read_text().strip().splitlines()[-1:]
        raise RuntimeError(f"{experiment} ended with status {process.returncode}: {''.join(last)}")
    cells = results.read_bytes().count(b"\n")
    return Launch(seconds, first_cell or seconds, cells, peak)


def peak_mib(process: int | str) -> float:
    """Peak resident memory of a process so far, in MiB; 0 where the system does not report it.

    `getrusage` would count the memory of the parent at the time of the fork too.
    """
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0.0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(found[0]) / 1024 if found else 0.0
