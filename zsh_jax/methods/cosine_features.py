"""A bound that is not hashing: the raw features themselves, ranked by cosine.

No code is to be expected above the better of this bound and `cosine_predictions`, though nothing forbids it.
"""

from functools import partial

import jax
from jaxtyping import PRNGKeyArray

from zsh_jax.core.heads import Vectors
from zsh_jax.methods.protocol import (
    Fitted,
    Method,
    NoOptions,
    NoWeights,
    Shapes,
    TrainingData,
)


@partial(jax.jit, static_argnames=("options", "bits"))
def fit(
    key: PRNGKeyArray, data: TrainingData, weights: NoWeights, options: NoOptions, *, bits: int
) -> Fitted:
    """Learn nothing.

    Args:
        key: not read; every method has one signature.
        data: not read, nor is any preprocessing of it.
        weights: none.
        options: none; static.
        bits: 0; static.

    Returns:
        A head that compares what it is given.
    """
    del key, data, weights, options, bits
    return Fitted(Vectors())


def compared_floats(shapes: Shapes, options: object) -> int:
    """Numbers that a bound holds: queries and database, and again at unit length."""
    del options
    return 3 * shapes.everything * shapes.features


METHOD = Method(
    name="cosine_features",
    paper="a bound: cosine on the features",
    reads=frozenset(),
    fit=fit,
    has_codes=False,
    floats=compared_floats,
)
