"""From the arrays of a batch to one result a cell, on the host."""

from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Shaped

from zsh_jax.baselines.families import AnyHashFunction, learnt_fields, with_preprocessing
from zsh_jax.core.objective import Objective
from zsh_jax.core.solver import Status
from zsh_jax.sweep.axes import Cell
from zsh_jax.sweep.evaluate import Scores
from zsh_jax.sweep.inputs import Inputs
from zsh_jax.sweep.plan import Batch
from zsh_jax.sweep.prepare import Prepared
from zsh_jax.sweep.result import CellResult
from zsh_jax.sweep.train import Trained


def identity(cell: Cell, inputs: Inputs) -> dict[str, Any]:
    """A cell's flat identity as results state it: its axes, and what it was trained on, by name and by content.

    Args:
        cell: of the sweep.
        inputs: of the sweep.

    Returns:
        `method`, `variant`, `dataset`, `features`, `semantics`, every axis, and the fingerprints of the inputs where
        they were taken; JSON scalars. Names are for people: cells of other data have another identity whatever its
        name.
    """
    axes = cell.axes()
    semantics = inputs.semantics[cell.split.semantics].name
    names = {"dataset": inputs.dataset.name, "features": inputs.features_name, "semantics": semantics}
    first = {"method": axes.pop("method"), "variant": cell.variant}
    content = {} if inputs.fingerprints is None else inputs.fingerprints.of(cell.split)
    return first | names | {key: axes[key] for key in axes if key not in names} | content


def hash_functions(prepared: Prepared, trained: Trained) -> AnyHashFunction:
    """The hash functions of a batch, on the host.

    Args:
        prepared: data splits, stacked on a leading axis.
        trained: of their cells, (splits, cells, ...).

    Returns:
        Leaves with a leading axis of splits; those of the map with one of cells after it.
    """
    assert trained.hash_map is not None
    functions = with_preprocessing(
        trained.hash_map, prepared.preprocessing, prepared.anchors, prepared.bandwidth
    )
    return type(functions)(*jax.device_get(functions))


def nothing_trained(batch: Batch) -> Trained:
    """What a bound, which learns no codes, has to report of training.

    Args:
        batch: of the bound.

    Returns:
        Traces of no iteration, (splits, cells, ...).
    """
    shape = (len(batch.splits), len(batch) // len(batch.splits))
    none = jnp.full((*shape, 1), jnp.nan)
    return Trained(
        hash_map=None,
        class_codes=None,
        objective=none[..., 0],
        start_objectives=none,
        terms=Objective(*[none] * len(Objective._fields)),
        flips=jnp.full((*shape, 1), -1),
        iterations=jnp.zeros(shape, jnp.int32),
        status=jnp.full(shape, int(Status.CONVERGED)),
    )


def cell_results(
    batch: Batch,
    inputs: Inputs,
    trained: Trained,
    scores: Scores,
    *,
    extra: Mapping[str, Any],
    models: AnyHashFunction | None,
) -> Iterator[CellResult]:
    """The results of a batch, in the order of its cells.

    Args:
        batch: what was run.
        inputs: of the sweep.
        trained: on the host, (splits, cells, ...); its hash functions are not read, its class codes if they are there.
        scores: on the host, (splits, cells, ...).
        extra: metrics that all cells share.
        models: `hash_functions`, where results are to carry them.

    Yields:
        One result a cell. Where a solve was not finite nothing was learnt, and its metrics are NaN.
    """
    named = _named(scores)
    for cell, (s, c) in zip(batch.cells(), np.ndindex(trained.status.shape), strict=True):
        iterations = int(trained.iterations[s, c])
        status = Status(int(trained.status[s, c]))
        history = {name: trace[s, c, :iterations] for name, trace in trained.terms._asdict().items()}
        history = {"objective": history.pop("total")} | history | {"flips": trained.flips[s, c, :iterations]}
        metrics: dict[str, Any] = {}
        for name, values in named.items():
            value = values[s, c] if status != Status.NON_FINITE else np.full_like(values[s, c], np.nan)
            metrics[name] = value.tolist()
        metrics["iterations"] = iterations
        metrics["status"] = status.name.lower()
        metrics["objective"] = float(trained.objective[s, c])
        metrics["start_objectives"] = trained.start_objectives[s, c].tolist()
        model = class_codes = None
        if models is not None:
            shared = jax.tree.map(lambda leaf, split=s: leaf[split], models)
            in_cell = {name: getattr(shared, name)[c] for name in learnt_fields(shared)}
            model = shared._replace(**in_cell)
            class_codes = None if trained.class_codes is None else np.asarray(trained.class_codes[s, c])
        yield CellResult(identity(cell, inputs), metrics | dict(extra), history, model, class_codes)


def _named(scores: Scores) -> dict[str, Shaped[np.ndarray, "s cells *curve"]]:
    """Each metric under the name that results state it by."""
    unseen, seen, chance = scores.images.mean_average_precision, scores.seen, scores.chance
    return scores.images._asdict() | {
        "mean_average_precision_by_name": scores.by_name,
        "mean_average_precision_seen": seen,
        "mean_average_precision_harmonic": _harmonic(unseen, seen),
        "mean_average_precision_low": scores.low,
        "mean_average_precision_high": scores.high,
        "chance": chance.images,
        "chance_at": chance.at,
        "chance_by_name": chance.by_name,
        "chance_seen": chance.seen,
        "chance_harmonic": _harmonic(chance.images, chance.seen),
        **scores.bits._asdict(),
    }


def _harmonic(one: Shaped[Array, "s cells"], other: Shaped[Array, "s cells"]) -> Shaped[Array, "s cells"]:
    return 2 * one * other / (one + other)
