"""Average precision when many items share a distance."""

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

_SMALL = 32


def harmonic_difference(start: Float[Array, "*s"], count: Float[Array, "*s"]) -> Float[Array, "*s"]:
    """H(start + count) - H(start) for the harmonic numbers, to full float32 precision.

    A difference of two tabulated values loses digits for large `start`. Beyond a short table, this uses the asymptotic
    series H(n) = ln(n + 1/2) + g + 1 / (24 (n + 1/2)^2) - ..., with the logarithms as one log1p.

    Args:
        start: whole numbers, not negative.
        count: whole numbers, not negative, of the same shape.

    Returns:
        The sum of 1/i for i from start + 1 to start + count.
    """
    dtype = start.dtype
    table = jnp.concatenate([jnp.zeros(1, dtype), jnp.cumsum(1 / jnp.arange(1, _SMALL + 1, dtype=dtype))])

    def tail(n: Float[Array, "*s"]) -> Float[Array, "*s"]:
        inverse_square = 1 / (n + 0.5) ** 2
        return inverse_square / 24 - 7 * inverse_square**2 / 960

    # Use the table for ends up to _SMALL and the series beyond, clipped to its range.
    stop = start + count
    first, last = jnp.minimum(start, _SMALL), jnp.minimum(stop, _SMALL)
    by_table = table[last.astype(jnp.int32)] - table[first.astype(jnp.int32)]
    series_start = jnp.maximum(start, _SMALL)
    series_count = jnp.maximum(stop, _SMALL) - series_start
    by_series = jnp.log1p(series_count / (series_start + 0.5))
    by_series += tail(series_start + series_count) - tail(series_start)
    return by_table + by_series


def tie_aware_average_precision(
    items: Int[Array, "*q radii"],
    relevant: Int[Array, "*q radii"],
    *,
    cutoff: int | None = None,
    dtype: jnp.dtype | type = jnp.float32,
) -> Float[Array, "*q"]:
    """Average precision, the exact mean over all orders of items at equal distance.

    McSherry & Najork, "Computing information retrieval performance measures efficiently in the presence of tied
    scores", ECIR 2008. For a distance with n items, r of them relevant, N0 and R0 items and relevant ones before
    it, and m = (r - 1) / (n - 1), the i-th rank of the tie is relevant with probability r / n and then has
    (R0 + 1 + m (i - 1)) relevant items up to itself, so that the tie adds

        (r / n) [ m t + (R0 + 1 - m (N0 + 1)) (H(N0 + t) - H(N0)) ] / all relevant

    over its first t ranks: t = n, or fewer with a cut-off.

    Args:
        items: number of database items at each distance 0..l, (..., l + 1).
        relevant: number of relevant ones among them, (..., l + 1).
        cutoff: ranks that count; None counts all. The divisor is always the number of all relevant items.
        dtype: of the result.

    Returns:
        One value a query, in [0, 1]; NaN if nothing is relevant.
    """
    n, r = items.astype(dtype), relevant.astype(dtype)
    items_before = (jnp.cumsum(items, -1) - items).astype(dtype)
    relevant_before = (jnp.cumsum(relevant, -1) - relevant).astype(dtype)
    places = n if cutoff is None else jnp.clip(cutoff - items_before, 0, n)
    slope = jnp.where(n > 1, (r - 1) / jnp.maximum(n - 1, 1), 0)
    harmonic = harmonic_difference(items_before, places)
    gain = slope * places + (relevant_before + 1 - slope * (items_before + 1)) * harmonic
    gain = jnp.where(r > 0, r / jnp.maximum(n, 1) * gain, 0)
    return gain.sum(-1) / r.sum(-1)


def expected_precision_at(
    items: Int[Array, "*q radii"],
    relevant: Int[Array, "*q radii"],
    *,
    cutoff: int,
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
    n, r = items.astype(dtype), relevant.astype(dtype)
    items_before = (jnp.cumsum(items, -1) - items).astype(dtype)
    places = jnp.clip(cutoff - items_before, 0, n)
    return (r * places / jnp.maximum(n, 1)).sum(-1) / cutoff
