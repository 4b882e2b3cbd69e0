"""Retrieval metrics of packed codes, query by query: all that the results of a sweep have."""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Shaped, UInt8

from zsh_jax.core.metrics.average_precision import (
    best_average_precision,
    expected_precision_at,
    tie_aware_average_precision,
    worst_average_precision,
)
from zsh_jax.core.metrics.found_average_precision import expected_average_precision_of_found
from zsh_jax.core.metrics.histograms import Histograms, distance_histograms

RADIUS = 2


class Metrics(NamedTuple):
    """Retrieval metrics of each query, or their means over queries. In the second case all but the curves are scalars.

    Attributes:
        mean_average_precision: average precision, the exact mean over all orders of equal distances.
        mean_average_precision_worst: the same if relevant items come last among equal distances, the least possible.
        mean_average_precision_best: the same if relevant items come first among equal distances, the largest possible.
        precision_radius2: share of relevant items within Hamming radius 2; 0 for an empty ball.
        recall_radius2: share of the relevant items that lie within Hamming radius 2.
        empty_radius2: 1 if no item lies within Hamming radius 2; its mean is the share of these queries.
        mean_average_precision_at: tie-aware average precision of the first N ranks, for each cut-off N: the sum of
            precisions at relevant ranks, divided by the number of all relevant items.
        mean_average_precision_at_min: the same, divided by min(N, all relevant items).
        mean_average_precision_at_found: the same, divided by the relevant items among the first N ranks.
        precision_at: precision of the first N ranks, the exact mean over orders of ties, for each cut-off N.
        precision_curve: share of relevant items within each radius 0..l; 0 for an empty ball.
        recall_curve: share of the relevant items that lie within each radius 0..l.
    """

    mean_average_precision: Float[Array, "*q"]
    mean_average_precision_worst: Float[Array, "*q"]
    mean_average_precision_best: Float[Array, "*q"]
    precision_radius2: Float[Array, "*q"]
    recall_radius2: Float[Array, "*q"]
    empty_radius2: Float[Array, "*q"]
    mean_average_precision_at: Float[Array, "*q cutoffs"]
    mean_average_precision_at_min: Float[Array, "*q cutoffs"]
    mean_average_precision_at_found: Float[Array, "*q cutoffs"]
    precision_at: Float[Array, "*q cutoffs"]
    precision_curve: Float[Array, "*q radii"]
    recall_curve: Float[Array, "*q radii"]


@partial(jax.jit, static_argnames=("bits", "cutoffs"))
def evaluate_queries(
    query_codes: UInt8[Array, "q bytes"],
    query_labels: Shaped[Array, "q *c"],
    database_codes: UInt8[Array, "n bytes"],
    database_labels: Shaped[Array, "n *c"],
    *,
    bits: int,
    cutoffs: tuple[int, ...] = (),
) -> Metrics:
    """Metrics of each query; see `evaluate`. A query with no relevant item in the database gets NaN.

    Args:
        query_codes: packed codes, (q, ceil(bits / 8)).
        query_labels: class indices (q,), or multi-hot (q, c).
        database_codes: packed codes, (n, ceil(bits / 8)).
        database_labels: class indices (n,), or multi-hot (n, c).
        bits: code length l; static.
        cutoffs: the N of precision at N; static.

    Returns:
        Metrics whose leaves have a leading axis of q.
    """
    histograms = distance_histograms(query_codes, query_labels, database_codes, database_labels, bits=bits)
    return metrics_of(histograms, cutoffs=cutoffs)


def metrics_of(histograms: Histograms, *, cutoffs: tuple[int, ...] = ()) -> Metrics:
    """All metrics of each query, from its histograms alone.

    Args:
        histograms: of the queries.
        cutoffs: the N of precision at N.

    Returns:
        Metrics whose leaves have a leading axis of q.
    """
    dtype = jnp.result_type(float)
    ball, hits = (jnp.cumsum(counts, -1) for counts in histograms)
    precision = jnp.where(ball > 0, hits.astype(dtype) / jnp.maximum(ball, 1).astype(dtype), 0)
    recall = hits.astype(dtype) / hits[:, -1:].astype(dtype)
    radius = min(RADIUS, ball.shape[1] - 1)

    each = at_each(tie_aware_average_precision, histograms, (math.inf, *cutoffs))
    at = each[:, 1:]
    return Metrics(
        mean_average_precision=each[:, 0],
        mean_average_precision_worst=worst_average_precision(*histograms, dtype=dtype),
        mean_average_precision_best=best_average_precision(*histograms, dtype=dtype),
        precision_radius2=precision[:, radius],
        recall_radius2=recall[:, radius],
        empty_radius2=(ball[:, radius] == 0).astype(dtype),
        mean_average_precision_at=at,
        mean_average_precision_at_min=at * over_least(histograms, cutoffs),
        mean_average_precision_at_found=expected_average_precision_of_found(
            *histograms, cutoffs=cutoffs, dtype=dtype
        ),
        precision_at=at_each(expected_precision_at, histograms, cutoffs),
        precision_curve=precision,
        recall_curve=recall,
    )


def at_each(
    metric: Callable[..., Float[Array, " q"]], histograms: Histograms, cutoffs: tuple[int | float, ...]
) -> Float[Array, "q cutoffs"]:
    """A metric of the first N ranks, for each cut-off N; infinity counts all. One program does for all of them."""
    dtype = jnp.result_type(float)
    if not cutoffs:
        return jnp.zeros((len(histograms.items), 0), dtype)
    at = partial(metric, *histograms, dtype=dtype)
    return jax.vmap(lambda cutoff: at(cutoff=cutoff), out_axes=1)(jnp.array(cutoffs, dtype))


def over_least(histograms: Histograms, cutoffs: tuple[int, ...]) -> Float[Array, "q cutoffs"]:
    """All relevant items over min(N, all relevant items): turns one divisor into the other."""
    dtype = jnp.result_type(float)
    total = histograms.relevant.sum(-1, keepdims=True).astype(dtype)
    return total / jnp.minimum(total, jnp.array(cutoffs, dtype)[None])
