"""Signs of a random rotation of centred features: the simplest code with orthogonal directions.

Orthogonal hyperplanes estimate angles with less variance than independent ones (Ji et al., "Super-bit
locality-sensitive hashing", NIPS 2012). More bits than features need several rotations.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from zsh_jax.core.heads import Linear, centred
from zsh_jax.core.rabitq import RaBitQ
from zsh_jax.core.steps.rotation import random_rotation
from zsh_jax.methods.protocol import Fitted, Method, NoOptions, NoWeights, Reads, TrainingData


@partial(jax.jit, static_argnames=("options", "bits"))
def fit(
    key: PRNGKeyArray, data: TrainingData, weights: NoWeights, options: NoOptions, *, bits: int
) -> Fitted:
    """Draw as many rotations as the bits need.

    Args:
        key: of the draw.
        data: `x` is read, for its mean.
        weights: none.
        options: none; static.
        bits: code length l; static. May exceed the number of features.

    Returns:
        Projection (p, l), whose columns are orthonormal within each block of p, and the offset that centres it.
    """
    del weights, options
    p = data.x.shape[1]
    keys = jax.random.split(key, -(-bits // p))
    turns = [random_rotation(one, size=p, dtype=data.x.dtype) for one in keys]
    return Fitted(centred(data.x.mean(0), jnp.concatenate(turns, axis=1)[:, :bits]))


def quantiser(head: Linear, x: Float[Array, "n p"]) -> RaBitQ:
    """RaBitQ's quantiser with the codes of `fit`, up to as many bits as features.

    Args:
        head: of `fit`.
        x: preprocessed training features; their mean is read.

    Returns:
        The quantiser.
    """
    return RaBitQ(x.mean(0), head.projection)


METHOD = Method(
    name="random_rotation",
    paper="Ji et al., Super-bit locality-sensitive hashing, NIPS 2012",
    reads=frozenset({Reads.FEATURES}),
    fit=fit,
    quantiser=quantiser,
)
