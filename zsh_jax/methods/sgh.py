"""SGH: preserve a similarity graph over all samples without forming it.

Jiang & Li, "Scalable graph hashing with feature transformation", IJCAI 2015. The similarity exp(-|x - y|^2 / rho),
scaled to [-1, 1], is about p(x)'p(y) - 1 for unit-length x and y:

    p(x) = exp(-|x|^2 / rho) [ sqrt(2 (e^2 - 1) / (e rho)) x,  sqrt((e^2 + 1) / e) ],    rho = 2,

the straight line through exp at -1 and 1. Bits are learned in sequence: with K the centred RBF features and A = l K' (P
P' - 1 1') K, each w is the leading solution of A w = s (K'K + r I) w, and K' b b' K is then subtracted from A, for b =
sign(K w). A second pass, in random order, adds the term of one bit back to A and learns that bit again (algorithm 1).
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int, PRNGKeyArray

from zsh_jax.core.factorisation import eigh
from zsh_jax.core.feature_maps import RBF
from zsh_jax.core.gram import gram_basis, inverse_root, oriented
from zsh_jax.core.heads import centred_rbf
from zsh_jax.core.packing import signs
from zsh_jax.core.precision import full_precision
from zsh_jax.methods.protocol import Fitted, Method, NoOptions, Reads, TrainingData

RHO = 2.0
"""The linear approximation holds for 2 x'y / rho in [-1, 1]; for unit vectors this is the smallest such rho."""


class Weights(NamedTuple):
    """Weights of the method.

    Attributes:
        ridge: r, added to K'K.
    """

    ridge: Float[Array, "*sweep"] | float = 1e-6


class _Pass(NamedTuple):
    residual: Float[Array, "k k"]
    weights: Float[Array, "k l"]
    taken: Float[Array, "k l"]  # K' b of each bit: its outer square was subtracted


@full_precision
def transformed_features(x: Float[Array, "n d"]) -> Float[Array, "n f"]:
    """p(x) of the rows, normalised to unit length.

    Args:
        x: features, (n, d).

    Returns:
        (n, d + 1); their inner products minus 1 approximate the scaled similarity.
    """
    length = jnp.sqrt(jnp.sum(x**2, axis=1, keepdims=True))
    unit = x / jnp.maximum(length, jnp.finfo(x.dtype).tiny)
    shrink = np.exp(-1 / RHO)
    last = jnp.full((x.shape[0], 1), shrink * np.sqrt((np.e**2 + 1) / np.e), x.dtype)
    return jnp.concatenate([float(shrink * np.sqrt(2 * (np.e**2 - 1) / (np.e * RHO))) * unit, last], axis=1)


@partial(jax.jit, static_argnames=("options", "bits"))
@full_precision
def fit(key: PRNGKeyArray, data: TrainingData, weights: Weights, options: NoOptions, *, bits: int) -> Fitted:
    """Learn the bits in sequence, then each once more. Factorises 2 l matrices of m x m.

    Args:
        key: of the order of the second pass.
        data: `x` and `phi` are read.
        weights: the ridge.
        options: none; static.
        bits: code length l; static.

    Returns:
        Projection (m, l).
    """
    del options
    mean = data.phi.mean(0)
    centred = (data.phi - mean[None])[:, :-1]
    whiten = inverse_root(gram_basis(centred.T @ centred), weights.ridge)
    transformed = centred.T @ transformed_features(data.x)
    ones = centred.sum(0)  # zero up to rounding
    similarity = bits * (transformed @ transformed.T - ones[:, None] * ones[None])

    def learn(state: _Pass, bit: Int[Array, ""]) -> tuple[_Pass, None]:
        old = state.taken[:, bit]
        residual = state.residual + old[:, None] * old[None]
        _, eigenvectors = eigh(residual)
        weights = oriented(whiten @ eigenvectors[:, -1:])[:, 0]
        new = whiten.T @ (centred.T @ signs(centred @ weights))
        residual -= new[:, None] * new[None]
        return _Pass(residual, state.weights.at[:, bit].set(weights), state.taken.at[:, bit].set(new)), None

    nothing = jnp.zeros((whiten.shape[1], bits), whiten.dtype)
    start = _Pass(whiten.T @ similarity @ whiten, nothing, nothing)
    order = jnp.concatenate([jnp.arange(bits), jax.random.permutation(key, bits)])
    end, _ = lax.scan(learn, start, order)
    return Fitted(centred_rbf(mean, end.weights))


METHOD = Method(
    name="sgh",
    paper="Jiang & Li, Scalable graph hashing with feature transformation, IJCAI 2015",
    reads=frozenset({Reads.FEATURES, Reads.RBF}),
    fit=fit,
    feature_map=RBF,
    weights=Weights,
)
