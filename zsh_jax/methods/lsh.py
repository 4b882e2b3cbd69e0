"""LSH: random hyperplanes (Charikar, "Similarity estimation techniques from rounding algorithms", STOC 2002).

h(x) = sign(w'x) with w standard normal. Two vectors at angle t differ in a bit with probability t / pi (sec. 3).
"""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from zsh_jax.core.heads import Linear
from zsh_jax.methods.protocol import Fitted, Method, NoOptions, NoWeights, Reads, Shapes, TrainingData


@partial(jax.jit, static_argnames=("options", "bits"))
def fit(
    key: PRNGKeyArray, data: TrainingData, weights: NoWeights, options: NoOptions, *, bits: int
) -> Fitted:
    """Draw one hyperplane through the mean of the training samples for each bit.

    Args:
        key: of the draw.
        data: only the length of its features is read.
        weights: none.
        options: none; static.
        bits: code length l; static. May exceed the number of features.

    Returns:
        Standard normal projection (d, l), zero offset.
    """
    del weights, options
    dtype = data.x.dtype
    return Fitted(Linear(jax.random.normal(key, (data.x.shape[1], bits), dtype), jnp.zeros(bits, dtype)))


def hyperplane_floats(shapes: Shapes, options: NoOptions) -> int:
    """Numbers of the hyperplanes and of their draw."""
    del options
    return 2 * shapes.features * shapes.bits


METHOD = Method(
    name="lsh",
    paper="Charikar, Similarity estimation techniques from rounding algorithms, STOC 2002",
    reads=frozenset({Reads.FEATURES}),
    fit=fit,
    floats=hyperplane_floats,
)
