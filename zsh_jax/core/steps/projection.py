"""P-step: ridge regression of the codes on the RBF features, with locality."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from zsh_jax.core.factorisation import cho_solve, cholesky
from zsh_jax.core.precision import full_precision
from zsh_jax.core.problem import Hyperparameters, Problem, State


@jax.jit
def projection_factor(problem: Problem, hyper: Hyperparameters) -> Float[Array, "m m"]:
    """Cholesky factor of Phi'Phi + beta/alpha I + gamma/alpha Phi'L Phi.

    It is constant during a solve, and depends on the hyperparameters only through two ratios: if neither is vmapped,
    the factorisation is not either.

    Args:
        problem: the training data, m features.
        hyper: scalar weights; `alpha` positive.

    Returns:
        The lower factor, (m, m).
    """
    # A ridge below the rounding of Phi'Phi has no effect: for large alpha, float32 would find no factor.
    rounding = 2 * jnp.finfo(problem.gram.dtype).eps * jnp.trace(problem.gram)
    ridge = jnp.maximum(hyper.beta / hyper.alpha, rounding)
    smoothness = hyper.gamma / hyper.alpha
    m = problem.gram.shape[0]
    return cholesky(
        problem.gram + ridge * jnp.eye(m, dtype=problem.gram.dtype) + smoothness * problem.locality
    )


@full_precision
def fit_projection(
    problem: Problem, factor: Float[Array, "m m"], codes: Float[Array, "n l"]
) -> Float[Array, "m l"]:
    """P = (Phi'Phi + beta/alpha I + gamma/alpha Phi'L Phi)^-1 Phi' B.

    Args:
        problem: the training data.
        factor: `projection_factor(problem, hyper)`.
        codes: B, or real values of that shape.

    Returns:
        P, (m, l).
    """
    return cho_solve(factor, problem.phi.T @ codes)


@jax.jit
def projection_step(
    problem: Problem, hyper: Hyperparameters, state: State, factor: Float[Array, "m m"] | None = None
) -> State:
    """Fit P to the codes (Yang et al. 2016, sec. 3.4, F-step).

    Args:
        problem: the training data.
        hyper: scalar weights; `alpha` positive.
        state: its `codes` are fitted.
        factor: `projection_factor(problem, hyper)`, if already computed.

    Returns:
        The state with new `projection` (m, l).
    """
    if factor is None:
        factor = projection_factor(problem, hyper)
    return state._replace(projection=fit_projection(problem, factor, state.codes))
