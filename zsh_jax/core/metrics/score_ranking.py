"""Average precision of a ranking by real-valued scores with ties."""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int


def score_average_precision(scores: Float[Array, " n"], relevant: Bool[Array, " n"]) -> Float[Array, ""]:
    """Average precision by descending score, the exact mean over all orders of items with equal scores.

    McSherry & Najork, as in `tie_aware_average_precision`, rank by rank: in a tie of n items, r of them relevant, after
    N0 items and R0 relevant ones, the i-th rank is relevant with probability r / n and then expects R0 + 1 + (i - 1) (r
    - 1) / (n - 1) relevant items up to itself. It sorts once; cumulative counts give each rank the data of its tie.

    Args:
        scores: of the database items; no NaN. Scores that differ only in the last binary digit count as equal.
        relevant: whether each is relevant.

    Returns:
        A scalar in [0, 1]; NaN if nothing is relevant.
    """
    size, dtype = scores.shape[0], scores.dtype
    keys = _sorted_keys(scores, relevant)
    place = jnp.arange(size, dtype=jnp.int32)
    new = (keys[1:] >> 1) != (keys[:-1] >> 1)
    found = jnp.pad(jnp.cumsum(keys & 1, dtype=jnp.int32), (1, 0))  # relevant items before each rank
    start = lax.cummax(jnp.where(jnp.pad(new, (1, 0), constant_values=True), place, 0))
    stop = lax.cummin(jnp.where(jnp.pad(new, (0, 1), constant_values=True), place + 1, size), reverse=True)
    items, before = (stop - start).astype(dtype), found[start]
    share = (found[stop] - before).astype(dtype)
    slope = jnp.where(items > 1, (share - 1) / jnp.maximum(items - 1, 1), 0)
    up_to = before.astype(dtype) + 1 + slope * (place - start).astype(dtype)
    # A dot product: on the CPU, XLA sums sequentially, which would take a third of the total time.
    total = jnp.dot(share / items * up_to, 1 / (place + 1).astype(dtype), precision=lax.Precision.HIGHEST)
    return total / found[-1].astype(dtype)


def _sorted_keys(scores: Float[Array, " n"], relevant: Bool[Array, " n"]) -> Int[Array, " n"]:
    """Integers in descending order of the scores, with the relevance in the last bit.

    XLA sorts integers four times as fast as floats or pairs. The bits of a float, read as an integer, keep its order
    once those of negative numbers are reversed; the last bit is replaced by the relevance.
    """
    integer = jnp.int32 if scores.dtype == jnp.float32 else jnp.int64
    bits = lax.bitcast_convert_type(jnp.where(scores == 0, 0, -scores), integer)  # -0 has other bits than 0
    ordered = jnp.where(bits < 0, bits ^ jnp.iinfo(integer).max, bits)
    return lax.sort((ordered & ~1) | relevant.astype(integer), is_stable=False)
