"""Run a plan: batch after batch of cells, each batch one call of each compiled program."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Shaped

from zsh_jax.core.problem import Hyperparameters
from zsh_jax.data.seen_queries import draw_seen_queries
from zsh_jax.data.semantics import random_orthogonal, semantic_targets, shuffled
from zsh_jax.data.split import Split, split_dataset
from zsh_jax.sweep.axes import BOUNDS, DataSplit
from zsh_jax.sweep.collect import cell_results, hash_functions, identity, nothing_trained
from zsh_jax.sweep.compiled import Compiled
from zsh_jax.sweep.evaluate import Roles, encode_cells, evaluate_cells
from zsh_jax.sweep.evaluate_bounds import evaluate_bounds
from zsh_jax.sweep.inputs import Inputs
from zsh_jax.sweep.memory import EVALUATION_BLOCK
from zsh_jax.sweep.plan import Batch, Plan
from zsh_jax.sweep.prepare import GraphOptions, Prepared, Semantics, prepare
from zsh_jax.sweep.result import CellResult
from zsh_jax.sweep.streams import streams
from zsh_jax.sweep.train import Traced, train
from zsh_jax.sweep.train_baseline import train_baseline


class _Samples(NamedTuple):
    """All samples of the data set, on the device."""

    features: Float[Array, "n_all d"]
    labels: Shaped[Array, "n_all *c"]


class _Loaded(NamedTuple):
    """Data splits of one chunk, stacked on the device."""

    prepared: Prepared
    roles: Roles
    seconds: float  # of preparing one split


def split_of(inputs: Inputs, split: DataSplit) -> Split:
    """The zero-shot split that a cell's axes name.

    Args:
        inputs: of the sweep.
        split: the axes.

    Returns:
        Indices of training samples, queries and database.

    Raises:
        InputError: if the data set cannot be split so.
    """
    return split_dataset(
        inputs.dataset,
        split.unseen,
        training_samples=split.training_samples,
        queries=split.queries,
        seed=split.seed,
        seen_classes=split.seen_classes,
        validation=split.validation,
    )


def vectors_of(inputs: Inputs, split: DataSplit) -> Float32[np.ndarray, "c e"]:
    """The semantic vectors of all classes that a cell's axes name.

    Args:
        inputs: of the sweep.
        split: the axes.

    Returns:
        Rows of unit length, in the order of the classes.
    """
    vectors = inputs.semantics[split.semantics].vectors
    if split.semantics == "random":
        return random_orthogonal(len(vectors), seed=split.seed)
    if split.semantics == "shuffled":
        return shuffled(vectors, seed=split.seed)
    return vectors


def run(
    plan: Plan,
    inputs: Inputs,
    *,
    cutoffs: tuple[int, ...] = (),
    seen_queries: int = 0,
    keeps_model: Callable[[dict[str, Any]], bool] = lambda cell: False,
    is_done: Callable[[dict[str, Any]], bool] = lambda cell: False,
) -> Iterator[list[CellResult]]:
    """Train, encode and evaluate every cell of a plan.

    Args:
        plan: from `make_plan`.
        inputs: from `load_inputs`.
        cutoffs: the N of precision at N.
        seen_queries: how many images of seen classes search the database too; `draw_seen_queries` says which.
        keeps_model: tells of a cell's flat identity whether its result is to carry its hash function and class codes.
        is_done: tells of a cell's flat identity whether its result is at hand already; such cells are left out,
            and a batch of nothing else is not run.

    Yields:
        The results of each batch, as it ends.
    """
    compiled = Compiled()
    samples = _Samples(jnp.asarray(inputs.features), jnp.asarray(inputs.dataset.labels))
    loaded: _Loaded | None = None
    splits: tuple[DataSplit, ...] = ()
    for batch in plan.batches:
        wanted = [not is_done(identity(cell, inputs)) for cell in batch.cells()]
        if not any(wanted):
            continue
        if loaded is None or splits != batch.splits:
            loaded = None  # the last chunk's arrays go before the next one's come
            loaded = _load(batch, inputs, samples, compiled, seen_queries=seen_queries)
            splits = batch.splits
        keeps = [keeps_model(identity(cell, inputs)) for cell in batch.cells()]
        results = _run_batch(
            batch, inputs, loaded, samples, compiled, cutoffs=cutoffs, keep_models=any(keeps)
        )
        yield [
            result if keep else result._replace(model=None, class_codes=None)
            for result, want, keep in zip(results, wanted, keeps, strict=True)
            if want
        ]


def _load(
    batch: Batch, inputs: Inputs, samples: _Samples, compiled: Compiled, *, seen_queries: int
) -> _Loaded:
    prepared, roles, keys, seconds = [], [], [], 0.0
    for split in batch.splits:
        indices = split_of(inputs, split)
        vectors = vectors_of(inputs, split)
        targets = semantic_targets(inputs.dataset.labels[indices.training], vectors)
        taught = inputs.dataset.labels[indices.training]
        hot = taught if taught.ndim == 2 else taught[:, None] == np.arange(len(vectors))
        classes = jnp.asarray(hot, samples.features.dtype) if batch.has_samples else None
        graph = GraphOptions(
            split.graph, split.neighbours, split.edge_weights, split.laplacian == "normalised"
        )
        one, spent = compiled.run(
            prepare,
            samples.features,
            jnp.asarray(indices.training),
            Semantics(jnp.asarray(targets), jnp.asarray(vectors), classes),
            streams(split.seed),
            jnp.asarray(split.bandwidth, samples.features.dtype),
            anchor_count=split.anchors,
            preprocessing=split.preprocessing,
            pca_dimensions=split.pca_dimensions if split.preprocessing == "pca" else 0,
            graph=graph if batch.has_locality else None,
        )
        prepared.append(one)
        seen = draw_seen_queries(inputs.dataset, indices, split.unseen, count=seen_queries, seed=split.seed)
        unseen = np.isin(np.arange(len(vectors)), indices.asked)
        roles.append((indices.queries, indices.database, seen, unseen))
        keys.append(streams(split.seed).resamples)
        seconds += spent
    stacked = (*(jnp.asarray(np.stack(rows)) for rows in zip(*roles, strict=True)), jnp.stack(keys))
    return _Loaded(
        jax.tree.map(lambda *leaves: jnp.stack(leaves), *prepared),
        Roles(*stacked),
        seconds / len(batch.splits),
    )


def _traced(batch: Batch, dtype: jnp.dtype) -> Traced:
    """The weights of a batch; a locality that the program does not have weighs nothing."""
    locality = batch.program.locality
    ratios = [
        (w.alpha, w.beta, w.gamma * (locality == "projection"), w.delta * (locality == "semantics"))
        for w in batch.ratios
    ]
    lams = [(w.lam, w.tolerance, w.learning_rate, w.multiple) for w in batch.lams]
    shared = Hyperparameters(jnp.zeros((), dtype), *jnp.asarray(ratios, dtype).T)
    return Traced(shared, *jnp.asarray(lams, dtype).T)


def _run_batch(
    batch: Batch,
    inputs: Inputs,
    loaded: _Loaded,
    samples: _Samples,
    compiled: Compiled,
    *,
    cutoffs: tuple[int, ...],
    keep_models: bool,
) -> list[CellResult]:
    weights = _traced(batch, samples.features.dtype)
    program = batch.program
    if program.method in BOUNDS:
        trained, train_seconds, encode_seconds = nothing_trained(batch), 0.0, 0.0
        multiples = jnp.tile(weights.multiple, len(batch.ratios))
        scores, evaluate_seconds = compiled.run(
            evaluate_bounds,
            loaded.prepared,
            multiples,
            *samples,
            loaded.roles,
            method=program.method,
            cutoffs=cutoffs,
        )
    else:
        known = {} if program.method == "zsh" else {"one_label": samples.labels.ndim == 1}
        trainer = train if program.method == "zsh" else train_baseline
        trained, train_seconds = compiled.run(trainer, loaded.prepared, weights, program=program, **known)
        # From here on the cells of a split stand in one row: (splits, ratios * lams, ...).
        trained = jax.tree.map(lambda leaf: leaf.reshape(leaf.shape[0], -1, *leaf.shape[3:]), trained)
        codes, encode_seconds = compiled.run(
            encode_cells, loaded.prepared, trained.hash_map, samples.features
        )
        scores, evaluate_seconds = compiled.run(
            evaluate_cells,
            codes,
            trained.class_codes,
            samples.labels,
            loaded.roles,
            bits=program.bits,
            cutoffs=cutoffs,
            block=EVALUATION_BLOCK,
        )
    names = 0 if trained.class_codes is None else trained.class_codes.shape[-2]
    seen_queries = loaded.roles.seen_queries.shape[-1]
    asked = loaded.roles.queries.shape[-1] + seen_queries + names
    encoded = 0 if program.method in BOUNDS else len(samples.features)
    extra = {
        "cutoffs": list(cutoffs),
        "seen_queries": seen_queries,
        "encoded_samples": encoded,
        "evaluated_queries": asked,
        "seconds": train_seconds / len(batch),
        "prepare_seconds": loaded.seconds,
        "encode_seconds": encode_seconds / len(batch),
        "evaluate_seconds": evaluate_seconds / len(batch),
    }
    keep_models = keep_models and program.method not in BOUNDS
    models = hash_functions(loaded.prepared, trained) if keep_models else None
    class_codes = trained.class_codes if keep_models else None
    traces = jax.device_get(trained._replace(hash_map=None, class_codes=class_codes))
    return list(cell_results(batch, inputs, traces, jax.device_get(scores), extra=extra, models=models))
