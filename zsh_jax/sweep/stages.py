"""The stages of a batch: train, then encode and evaluate; of arrays, or of shapes."""

from collections.abc import Callable, Hashable
from typing import Any

import jax.numpy as jnp
import numpy as np

from zsh_jax.core.feature_maps import Identity
from zsh_jax.sweep.chance import chance_levels
from zsh_jax.sweep.evaluate import Scores, encode_cells, evaluate_cells, samples_of_codes
from zsh_jax.sweep.evaluate_searches import evaluate_searches
from zsh_jax.sweep.evaluate_vectors import evaluate_vectors
from zsh_jax.sweep.load import Loaded, Samples, preparing
from zsh_jax.sweep.plan import Batch
from zsh_jax.sweep.searches import Searching
from zsh_jax.sweep.train import Trained, in_one_row, train
from zsh_jax.training.fit import preprocessing_of, rbf_of


def uses_of(batch: Batch) -> tuple[Hashable, ...]:
    """Keys of the programs of a batch: batches that share a key may share the program."""
    split, program, cells = batch.splits[0], batch.program, len(batch)
    shape = (split.shape, batch.reads, len(batch.splits), batch.holds_phi, batch.in_blocks)
    method = program.of
    judged = (method.feature_map, method.has_codes, program.bits, cells)
    return (
        ("in blocks", preparing(batch)) if batch.in_blocks else preparing(batch),
        ("train", shape, program, len(batch.shared), len(batch.others), batch.outer),
        ("judge", shape, *judged),
    )


def _traced(batch: Batch, dtype: jnp.dtype) -> Any:
    """The weights of a batch as arrays; those of the outer axis have one length, the others another."""
    method = batch.program.of

    def column(name: str) -> np.ndarray:  # which every process of a sweep may give to all devices
        rows = batch.shared if name in batch.outer else batch.others
        return np.asarray([getattr(weights, name) for weights in rows], dtype)

    return method.weights(*map(column, method.weights._fields))


def train_cells(batch: Batch, loaded: Loaded, call: Callable[..., Any]) -> Trained:
    """Train a batch.

    Args:
        batch: of the plan.
        loaded: its data splits.
        call: calls a jitted function with the given arguments.

    Returns:
        Trained cells, (splits, cells, ...).
    """
    weights = _traced(batch, loaded.prepared.vectors.dtype)
    _, training, _ = uses_of(batch)
    static = {"program": batch.program, "samples": batch.splits[0].training_samples, "outer": batch.outer}
    return in_one_row(call(train, loaded.prepared, weights, use=training, whole=(1,), **static))


def judge(
    batch: Batch,
    loaded: Loaded,
    samples: Samples,
    trained: Trained,
    call: Callable[..., Any],
    *,
    cutoffs: tuple[int, ...],
    searching: Searching,
) -> Scores:
    """Encode and evaluate a batch.

    Args:
        batch: of the plan.
        loaded: its data splits.
        samples: of the sweep.
        trained: of its cells, (splits, cells, ...).
        call: as in `train_cells`.
        cutoffs: the N of precision at N.
        searching: searches beside Hamming distance.

    Returns:
        Scores, (splits, cells, ...); without the searches that are not defined for the method.
    """
    program, method = batch.program, batch.program.of
    _, _, judging = uses_of(batch)
    before = preprocessing_of(method, loaded.prepared), rbf_of(method, loaded.prepared)
    mapped = {"feature_map": method.feature_map, "use": judging}
    chances = call(chance_levels, samples.labels, loaded.roles, use=judging, whole=(0,), cutoffs=cutoffs)
    if not method.has_codes:
        judged = (*before, trained.head, *samples, loaded.roles, chances)
        bounds: Scores = call(evaluate_vectors, *judged, **mapped, whole=(3, 4), cutoffs=cutoffs)
        return bounds
    phi = None if method.feature_map is Identity else loaded.phi
    encoded = (*before, trained.head, samples.features, phi)
    codes = call(encode_cells, *encoded, **mapped, whole=(3,), lies=samples_of_codes)
    evaluated = (codes, trained.class_codes, samples.labels, loaded.roles, chances)
    static = {"bits": program.bits, "cutoffs": cutoffs}
    scores: Scores = call(evaluate_cells, *evaluated, use=judging, whole=(2,), **static)
    if not searching.names:
        return scores
    trained_on = None if method.quantiser is None else loaded.prepared.data.x
    searched = (*before, trained.head, codes, trained_on)
    static = {"method": method, "bits": program.bits, "searching": searching}
    static["samples"] = batch.splits[0].training_samples
    others: Scores = call(
        evaluate_searches, *searched, *samples, loaded.roles, use=judging, whole=(5, 6), **static
    )
    return {**scores, **others}
