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
from zsh_jax.core.leading_eigenvector import leading_eigenvector
from zsh_jax.core.one_by_one import one_by_one_on_cpu
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


class _Spectrum(NamedTuple):
    """The eigenproblem of the similarity alone, W'AW = Q diag(d) Q' for the whitening W."""

    centred: Float[Array, "n k"]
    eigenvalues: Float[Array, " k"]  # d
    directions: Float[Array, "k k"]  # W Q


class _Pass(NamedTuple):
    weights: Float[Array, "l k"]
    taken: Float[Array, "l k"]  # (W Q)' K' b of each bit: its outer square is subtracted


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
    """Learn the bits in sequence, then each once more. Factorises two matrices of m x m.

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

    eigenvalues, turn = eigh(whiten.T @ similarity @ whiten)
    order = jnp.concatenate([jnp.arange(bits), jax.random.permutation(key, bits)])
    learned = one_by_one_on_cpu(partial(_learn, bits=bits))(
        _Spectrum(centred, eigenvalues, whiten @ turn), order
    )
    return Fitted(centred_rbf(mean, learned.T))


@full_precision
def _learn(spectrum: _Spectrum, order: Int[Array, " steps"], *, bits: int) -> Float[Array, "l k"]:
    """Learn bits in an order. In the basis of the spectrum a product with the residual costs 2 k l, not k^2."""
    centred, eigenvalues, directions = spectrum

    def learn(state: _Pass, bit: Int[Array, ""]) -> tuple[_Pass, None]:
        others = state.taken.at[bit].set(0)
        top = leading_eigenvector(
            lambda v: eigenvalues * v - (others @ v) @ others, size=len(eigenvalues), dtype=eigenvalues.dtype
        )
        weights = oriented((directions @ top)[:, None])[:, 0]
        new = (signs(centred @ weights) @ centred) @ directions
        return _Pass(state.weights.at[bit].set(weights), others.at[bit].set(new)), None

    nothing = jnp.zeros((bits, *eigenvalues.shape), eigenvalues.dtype)
    end, _ = lax.scan(learn, _Pass(nothing, nothing), order)
    return end.weights


METHOD = Method(
    name="sgh",
    paper="Jiang & Li, Scalable graph hashing with feature transformation, IJCAI 2015",
    reads=frozenset({Reads.FEATURES, Reads.RBF}),
    fit=fit,
    feature_map=RBF,
    weights=Weights,
)
