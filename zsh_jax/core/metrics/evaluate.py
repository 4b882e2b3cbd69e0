"""Retrieval metrics of packed codes."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Shaped, UInt8

from zsh_jax.core.metrics.average_precision import (
    best_average_precision,
    expected_precision_at,
    tie_aware_average_precision,
    worst_average_precision,
)
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
        mean_average_precision_at: tie-aware average precision of the first N ranks, for each cut-off N.
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

    def at_each(metric: Callable[..., Float[Array, " q"]]) -> Float[Array, "q cutoffs"]:
        each = [metric(*histograms, cutoff=cutoff, dtype=dtype) for cutoff in cutoffs]
        return jnp.stack(each, axis=1) if each else jnp.zeros((len(ball), 0), dtype)

    return Metrics(
        mean_average_precision=tie_aware_average_precision(*histograms, dtype=dtype),
        mean_average_precision_worst=worst_average_precision(*histograms, dtype=dtype),
        mean_average_precision_best=best_average_precision(*histograms, dtype=dtype),
        precision_radius2=precision[:, radius],
        recall_radius2=recall[:, radius],
        empty_radius2=(ball[:, radius] == 0).astype(dtype),
        mean_average_precision_at=at_each(tie_aware_average_precision),
        precision_at=at_each(expected_precision_at),
        precision_curve=precision,
        recall_curve=recall,
    )


def evaluate(
    query_codes: UInt8[Array, "q bytes"],
    query_labels: Shaped[Array, "q *c"],
    database_codes: UInt8[Array, "n bytes"],
    database_labels: Shaped[Array, "n *c"],
    *,
    bits: int,
    cutoffs: tuple[int, ...] = (),
) -> Metrics:
    """Mean retrieval metrics over queries from distance histograms; ties are handled exactly.

    Args:
        query_codes: packed codes, (q, ceil(bits / 8)).
        query_labels: class indices (q,), or multi-hot (q, c).
        database_codes: packed codes, (n, ceil(bits / 8)), without the queries.
        database_labels: class indices (n,), or multi-hot (n, c). An item is relevant if it shares a label with the
            query.
        bits: code length l; static.
        cutoffs: the N of precision at N; static.

    Returns:
        Means over the queries; the curves have l + 1 points, `precision_at` one for each cut-off. Inside a
        transformation nothing can be raised, and a query with no relevant item makes its metrics NaN.

    Raises:
        ValueError: codes do not hold `bits` bits, labels do not match, there are no queries or no database, or a query
            has no relevant item in the database.

    Example:
        >>> import numpy as np, zsh_jax as zsh
        >>> codes, labels = np.array([[0], [1], [255]], np.uint8), np.array([0, 0, 1])
        >>> found = zsh.evaluate(codes[:1], labels[:1], codes[1:], labels[1:], bits=8)
        >>> float(found.mean_average_precision)
        1.0
    """
    for name, codes, labels in (
        ("query", query_codes, query_labels),
        ("database", database_codes, database_labels),
    ):
        if codes.shape[0] == 0 or codes.shape[0] != labels.shape[0]:
            raise ValueError(f"{codes.shape[0]} {name} codes but {labels.shape[0]} {name} labels")
        if codes.shape[1] != -(-bits // 8):
            raise ValueError(f"{name} codes of {codes.shape[1]} bytes do not hold {bits} bits")
    if query_labels.shape[1:] != database_labels.shape[1:]:
        raise ValueError(
            "query and database labels must both be class indices, or multi-hot over the same classes"
        )
    if any(cutoff < 1 for cutoff in cutoffs):
        raise ValueError(f"cut-offs must be at least 1; got {cutoffs}")
    each = evaluate_queries(
        query_codes, query_labels, database_codes, database_labels, bits=bits, cutoffs=cutoffs
    )
    try:
        lost = np.flatnonzero(np.isnan(np.asarray(each.mean_average_precision)))
    except jax.errors.TracerArrayConversionError:  # inside a transformation there are no values yet
        lost = np.zeros(0, int)
    if lost.size:
        raise ValueError(
            f"{lost.size} of {query_labels.shape[0]} queries have no relevant item in the database "
            f"(first: query {lost[0]}); fix: drop them, or add their classes to the database"
        )
    return jax.tree.map(lambda values: values.mean(0), each)
