"""Preprocessing and bandwidth from training samples in blocks: the values of the functions that hold all samples."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from zsh_jax.core.blocks.stream import (
    BLOCK,
    Block,
    Stream,
    block_at,
    blocks_of,
    features_of,
    only_new,
    sum_of_blocks,
)
from zsh_jax.core.precision import full_precision
from zsh_jax.core.preprocessing import (
    KINDS,
    Preprocessing,
    apply_preprocessing,
    whitening_directions,
)


@partial(jax.jit, static_argnames=("kind", "dimensions", "block"))
@full_precision
def fit_preprocessing_in_blocks(
    stream: Stream, *, kind: str = "standardise", dimensions: int | None = None, block: int = BLOCK
) -> Preprocessing:
    """`fit_preprocessing` of the training samples.

    Args:
        stream: training samples.
        kind: as there; static.
        dimensions: as there; static.
        block: samples of a block; static.

    Returns:
        The preprocessing.

    Raises:
        ValueError: the kind is unknown.
    """
    n, d = stream.samples, stream.features.shape[1]
    dtype = stream.features.dtype
    zero, one, no = jnp.zeros(d, dtype), jnp.ones(d, dtype), jnp.asarray(False)
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}; got {kind!r}")
    if kind in ("unit", "none"):
        return Preprocessing(zero, one, None, jnp.asarray(kind == "unit"))
    mean, lowest, highest = _moments(stream, block=block)
    varies = highest > lowest
    if kind == "standardise":

        def squares(of: Block) -> Float[Array, " d"]:
            return jnp.sum(only_new(of, features_of(stream, of) - mean[None]) ** 2, axis=0)

        deviation = jnp.sqrt(sum_of_blocks(squares, n, block) / n)
        return Preprocessing(mean, jnp.where(varies, deviation, 1), None, no)
    mean = jnp.where(varies, mean, lowest)

    def scatter(of: Block) -> Float[Array, "d d"]:
        centred = only_new(of, features_of(stream, of) - mean[None])
        return centred.T @ centred

    covariance = sum_of_blocks(scatter, n, block) / (n - 1)
    kept = min(n - 1, d) if dimensions is None else dimensions
    return Preprocessing(mean, one, whitening_directions(covariance, n, kept), no)


def _moments(
    stream: Stream, *, block: int
) -> tuple[Float[Array, " d"], Float[Array, " d"], Float[Array, " d"]]:
    """Mean, minimum and maximum of each feature."""
    n, d = stream.samples, stream.features.shape[1]

    def add(index: Int[Array, ""], carry: Any) -> Any:
        total, lowest, highest = carry
        of = block_at(index, n, block)
        x = features_of(stream, of)
        return (
            total + only_new(of, x).sum(0),
            jnp.minimum(lowest, x.min(0)),
            jnp.maximum(highest, x.max(0)),
        )

    zero = jnp.zeros(d, stream.features.dtype)
    total, lowest, highest = lax.fori_loop(
        0, blocks_of(n, block), add, (zero, zero + jnp.inf, zero - jnp.inf)
    )
    return total / n, lowest, highest


@partial(jax.jit, static_argnames="block")
@full_precision
def choose_bandwidth_in_blocks(
    stream: Stream, preprocessing: Preprocessing, anchors: Float[Array, "k p"], *, block: int = BLOCK
) -> Float[Array, ""]:
    """`choose_bandwidth` of the training samples: half their mean squared distance to the anchors.

    Args:
        stream: training samples.
        preprocessing: of their features.
        anchors: preprocessed, (k, p).
        block: samples of a block; static.

    Returns:
        sigma^2.
    """
    # mean |x - a|^2 = E|x - mean a|^2 + E|a - mean a|^2
    mean = anchors.mean(0)

    def spread(of: Block) -> Float[Array, ""]:
        x = apply_preprocessing(preprocessing, features_of(stream, of))
        return jnp.sum(only_new(of, x - mean[None]) ** 2)

    own = jnp.sum((anchors - mean[None]) ** 2) / anchors.shape[0]
    return (sum_of_blocks(spread, stream.samples, block) / stream.samples + own) / 2
