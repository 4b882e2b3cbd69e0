"""Confidence intervals of a mean over queries, by resampling the queries."""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, PRNGKeyArray

from zsh_jax.core.precision import full_precision

BLOCK = 50  # resamples drawn at a time


@partial(jax.jit, static_argnames=("size", "resamples"))
def resampling_weights(key: PRNGKeyArray, *, size: int, resamples: int = 1000) -> Float[Array, "resamples q"]:
    """How often each query is drawn in each resample of q draws with replacement, divided by q.

    Args:
        key: equal keys draw the same queries.
        size: number of queries q; static.
        resamples: number of resamples; static.

    Returns:
        (resamples, q); rows have the sum 1.
    """
    block = min(BLOCK, resamples)
    row = jnp.arange(block, dtype=jnp.int32)[:, None]

    def draw(key: PRNGKeyArray) -> Float[Array, "block q"]:
        # The remainder favours some queries by q / 2^32, far below what resamples can show.
        drawn = (jax.random.bits(key, (block, size), jnp.uint32) % size).astype(jnp.int32)
        counts = jnp.zeros(block * size, jnp.int32).at[size * row + drawn].add(1)
        return counts.reshape(block, size).astype(jnp.result_type(float)) / size

    drawn = lax.map(draw, jax.random.split(key, -(-resamples // block)))
    return drawn.reshape(-1, size)[:resamples]


@partial(jax.jit, static_argnames="confidence")
@full_precision
def bootstrap_interval(
    weights: Float[Array, "resamples q"], values: Float[Array, " q"], *, confidence: float = 0.95
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Percentile interval of a mean (Efron & Tibshirani, "An introduction to the bootstrap", 1993, chapter 13).

    It covers the choice of queries only; the codes are fixed.

    Args:
        weights: from `resampling_weights`; cells with the same queries share them.
        values: of each query, (q,).
        confidence: share of the resampled means inside the interval; static.

    Returns:
        Lower and upper end; NaN if any value is NaN.
    """
    tail = (1 - confidence) / 2
    low, high = jnp.quantile(weights @ values, jnp.array([tail, 1 - tail], values.dtype))
    return low, high
