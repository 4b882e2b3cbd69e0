"""From the arrays of a batch to one result a cell, on the host."""

from collections.abc import Iterator, Mapping
from typing import Any

import jax
import numpy as np

from zsh_jax.core.hashing import HashFunction
from zsh_jax.core.solver import Status
from zsh_jax.sweep.axes import Cell
from zsh_jax.sweep.evaluate import Scores
from zsh_jax.sweep.inputs import Inputs
from zsh_jax.sweep.plan import Batch
from zsh_jax.sweep.prepare import Prepared
from zsh_jax.sweep.result import CellResult
from zsh_jax.sweep.train import Trained


def identity(cell: Cell, inputs: Inputs) -> dict[str, Any]:
    """A cell's flat identity as results state it: its axes, and the names of what it was trained on.

    Args:
        cell: of the sweep.
        inputs: of the sweep.

    Returns:
        `method`, `variant`, `dataset`, `features`, `semantics` and every axis; JSON scalars.
    """
    axes = cell.axes()
    semantics = inputs.semantics[cell.split.semantics].name
    names = {"dataset": inputs.dataset.name, "features": inputs.features_name, "semantics": semantics}
    first = {"method": axes.pop("method"), "variant": cell.variant}
    return first | names | {key: axes[key] for key in axes if key not in names}


def hash_functions(prepared: Prepared, trained: Trained) -> HashFunction:
    """The hash functions of a batch, on the host.

    Args:
        prepared: data splits, stacked on a leading axis.
        trained: of their cells, (splits, cells, ...).

    Returns:
        Leaves with a leading axis of splits; `projection` with one of cells after it.
    """
    mean, scale, basis, unit = prepared.preprocessing
    leaves = (mean, scale, prepared.anchors, prepared.bandwidth, trained.projection, basis, unit)
    return HashFunction(*jax.device_get(leaves))


def cell_results(
    batch: Batch,
    inputs: Inputs,
    trained: Trained,
    scores: Scores,
    *,
    extra: Mapping[str, Any],
    models: HashFunction | None,
) -> Iterator[CellResult]:
    """The results of a batch, in the order of its cells.

    Args:
        batch: what was run.
        inputs: of the sweep.
        trained: on the host, (splits, cells, ...); its projection is not read.
        scores: on the host, (splits, cells, ...).
        extra: metrics that all cells share.
        models: `hash_functions`, where results are to carry them.

    Yields:
        One result a cell. Where a solve was not finite nothing was learnt, and its metrics are NaN.
    """
    for cell, (s, c) in zip(batch.cells(), np.ndindex(trained.status.shape), strict=True):
        iterations = int(trained.iterations[s, c])
        status = Status(int(trained.status[s, c]))
        history = {name: trace[s, c, :iterations] for name, trace in trained.terms._asdict().items()}
        history = {"objective": history.pop("total")} | history | {"flips": trained.flips[s, c, :iterations]}
        metrics: dict[str, Any] = {}
        named = scores.images._asdict() | {"mean_average_precision_by_name": scores.by_name}
        for name, values in named.items():
            value = values[s, c] if status != Status.NON_FINITE else np.full_like(values[s, c], np.nan)
            metrics[name] = value.tolist()
        metrics["iterations"] = iterations
        metrics["status"] = status.name.lower()
        metrics["objective"] = float(trained.objective[s, c])
        metrics["start_objectives"] = trained.start_objectives[s, c].tolist()
        model = None
        if models is not None:
            shared: HashFunction = jax.tree.map(lambda leaf, split=s: leaf[split], models)
            model = shared._replace(projection=shared.projection[c])
        yield CellResult(identity(cell, inputs), metrics | dict(extra), history, model)
