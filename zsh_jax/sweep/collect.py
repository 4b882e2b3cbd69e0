"""Split the arrays of a batch into one result a cell, on the host."""

from collections.abc import Iterator, Mapping
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh

from zsh_jax.core.hashing import HashFunction
from zsh_jax.core.loop import Status
from zsh_jax.inputs.fingerprint import PREFIX
from zsh_jax.inputs.load import Inputs
from zsh_jax.methods.protocol import Fitted, Reads, Trace
from zsh_jax.sweep.axes import Cell
from zsh_jax.sweep.evaluate import Scores
from zsh_jax.sweep.mesh import gathered
from zsh_jax.sweep.metrics import METRICS
from zsh_jax.sweep.plan import Batch
from zsh_jax.sweep.result import CellResult
from zsh_jax.sweep.searches import Searching, map_of
from zsh_jax.sweep.train import Trained
from zsh_jax.training.fit import assemble
from zsh_jax.training.prepare import Prepared


def identity(cell: Cell, inputs: Inputs) -> dict[str, Any]:
    """A cell's flat identity in the results: its axes, and the names and fingerprints of its data.

    Args:
        cell: of the sweep.
        inputs: of the sweep.

    Returns:
        `method`, `variant`, `dataset`, `features`, `semantics`, every axis of the cell's method, and the fingerprints
        of the inputs if they were taken; JSON scalars. Inputs that the method does not read are omitted. Other data
        give another identity, even under the same name.
    """
    axes = cell.axes()
    names = {"dataset": inputs.dataset.name, "features": inputs.features_name}
    if "semantics" in axes:
        names["semantics"] = inputs.semantics[cell.split.semantics].name
    first = {"method": axes.pop("method"), "variant": cell.variant}
    content = {} if inputs.fingerprints is None else inputs.fingerprints.of(cell.split, cell.split.semantics)
    if Reads.CLASS_VECTORS not in cell.program.of.reads:
        content = {key: value for key, value in content.items() if key != PREFIX + "semantics"}
    return first | names | {key: axes[key] for key in axes if key not in names} | content


def hash_functions(batch: Batch, prepared: Prepared, trained: Trained, mesh: Mesh | None) -> HashFunction:
    """The hash functions of a batch, on the host.

    Args:
        batch: of the plan.
        prepared: data splits, stacked on a leading axis.
        trained: of the batch's cells, (splits, cells, ...).
        mesh: the devices; None for one.

    Returns:
        Leaves with leading axes (splits,); leaves of heads (splits, cells).
    """
    fitted = Fitted(trained.head, trained.class_head)
    on_host: HashFunction = gathered(assemble(batch.program.of, prepared, fitted), mesh)
    return on_host


def cell_results(
    batch: Batch,
    inputs: Inputs,
    trace: Trace,
    scores: Scores,
    settings: Mapping[str, Any] | None,
    *,
    searching: Searching,
    extra: Mapping[str, Any],
    models: HashFunction | None,
) -> Iterator[CellResult]:
    """The results of a batch, in the order of its cells.

    Args:
        batch: that was run.
        inputs: of the sweep.
        trace: of training, on the host, (splits, cells, ...).
        scores: on the host, (splits, cells, ...).
        settings: that the method chose, on the host, (splits, cells); None for none.
        searching: searches beside Hamming distance; the mAP of one that is not defined for the method is NaN.
        extra: metrics that all cells share.
        models: from `hash_functions`; None if results do not carry them.

    Yields:
        One result a cell. If a solve was not finite, its metrics are NaN.
    """
    others = [map_of(name) for name in searching.names]
    for cell, (s, c) in zip(batch.cells(), np.ndindex(trace.status.shape), strict=True):
        iterations = int(trace.iterations[s, c])
        status = Status(int(trace.status[s, c]))
        history = {name: term[s, c, :iterations] for name, term in trace.terms._asdict().items()}
        history = {"objective": history.pop("total")} | history | {"flips": trace.flips[s, c, :iterations]}
        metrics: dict[str, Any] = {}
        for name in (
            *METRICS,
            *others,
        ):  # in this order: a compiled program returns them in alphabetical order
            found = scores[name][s, c] if name in scores else np.float32(np.nan)
            metrics[name] = (np.full_like(found, np.nan) if status == Status.NON_FINITE else found).tolist()
        metrics["iterations"] = iterations
        metrics["status"] = status.name.lower()
        metrics["objective"] = float(trace.objective[s, c])
        metrics["start_objectives"] = trace.start_objectives[s, c].tolist()
        metrics |= {f"chosen_{name}": values[s, c].item() for name, values in (settings or {}).items()}
        model = None if models is None else _model_of(models, s, c)
        yield CellResult(identity(cell, inputs), metrics | dict(extra), history, model)


def _model_of(models: HashFunction, split: int, cell: int) -> HashFunction:
    shared: HashFunction = jax.tree.map(lambda leaf: leaf[split], models)
    heads = (shared.head, shared.class_head)
    head, class_head = jax.tree.map(lambda leaf: leaf[cell], heads)
    return shared._replace(head=head, class_head=class_head)
