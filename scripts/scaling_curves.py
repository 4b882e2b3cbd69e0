"""Measure how time and memory grow with samples, anchors, bits, cells and database, and draw the curves.

    python scripts/scaling_curves.py --figure docs/figures/scaling.png

Each curve changes one size of a sweep's batch and keeps the others. Times are medians of the stages of a cell, without
compilation, on drawn features. Memory is that of the largest stage, as the compiler counts it, beside the formula of
the plan.
Run it on a machine that does nothing else.
"""

import argparse
import json
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.semantics import one_hot
from zsh_jax.inputs.load import Inputs, Semantics
from zsh_jax.sweep import engine
from zsh_jax.sweep.compiled import Compiled
from zsh_jax.sweep.config import defaults
from zsh_jax.sweep.grid import groups
from zsh_jax.sweep.memory import sizes_of
from zsh_jax.sweep.plan import batch_bytes, make_plan

FEATURES, CLASSES, QUERIES = 512, 10, 1000
AT = {"samples": 10_000, "anchors": 1000, "bits": 64, "cells": 4, "database": 60_000}
CURVES = {
    "samples": (2500, 5000, 10_000, 20_000, 40_000),
    "samples, anchor graph": (2500, 5000, 10_000, 20_000, 40_000),
    "anchors": (125, 250, 500, 1000, 2000),
    "bits": (16, 32, 64, 128, 256),
    "cells": (1, 4, 16, 64),
    "database": (60_000, 120_000, 240_000, 480_000),
}
STAGES = {
    "prepare": "prepare_seconds",
    "train": "seconds",
    "encode": "encode_seconds",
    "evaluate": "evaluate_seconds",
}


def inputs(database: int) -> Inputs:
    """Gaussian clusters of ten classes."""
    rng = np.random.default_rng(0)
    labels = (np.arange(database) % CLASSES).astype(np.int32)
    features = rng.standard_normal((database, FEATURES), dtype=np.float32)
    features += rng.standard_normal((CLASSES, FEATURES), dtype=np.float32)[labels]
    ids = np.array([f"{i:08d}" for i in range(database)])
    names = tuple(f"c{i}" for i in range(CLASSES))
    dataset = Dataset("drawn", ids, np.full(database, "train"), labels, names)
    return Inputs(dataset, "drawn", features, {"one-hot": Semantics("one-hot", one_hot(CLASSES))})


def point(curve: str, size: int, repeats: int) -> dict[str, Any]:
    """Stages of one batch at one size."""
    at = AT | {curve.partition(",")[0]: size}
    given = inputs(at["database"])
    axes = defaults().sweep.to_dict() | {
        "unseen": ("c0",),
        "semantics": ("one-hot",),
        "seed": (0,),
        "training_samples": (at["samples"],),
        "queries": (QUERIES,),
        "anchors": (at["anchors"],),
        "bits": (at["bits"],),
        "graph": ("anchors" if "anchor graph" in curve else "knn",),
    }
    axes["zsh"]["lam"] = tuple(np.geomspace(1e-4, 1, at["cells"]).tolist())
    plan = make_plan(groups(axes), sizes_of(given), memory_gib=1e3)
    (batch,) = plan.batches
    compiled = Compiled()
    rows = [next(engine.run(plan, given, cutoffs=(100, 1000), compiled=compiled)) for _ in range(repeats)]
    seconds = {name: statistics.median(row[0].metrics[key] for row in rows) for name, key in STAGES.items()}
    return {
        "curve": curve,
        "size": size,
        "seconds": seconds,
        "passes": float(np.mean([cell.metrics["iterations"] for cell in rows[0]])),
        "compiler_bytes": engine.footprint(batch, given, compiled, cutoffs=(100, 1000)),
        "formula_bytes": batch_bytes(sizes_of(given)["one-hot"], batch),
    }


def points(names: list[str], repeats: int) -> Iterator[dict[str, Any]]:
    """All points of some curves; each is printed as it comes."""
    print(f"| curve | size | {' | '.join(STAGES)} | passes | compiler | formula |")
    print("|" + "---|" * (len(STAGES) + 5))
    for curve in names:
        for size in CURVES[curve]:
            one = point(curve, size, repeats)
            times = " | ".join(f"{one['seconds'][stage]:.3g} s" for stage in STAGES)
            memory = " | ".join(f"{one[key] / 2**20:.0f} MiB" for key in ("compiler_bytes", "formula_bytes"))
            print(f"| {curve} | {size:,} | {times} | {one['passes']:.1f} | {memory} |", flush=True)
            yield one


def draw(found: list[dict[str, Any]], path: Path) -> None:
    """Times above, memory below; one column a curve, both axes logarithmic."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    names = list(dict.fromkeys(one["curve"] for one in found))
    figure, axes = plt.subplots(2, len(names), figsize=(3 * len(names), 5.5), squeeze=False, sharey="row")
    for column, name in enumerate(names):
        own = [one for one in found if one["curve"] == name]
        sizes = [one["size"] for one in own]
        for stage in STAGES:
            axes[0, column].loglog(sizes, [one["seconds"][stage] for one in own], "o-", label=stage)
        for key, label in (("compiler_bytes", "compiler"), ("formula_bytes", "formula")):
            axes[1, column].loglog(sizes, [one[key] / 2**20 for one in own], "o-", label=label)
        for row in axes:  # a tick at each size, instead of crowded powers
            row[column].set_xticks(sizes, [_short(size) for size in sizes])
            row[column].tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
        axes[0, column].set_title(name)
        axes[1, column].set_xlabel(name.split(",")[0])
    axes[0, 0].set_ylabel("seconds a cell")
    axes[1, 0].set_ylabel("MiB of the batch")
    for row in axes:
        row[0].legend(frameon=False, fontsize="small")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def _short(size: int) -> str:
    """A size as a tick: 10k for 10,000."""
    return f"{size / 1000:g}k" if size >= 1000 else f"{size}"


def main() -> None:
    """Print the table; write the figure and the numbers."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=tuple(CURVES), default=list(CURVES))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    found = list(points(args.only, args.repeats))
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n")
    if args.figure:
        draw(found, args.figure)


if __name__ == "__main__":
    main()
