"""The results as a table, and as JSON."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.launches import root
from benchmarks.row import Result, Settings

HEADS = ("row", "median", "floor", "bound", "x floor", "NumPy 64 / row", "NumPy 32 / row", "rounds", "note")
RATIOS = ("over_floor", "against_float64", "against_float32")


def aligned(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of text; the first and last columns are set left, numbers right."""
    widths = [max(len(row[place]) for row in (heads, *rows)) for place in range(len(heads))]
    last = len(heads) - 1

    def line(cells: Sequence[str]) -> str:
        set_out = (
            cell.ljust(width) if place in (0, last) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return "  ".join(set_out).rstrip()

    return "\n".join([line(heads), "  ".join("-" * width for width in widths), *map(line, rows)])


def table(results: Sequence[Result]) -> str:
    """One line a result."""
    return aligned(HEADS, [_cells(result) for result in results])


def _cells(result: Result) -> tuple[str, ...]:
    return (
        result.name,
        amount(result.value, result.unit),
        amount(result.floor),
        result.bound,
        *(times(getattr(result, ratio)) for ratio in RATIOS),
        str(result.rounds),
        result.note,
    )


def amount(value: float | None, unit: str = "s") -> str:
    """A time or a size with its unit; "" for none."""
    if value is None:
        return ""
    if unit != "s":
        return f"{value:,.0f} {unit}"
    return f"{value:.3g} s" if value >= 1 else f"{1000 * value:.3g} ms"


def times(ratio: float | None) -> str:
    """A ratio; "" for none."""
    return "" if ratio is None else f"{ratio:.3g}"


def circumstances(settings: Settings) -> dict[str, Any]:
    """Where and of what the results are."""
    import jax

    device = jax.devices()[0]
    return {
        "device": f"{device.platform}: {device.device_kind}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "versions": {name: version(name) for name in ("jax", "jaxlib", "numpy")}
        | {"python": platform.python_version()},
        "commit": commit(),
        "sizes": settings.sizes._asdict(),
    }


def _processor() -> str:
    """The processor's own name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.machine(),
    )


def commit() -> str:
    """The commit of the measured package; "" outside a repository."""
    command = ["git", "-C", str(root()), "rev-parse", "--short", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def write(path: Path, results: Sequence[Result], where: dict[str, Any]) -> None:
    """Write results, their ratios and their circumstances as JSON."""
    rows = [result._asdict() | {ratio: getattr(result, ratio) for ratio in RATIOS} for result in results]
    path.write_text(json.dumps({**where, "rows": rows}, indent=1) + "\n")


def read(path: Path) -> list[Result]:
    """The results of a file that `write` wrote."""
    rows = json.loads(path.read_text())["rows"]
    return [Result(**{name: row[name] for name in Result._fields}) for row in rows]
