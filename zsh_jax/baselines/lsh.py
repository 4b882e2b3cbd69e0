"""LSH: random hyperplanes (Charikar, "Similarity estimation techniques from rounding algorithms", STOC 2002).

h(x) = sign(w'x) with w standard normal. Two vectors at angle t differ in a bit with probability t / pi (sec. 3).
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from zsh_jax.baselines.data import TrainingData
from zsh_jax.baselines.hash_functions import Linear


class LSHOptions(NamedTuple):
    """Nothing to choose."""


@partial(jax.jit, static_argnames="bits")
def fit(key: PRNGKeyArray, data: TrainingData, options: LSHOptions, *, bits: int) -> Linear:
    """Draw one hyperplane through the mean of the training samples for each bit.

    Args:
        key: of the draw.
        data: only the length of its features is read.
        options: none.
        bits: code length l; static. May exceed the number of features.

    Returns:
        Standard normal projection (d, l), zero offset.
    """
    del options
    dtype = data.x.dtype
    return Linear(jax.random.normal(key, (data.x.shape[1], bits), dtype), jnp.zeros(bits, dtype))
