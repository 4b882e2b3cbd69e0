"""The whole CIFAR-10 sweep: ten sets of unseen classes, four code lengths, one seed."""

import statistics
import tempfile
from pathlib import Path

from benchmarks.launches import Launch, launch
from benchmarks.row import Result, Settings
from benchmarks.rows.process import rounds


def sweep(settings: Settings) -> list[Result]:
    """Start to end of `launch.py`: with an empty cache folder, then with the same cache and a new workdir."""
    assert settings.cifar is not None
    paths = settings.cifar
    options = [
        f"dataset.data_dir={paths.data_dir.resolve()}",
        f"features.path={paths.features.resolve()}",
        f"semantics.path={paths.vectors.resolve()}",
        "sweep.seed=(0,)",
    ]
    if not settings.is_full:
        options += ["sweep.bits=(16,)", "sweep.unseen=('airplane',)"]
    pairs: list[tuple[Launch, Launch]] = []
    for _ in rounds(settings):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            cold, warm = (
                launch("sweep_bits.py:cifar10", options, workdir=folder / name, cache=folder / "cache")
                for name in ("cold", "warm")
            )
        pairs.append((cold, warm))
    results = []
    for place, name in enumerate(("cold", "warm")):
        ended = [pair[place] for pair in pairs]
        seconds = statistics.median(one.seconds for one in ended)
        first = statistics.median(one.first_cell for one in ended)
        note = f"{ended[0].cells} cells; first cell after {first:.1f} s"
        results.append(Result(f"CIFAR-10 sweep, {name}", seconds, rounds=len(ended), note=note))
    peak = statistics.median(one.peak_mib for pair in pairs for one in pair)
    return [*results, Result("CIFAR-10 sweep, peak memory", peak, "MiB", rounds=2 * len(pairs))]
