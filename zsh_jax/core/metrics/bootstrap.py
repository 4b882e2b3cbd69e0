"""Confidence intervals of a mean over queries, by resampling the queries."""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, PRNGKeyArray


@partial(jax.jit, static_argnames=("resamples", "confidence", "block"))
def bootstrap_interval(
    key: PRNGKeyArray,
    values: Float[Array, " q"],
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    block: int = 64,
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Percentile interval of a mean (Efron & Tibshirani, "An introduction to the bootstrap", 1993, chapter 13).

    It covers the choice of queries only; the codes are fixed.

    Args:
        key: of the resamples; equal keys draw the same indices.
        values: of each query, (q,).
        resamples: number of resamples, each q draws with replacement; static.
        confidence: share of the resampled means inside the interval; static.
        block: resamples at a time; static. Memory: block x q.

    Returns:
        Lower and upper end; NaN if any value is NaN.
    """
    size = values.shape[0]

    def resampled(key: PRNGKeyArray) -> Float[Array, ""]:
        return values[jax.random.randint(key, (size,), 0, size)].mean()

    means = lax.map(resampled, jax.random.split(key, resamples), batch_size=min(block, resamples))
    tail = (1 - confidence) / 2
    low, high = jnp.quantile(means, jnp.array([tail, 1 - tail], values.dtype))
    return low, high
