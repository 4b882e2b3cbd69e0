"""Ridge regression to the semantic vectors, then random hyperplanes: zero-shot hashing without learned codes.

C = (Phi'Phi + r I)^-1 Phi'Y predicts the semantic vector of an image (Palatucci et al., "Zero-shot learning with
semantic output codes", NIPS 2009), and h(x) = sign(phi(x) C w) with w standard normal hashes the
prediction (Charikar 2002). Both are linear, so the hash function is one map, of rank at most e.
"""

from functools import partial
from typing import NamedTuple

import jax
from jaxtyping import Array, Float, PRNGKeyArray

from zsh_jax.core.feature_maps import RBF
from zsh_jax.core.gram import gram_basis, ridge_regression
from zsh_jax.core.heads import Linear
from zsh_jax.core.precision import full_precision
from zsh_jax.methods.protocol import Fitted, Method, NoOptions, Reads, TrainingData


class Weights(NamedTuple):
    """Weights of the method.

    Attributes:
        ridge: r, on all coefficients, including the constant column.
    """

    ridge: Float[Array, "*sweep"] | float = 1.0


@jax.jit
@full_precision
def semantic_regression(data: TrainingData, ridge: Float[Array, ""] | float) -> Float[Array, "m e"]:
    """Coefficients that predict semantic vectors from RBF features.

    Args:
        data: `phi` and `semantics` are read.
        ridge: r.

    Returns:
        C: predictions are phi(x) C.
    """
    return ridge_regression(gram_basis(data.phi.T @ data.phi), data.phi.T @ data.semantics, ridge)


@partial(jax.jit, static_argnames=("options", "bits"))
@full_precision
def fit(key: PRNGKeyArray, data: TrainingData, weights: Weights, options: NoOptions, *, bits: int) -> Fitted:
    """Predict semantic vectors, and hash them with random hyperplanes.

    Args:
        key: of the hyperplanes.
        data: `phi` and `semantics` are read.
        weights: the ridge.
        options: none; static.
        bits: code length l; static. May exceed the length of the semantic vectors.

    Returns:
        Projection (m, l).
    """
    del options
    regression = semantic_regression(data, weights.ridge)
    hyperplanes = jax.random.normal(key, (regression.shape[1], bits), regression.dtype)
    return Fitted(Linear(regression @ hyperplanes))


METHOD = Method(
    name="semantic_ridge",
    paper="Palatucci et al., Zero-shot learning with semantic output codes, NIPS 2009; Charikar 2002",
    reads=frozenset({Reads.RBF, Reads.CLASS_VECTORS}),
    fit=fit,
    feature_map=RBF,
    weights=Weights,
)
