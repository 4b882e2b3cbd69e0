"""W-step: ridge regression from the codes to the rotated semantics."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from zsh_jax.core.factorisation import eigh
from zsh_jax.core.precision import full_precision
from zsh_jax.core.problem import Hyperparameters, Problem, State


@jax.jit
@full_precision
def regression_step(problem: Problem, hyper: Hyperparameters, state: State) -> State:
    """Fit W to the codes (Yang et al. 2016, sec. 3.4, W-step).

    V = (B'B + lam I)^-1 B' Y, and W = V R.

    The codes of one class mostly agree, so B'B has about rank c, and lam is far below the rounding of its largest
    eigenvalue in float32. A Cholesky factorisation would fail or fill the null space with noise. In the eigenbasis,
    directions with an eigenvalue at the level of rounding are left out; the right-hand side has no component there. In
    float64 nothing relevant to J falls below that level.

    Args:
        problem: the training data.
        hyper: scalar weights; `lam` not negative.
        state: its `codes` and `rotation` are fitted.

    Returns:
        The state with new `dictionary` V and `regression` W, both (l, e).
    """
    codes = state.codes
    dictionary = fit_dictionary(codes.T @ codes, codes.T @ problem.semantics, hyper.lam)
    return state._replace(dictionary=dictionary, regression=dictionary @ state.rotation)


@full_precision
def fit_dictionary(
    gram: Float[Array, "l l"], correlation: Float[Array, "l e"], lam: Float[Array, ""] | float
) -> Float[Array, "l e"]:
    """V = (B'B + lam I)^-1 B'Y from sums over the samples.

    Args:
        gram: B'B.
        correlation: B'Y.
        lam: ridge, not negative.

    Returns:
        V.
    """
    eigenvalues, eigenvectors = eigh(gram)
    rounding = 4 * jnp.finfo(gram.dtype).eps * eigenvalues[-1]
    inverse = jnp.where(eigenvalues > rounding, 1 / (eigenvalues + lam), 0)
    return (eigenvectors * inverse[None]) @ (eigenvectors.T @ correlation)
