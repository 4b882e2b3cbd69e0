"""W-step: ridge regression from the codes to the rotated semantics."""

import jax
import jax.numpy as jnp

from zsh_jax.core.factorisation import eigh
from zsh_jax.core.precision import full_precision
from zsh_jax.core.problem import Hyperparameters, Problem, State


@jax.jit
@full_precision
def regression_step(problem: Problem, hyper: Hyperparameters, state: State) -> State:
    """Fit W to the codes (Yang et al. 2016, sec. 3.4, W-step).

    V = (B'B + lam I)^-1 B' Y, and W = V R.

    The codes of one class mostly agree, so B'B has about rank c, and lam is far below the rounding of its largest
    eigenvalue in float32. A Cholesky factor would fail or fill the null space with noise. In the eigenbasis the
    right-hand side has no component there, so those directions, known by an eigenvalue at the level of
    rounding, are left out; in float64 nothing that matters to J falls below that level.

    Args:
        problem: the training data.
        hyper: scalar weights; `lam` not negative.
        state: the state whose `codes` and `rotation` are fitted.

    Returns:
        The state with its `dictionary` V and its `regression` W, both (l, e), replaced.
    """
    codes = state.codes
    eigenvalues, eigenvectors = eigh(codes.T @ codes)
    rounding = 4 * jnp.finfo(codes.dtype).eps * eigenvalues[-1]
    inverse = jnp.where(eigenvalues > rounding, 1 / (eigenvalues + hyper.lam), 0)
    dictionary = (eigenvectors * inverse[None]) @ (eigenvectors.T @ (codes.T @ problem.semantics))
    return state._replace(dictionary=dictionary, regression=dictionary @ state.rotation)
