"""A bound without hashing: the raw features, ranked by cosine.

Codes are expected, though not guaranteed, to stay below the better of this bound and `cosine_predictions`.
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
    """Return the identity head.

    Args:
        key: not read; all methods have one signature.
        data: not read, and not preprocessed.
        weights: none.
        options: none; static.
        bits: 0; static.

    Returns:
        A head that compares its input.
    """
    del key, data, weights, options, bits
    return Fitted(Vectors())


def compared_floats(shapes: Shapes, options: object) -> int:
    """Numbers that a bound holds: queries and database, and their copies at unit length."""
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
