"""A thousand cells trained and evaluated by the sweep's engine, in this process."""

import math
import time
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from benchmarks import synthetic
from benchmarks.row import Result, Settings
from benchmarks.rows.training import ALPHAS
from zsh_jax.data.dataset import Dataset
from zsh_jax.inputs.class_vectors import Semantics
from zsh_jax.inputs.load import Inputs
from zsh_jax.sweep.compiled import Compiled
from zsh_jax.sweep.config import defaults
from zsh_jax.sweep.engine import footprint, run
from zsh_jax.sweep.grid import groups
from zsh_jax.sweep.memory import sizes_of
from zsh_jax.sweep.plan import Plan, make_plan
from zsh_jax.sweep.stages import uses_of

CUTOFFS = (100, 1000)
SEEDS, ALPHAS_TRIED = 10, 10  # with each class as the unseen one: 1,000 cells of ten classes
SHARE, MOST = 0.25, 0.7
"""Shares of an accelerator's memory: what a batch may take by formula, which counts less than the compiler does there,
and by the compiler's own count."""
STAGES = {
    "preparing": "prepare_seconds",
    "training": "seconds",
    "encoding": "encode_seconds",
    "evaluating": "evaluate_seconds",
}


def thousand(settings: Settings) -> list[Result]:
    """All cells once, after their programs are compiled and have run."""
    inputs = _inputs(settings)
    memory = _memory_gib()
    plan = _plan(settings, inputs, SHARE * memory)
    compiled = Compiled()
    start = time.perf_counter()
    every: dict[str, Any] = {"cutoffs": CUTOFFS, "compiled": compiled, "memory_gib": MOST * memory}
    list(run(replace(plan, batches=plan.batches[:1]), inputs, **every))
    for batch in {(*uses_of(batch), len(batch)): batch for batch in plan.batches}.values():
        footprint(batch, inputs, compiled, cutoffs=CUTOFFS)
    before = time.perf_counter() - start
    start = time.perf_counter()
    cells = [cell for batch in run(plan, inputs, **every) for cell in batch]
    seconds = time.perf_counter() - start
    rows = [cell.metrics for cell in cells]
    figure = np.mean([row["mean_average_precision"] for row in rows])
    note = f"{len(plan.batches)} batches; compiling and the first batch before it {before:.0f} s"
    name = f"{len(cells)} cells, trained and evaluated"
    sums = {stage: math.fsum(row[column] for row in rows) for stage, column in STAGES.items()}
    splits = {cell.split for cell in plan.cells()}
    sums["preparing"] *= len(splits) / len(cells)  # each split is prepared once
    parts = [Result(f"- {stage}", value) for stage, value in sums.items()]
    return [Result(name, seconds, note=f"{note}; mean mAP {figure:.3f}"), *parts]


def _inputs(settings: Settings) -> Inputs:
    sizes = settings.sizes
    labels = np.random.default_rng(1).integers(0, sizes.classes, sizes.queries + sizes.database)
    names = tuple(f"class {label}" for label in range(sizes.classes))
    ids = np.array([f"{row:06d}" for row in range(len(labels))])
    dataset = Dataset("clusters", ids, np.full(len(ids), "train"), labels.astype(np.int32), names)
    vectors = synthetic.training(sizes).vectors
    return Inputs(
        dataset, "clusters", synthetic.samples(sizes), {"word_vectors": Semantics("drawn", vectors)}
    )


def _plan(settings: Settings, inputs: Inputs, memory_gib: float) -> Plan:
    sizes = settings.sizes
    seeds, alphas = (SEEDS, ALPHAS_TRIED) if settings.is_full else (sizes.seeds, sizes.alphas)
    axes: dict[str, Any] = defaults().sweep.to_dict() | {
        "unseen": inputs.dataset.class_names,
        "semantics": ("word_vectors",),
        "training_samples": (sizes.samples,),
        "queries": (sizes.queries,),
        "anchors": (sizes.anchors,),
        "neighbours": (sizes.neighbours,),
        "bits": (sizes.bits,),
        "seed": tuple(range(seeds)),
    }
    axes["zsh"] |= {"alpha": tuple(np.logspace(*ALPHAS, alphas).tolist())}
    return make_plan(groups(axes), sizes_of(inputs), memory_gib=memory_gib)


def _memory_gib() -> float:
    told = jax.local_devices()[0].memory_stats() or {}
    return told.get("bytes_limit", 8 << 30) / 2**30
