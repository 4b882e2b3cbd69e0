"""Whitened RBF features, with which a P-step is two products and no solve."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from zsh_jax.core.factorisation import solve_lower
from zsh_jax.core.precision import full_precision
from zsh_jax.core.problem import Hyperparameters, Problem
from zsh_jax.core.sharding import by_share
from zsh_jax.core.steps.projection import projection_factor


class Whitened(NamedTuple):
    """T = Phi L^-T for the Cholesky factor L of Phi'Phi + beta/alpha I + gamma/alpha Phi'L Phi.

    It depends on the data and two ratios of weights: all starts, code lengths and ridges on W share it.

    Attributes:
        features: T', one row a feature: so both products of a P-step read it in the order in which it lies.
        inverse: L^-1.
    """

    features: Float[Array, "m n"]
    inverse: Float[Array, "m m"]


@jax.jit
@full_precision
def whiten(problem: Problem, hyper: Hyperparameters) -> Whitened:
    """Factorise once, before the loop.

    Args:
        problem: the training data, n samples of m features.
        hyper: scalar weights; `alpha` positive.

    Returns:
        T' (m, n) and L^-1 (m, m).
    """
    factor = projection_factor(problem, hyper)
    identity = jnp.eye(factor.shape[0], dtype=factor.dtype)
    features = by_share(_solved, (problem.phi,), (factor,), gives="columns")
    return Whitened(features, solve_lower(factor, identity))


def _solved(phi: Float[Array, "n m"], factor: Float[Array, "m m"]) -> Float[Array, "m n"]:
    return solve_lower(factor, phi.T)


@full_precision
def fit_whitened(
    whitened: Whitened, codes: Float[Array, "n l"]
) -> tuple[Float[Array, "m l"], Float[Array, "n l"]]:
    """The P-step: P = L^-T (T'B), and Phi P = T (T'B).

    Args:
        whitened: of the problem.
        codes: B, or real values of that shape.

    Returns:
        P (m, l), and Phi P (n, l).
    """
    correlation = whitened.features @ codes
    return whitened.inverse.T @ correlation, (correlation.T @ whitened.features).T
