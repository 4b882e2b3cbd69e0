"""A bound without hashing: predicted class vectors, ranked by cosine; `semantic_ridge` has the regression."""

from functools import partial

import jax
from jaxtyping import PRNGKeyArray

from zsh_jax.core.feature_maps import RBF
from zsh_jax.core.heads import Vectors
from zsh_jax.methods.cosine_features import compared_floats
from zsh_jax.methods.protocol import Fitted, Method, NoOptions, Reads, TrainingData
from zsh_jax.methods.semantic_ridge import Weights, semantic_regression


@partial(jax.jit, static_argnames=("options", "bits"))
def fit(key: PRNGKeyArray, data: TrainingData, weights: Weights, options: NoOptions, *, bits: int) -> Fitted:
    """Predict class vectors from RBF features.

    Args:
        key: not read; all methods have one signature.
        data: `phi` and `semantics` are read.
        weights: the ridge.
        options: none; static.
        bits: 0; static.

    Returns:
        A head that compares phi(x) C.
    """
    del key, options, bits
    return Fitted(Vectors(semantic_regression(data, weights.ridge)))


METHOD = Method(
    name="cosine_predictions",
    paper="a bound: cosine on predicted class vectors (Palatucci et al., NIPS 2009)",
    reads=frozenset({Reads.RBF, Reads.CLASS_VECTORS}),
    fit=fit,
    feature_map=RBF,
    weights=Weights,
    has_codes=False,
    floats=compared_floats,
)
