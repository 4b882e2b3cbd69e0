"""Ridge regression to the semantic vectors, then random hyperplanes: zero-shot hashing without learned codes.

C = (Phi'Phi + r I)^-1 Phi'Y predicts the semantic vector of an image (Palatucci et al., "Zero-shot learning with
semantic output codes", NIPS 2009), and h(x) = sign(phi(x) C w) with w standard normal hashes the
prediction (Charikar 2002). Both are linear, so the hash function is one map, of rank at most e.
"""

from functools import partial
from typing import NamedTuple

import jax
from jaxtyping import Array, Float, PRNGKeyArray

from zsh_jax.baselines.data import TrainingData
from zsh_jax.baselines.gram import gram_basis, ridge_regression
from zsh_jax.baselines.hash_functions import Kernel
from zsh_jax.core.precision import full_precision


class SemanticRidgeOptions(NamedTuple):
    """What may be tuned.

    Attributes:
        ridge: r, on all coefficients, those of the constant column too.
    """

    ridge: Float[Array, "*sweep"] | float = 1.0


@jax.jit
@full_precision
def semantic_regression(data: TrainingData, options: SemanticRidgeOptions) -> Float[Array, "m e"]:
    """Coefficients that predict semantic vectors from RBF features.

    Args:
        data: of which `phi` and `semantics` are read.
        options: the ridge.

    Returns:
        C: predictions are phi(x) C.
    """
    return ridge_regression(gram_basis(data.phi.T @ data.phi), data.phi.T @ data.semantics, options.ridge)


@partial(jax.jit, static_argnames="bits")
@full_precision
def fit(key: PRNGKeyArray, data: TrainingData, options: SemanticRidgeOptions, *, bits: int) -> Kernel:
    """Predict semantic vectors, and cut their space with random hyperplanes.

    Args:
        key: of the hyperplanes.
        data: of which `phi` and `semantics` are read.
        options: the ridge.
        bits: code length l; static. May exceed the length of the semantic vectors.

    Returns:
        Projection (m, l).
    """
    regression = semantic_regression(data, options)
    return Kernel(regression @ jax.random.normal(key, (regression.shape[1], bits), regression.dtype))
