"""Pairs of samples in a batch, as the pairwise and triplet losses read them."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


def similar_pairs(classes: Float[Array, "b c"]) -> Bool[Array, "b b"]:
    """Whether two samples share a label."""
    return classes @ classes.T > 0


def other_samples(size: int) -> Bool[Array, "b b"]:
    """Whether a pair is of two samples, not of one with itself."""
    return ~jnp.eye(size, dtype=bool)


def negative_log_likelihood(
    theta: Float[Array, "*pairs"], similar: Bool[Array, "*pairs"]
) -> Float[Array, "*pairs"]:
    """-log p(s | Theta) with p(1 | Theta) = 1 / (1 + exp(-Theta)): log(1 + exp Theta) - s Theta."""
    return jax.nn.softplus(theta) - jnp.where(similar, theta, 0)
