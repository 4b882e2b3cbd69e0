"""Average precision when many items share a distance: its mean over all their orders, its least and its largest.

Notation, for the items at one distance: n items, r of them relevant, N0 and R0 items and relevant ones at smaller
distances. D and S are `harmonic_difference` and `rank_shares`. If k relevant items follow each other after N ranks and
R0 relevant items, their precisions (R0 + j) / (N + j), j = 1..k, have the sum R0 D(N, k) + S(N, k).
"""

from typing import NamedTuple, TypeAlias

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from zsh_jax.core.metrics.harmonic import harmonic_difference, rank_shares

Ranks: TypeAlias = int | Float[Array, ""]
"""How many of the first ranks count; as an array, infinity counts all."""


class Ties(NamedTuple):
    """The histograms of a query as floats: n, r, N0 and R0 of each distance."""

    items: Float[Array, "*q radii"]
    relevant: Float[Array, "*q radii"]
    items_before: Float[Array, "*q radii"]
    relevant_before: Float[Array, "*q radii"]


def tie_aware_average_precision(
    items: Int[Array, "*q radii"],
    relevant: Int[Array, "*q radii"],
    *,
    cutoff: Ranks | None = None,
    dtype: jnp.dtype | type = jnp.float32,
) -> Float[Array, "*q"]:
    """Average precision, the exact mean over all orders of items at equal distance.

    McSherry & Najork, "Computing information retrieval performance measures efficiently in the presence of tied
    scores", ECIR 2008. With m = (r - 1) / (n - 1), the i-th rank of a tie is relevant with probability r / n and then
    has R0 + 1 + m (i - 1) relevant items up to itself, so that the tie adds

        (r / n) [ (R0 + 1 - m) D(N0, t) + m S(N0, t) ] / all relevant

    over its first t ranks: t = n, or fewer with a cut-off.

    Args:
        items: number of database items at each distance 0..l, (..., l + 1).
        relevant: number of relevant ones among them, (..., l + 1).
        cutoff: ranks that count; None counts all. The divisor is always the number of all relevant items.
        dtype: of the result.

    Returns:
        One value a query, in [0, 1]; NaN if nothing is relevant.
    """
    ties = ties_of(items, relevant, dtype)
    gain = relevant_spread(ties, _inside(cutoff, ties.items_before, ties.items))
    return gain.sum(-1) / ties.relevant.sum(-1)


def worst_average_precision(
    items: Int[Array, "*q radii"],
    relevant: Int[Array, "*q radii"],
    *,
    cutoff: Ranks | None = None,
    of_found: bool = False,
    dtype: jnp.dtype | type = jnp.float32,
) -> Float[Array, "*q"]:
    """Average precision if, among items at equal distance, relevant items come last: the least over all their orders.

    A stable sort has this order if relevant items are stored last. The evaluation that Yang et al. 2016 released stores
    images of the unseen classes last, sorts stably, and averages the precisions at the relevant items among the first
    10,000 ranks over the number of these items: for one unseen class, `cutoff=10_000, of_found=True`.

    Args:
        items: number of database items at each distance 0..l, (..., l + 1).
        relevant: number of relevant ones among them, (..., l + 1).
        cutoff: ranks that count; None counts all.
        of_found: whether the divisor is the number of relevant items among the ranks that count, instead of all. The
            value is then not the least over the orders.
        dtype: of the result.

    Returns:
        One value a query, in [0, 1]; NaN if nothing is relevant; 0 if nothing relevant is found.
    """
    ties = ties_of(items, relevant, dtype)
    return _of_runs(ties, ties.items_before + ties.items - ties.relevant, cutoff, of_found=of_found)


def best_average_precision(
    items: Int[Array, "*q radii"],
    relevant: Int[Array, "*q radii"],
    *,
    cutoff: Ranks | None = None,
    of_found: bool = False,
    dtype: jnp.dtype | type = jnp.float32,
) -> Float[Array, "*q"]:
    """Average precision if, among items at equal distance, relevant items come first: the largest over all orders.

    Args:
        items: number of database items at each distance 0..l, (..., l + 1).
        relevant: number of relevant ones among them, (..., l + 1).
        cutoff: ranks that count; None counts all.
        of_found: as in `worst_average_precision`.
        dtype: of the result.

    Returns:
        One value a query, in [0, 1]; NaN if nothing is relevant; 0 if nothing relevant is found.
    """
    ties = ties_of(items, relevant, dtype)
    return _of_runs(ties, ties.items_before, cutoff, of_found=of_found)


def expected_precision_at(
    items: Int[Array, "*q radii"],
    relevant: Int[Array, "*q radii"],
    *,
    cutoff: Ranks,
    dtype: jnp.dtype | type = jnp.float32,
) -> Float[Array, "*q"]:
    """Precision of the first `cutoff` items, the exact mean over all orders of items at equal distance.

    Args:
        items: number of database items at each distance, (..., l + 1).
        relevant: number of relevant ones among them, (..., l + 1).
        cutoff: N of "precision at N"; a smaller database counts as padded with irrelevant items.
        dtype: of the result.

    Returns:
        One value a query, in [0, 1].
    """
    n, r, items_before, _ = ties_of(items, relevant, dtype)
    places = _inside(cutoff, items_before, n)
    return (r * places / jnp.maximum(n, 1)).sum(-1) / cutoff


def relevant_spread(ties: Ties, places: Float[Array, "*q radii"]) -> Float[Array, "*q radii"]:
    """Sum of precisions at the relevant items in the first `places` ranks of each tie, the mean over its orders."""
    n, r, items_before, relevant_before = ties
    slope = jnp.where(n > 1, (r - 1) / jnp.maximum(n - 1, 1), 0)
    gain = (relevant_before + 1 - slope) * harmonic_difference(items_before, places)
    gain += slope * rank_shares(items_before, places)
    return jnp.where(r > 0, r / jnp.maximum(n, 1) * gain, 0)


def relevant_last(ties: Ties) -> Float[Array, "*q radii"]:
    """Sum of precisions at the relevant items of each tie if they come last in it."""
    return _of_run(ties, ties.items_before + ties.items - ties.relevant, ties.relevant)


def relevant_first(ties: Ties) -> Float[Array, "*q radii"]:
    """Sum of precisions at the relevant items of each tie if they come first in it."""
    return _of_run(ties, ties.items_before, ties.relevant)


def _of_run(
    ties: Ties, before: Float[Array, "*q radii"], found: Float[Array, "*q radii"]
) -> Float[Array, "*q radii"]:
    """Sum of precisions at `found` relevant items that follow each other after `before` ranks."""
    return ties.relevant_before * harmonic_difference(before, found) + rank_shares(before, found)


def ties_of(items: Int[Array, "*q radii"], relevant: Int[Array, "*q radii"], dtype: jnp.dtype | type) -> Ties:
    """The histograms of queries as floats."""
    before = (jnp.cumsum(counts, -1) - counts for counts in (items, relevant))
    return Ties(*(counts.astype(dtype) for counts in (items, relevant, *before)))


def _inside(
    cutoff: Ranks | None, before: Float[Array, "*q radii"], count: Float[Array, "*q radii"]
) -> Float[Array, "*q radii"]:
    """How many of `count` ranks after `before` lie within the cut-off."""
    return count if cutoff is None else jnp.clip(cutoff - before, 0, count)


def _of_runs(
    ties: Ties, before: Float[Array, "*q radii"], cutoff: Ranks | None, *, of_found: bool
) -> Float[Array, "*q"]:
    """Average precision if the relevant items of each distance follow each other after `before` ranks."""
    found = _inside(cutoff, before, ties.relevant)
    gain = _of_run(ties, before, found)
    total = ties.relevant.sum(-1)
    divisor = jnp.where(total > 0, jnp.maximum(found.sum(-1), 1), total) if of_found else total
    return gain.sum(-1) / divisor
