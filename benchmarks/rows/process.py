"""Compile time, peak memory, and the time from start to the first cell; each in processes of their own."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.launches import launch
from benchmarks.row import Result, Settings

UNCACHED = {"JAX_ENABLE_COMPILATION_CACHE": "false"}


def rounds(settings: Settings) -> Iterator[int]:
    """Count rounds while there is time."""
    start = time.perf_counter()
    for turn in range(settings.budget.rounds):
        if turn and time.perf_counter() - start > settings.budget.seconds:
            return
        yield turn


def stages(settings: Settings) -> list[Result]:
    """Compile time of each stage: its first call without its second; and the peak memory of one cell."""
    size = "full" if settings.is_full else "small"
    found = [_stages(size) for _ in rounds(settings)]
    results = []
    for stage in found[0]["seconds"]:
        pairs = [one["seconds"][stage] for one in found]
        value = statistics.median(first - second for first, second in pairs)
        results.append(Result(f"compile: {stage}", value, rounds=len(found)))
    total = sum(result.value for result in results)
    results.append(Result("compile: all four", total, rounds=len(found)))
    for name, where in (("peak_mib", "one cell"), ("device_peak_mib", "one cell, on the device")):
        peak = statistics.median(one[name] for one in found)
        if peak:
            results.append(Result(f"peak memory: {where}", peak, "MiB", rounds=len(found)))
    return results


def _stages(size: str) -> dict:
    command = [sys.executable, "-m", "benchmarks.stages", size]
    ended = subprocess.run(command, env=os.environ | UNCACHED, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(ended.stdout.splitlines()[-1])


def start(settings: Settings) -> list[Result]:
    """From the start of `launch.py` to the first cell on disk, on drawn shapes: the first start, and the next ones."""
    options = ["sweep.bits=(16,)", "sweep.seed=(0,)", "report=False"]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        options.append(f"dataset.data_dir={folder / 'data'}")
        first = launch("sweep_bits.py", options, workdir=folder / "first", cache=folder / "cache")
        seconds = [
            launch(
                "sweep_bits.py", options, workdir=folder / f"next-{turn}", cache=folder / "cache"
            ).first_cell
            for turn in rounds(settings)
        ]
    note = "draws the images, extracts their features and compiles"
    return [
        Result("first start to the first cell", first.first_cell, note=note),
        Result("next start to the first cell", statistics.median(seconds), rounds=len(seconds)),
    ]
