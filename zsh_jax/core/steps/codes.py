"""B-step: discrete cyclic coordinate descent on the codes."""

from functools import partial

import jax
from jaxtyping import Array, Float

from zsh_jax.core.descent import descend
from zsh_jax.core.precision import full_precision
from zsh_jax.core.problem import Hyperparameters, Problem, State


@partial(jax.jit, static_argnames="max_sweeps")
@full_precision
def codes_step(
    problem: Problem,
    hyper: Hyperparameters,
    state: State,
    fitted: Float[Array, "n l"] | None = None,
    *,
    max_sweeps: int = 10,
) -> State:
    """Coordinate descent on the codes from their current values (Yang et al. 2016, eq. 14).

    `descend` with H = Y V' + alpha Phi P and G = V V' for V = W R', which are Y R W' + alpha Phi P and W W'. Each
    update of a bit is an exact minimiser with all else fixed, so J never rises.

    Args:
        problem: the training data.
        hyper: scalar weights.
        state: its `codes` are the warm start.
        fitted: Phi P, if already computed.
        max_sweeps: maximum number of sweeps over the bits; static.

    Returns:
        The state with new `codes` (n, l).
    """
    dictionary = state.dictionary
    fitted = problem.phi @ state.projection if fitted is None else fitted
    target = problem.semantics @ dictionary.T + hyper.alpha * fitted
    coupling = dictionary @ dictionary.T
    return state._replace(codes=descend(state.codes, target, coupling, max_sweeps=max_sweeps))
