"""The alternating solver of the published form."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from zsh_jax.core.loop import Solution, Status, alternate
from zsh_jax.core.objective import Objective, objective
from zsh_jax.core.problem import Hyperparameters, Problem, State
from zsh_jax.core.steps.codes import codes_step
from zsh_jax.core.steps.projection import projection_factor, projection_step
from zsh_jax.core.steps.regression import regression_step
from zsh_jax.core.steps.rotation import rotation_step

__all__ = ["AlphaSchedule", "Solution", "Status", "solve"]

AlphaSchedule = Callable[[Int[Array, "*steps"]], Float[Array, "*steps"]]
"""An Optax schedule: from the number of an iteration to a factor of alpha."""


@partial(jax.jit, static_argnames=("rotation", "max_iterations", "max_sweeps", "alpha_schedule"))
def solve(
    problem: Problem,
    hyper: Hyperparameters,
    state: State,
    *,
    rotation: Literal["procrustes", "none"] = "procrustes",
    max_iterations: int = 10,
    max_sweeps: int = 10,
    tolerance: Float[Array, ""] | float = 0.0,
    alpha_schedule: AlphaSchedule | None = None,
) -> Solution[State]:
    """Alternate P, R, W and B steps from `state` until the codes stop changing (Yang et al. 2016, algorithm 1).

    A pass that flips no bit is an exact fixed point. The solve is one pure function: vmap it over `hyper`, `state` or
    both, with `problem` shared.

    Args:
        problem: the training data.
        hyper: scalar weights of the terms; `alpha` positive.
        state: the start, from `init_state`.
        rotation: "procrustes" as published, or "none" to keep the start's rotation. The codes are the same: with an
            exact W-step the rotation is a gauge freedom.
        max_iterations: maximum number of iterations; static.
        max_sweeps: maximum number of coordinate descent sweeps in each B-step; static.
        tolerance: stop, converged, once the relative decrease of J in an iteration is below this; 0 turns the test off.
        alpha_schedule: an Optax schedule; iteration t has the weight alpha times its value at t. All iterations are
            then done, J uses the weight of its iteration, and J may rise when the weight changes. None for constant
            alpha.

    Returns:
        The solution, its traces `max_iterations` long.

    Raises:
        ValueError: `rotation` is unknown or a limit is not positive.
    """
    if rotation not in ("procrustes", "none"):
        raise ValueError(f"rotation must be procrustes or none; got {rotation!r}")
    if max_iterations < 1 or max_sweeps < 1:
        raise ValueError(
            f"max_iterations and max_sweeps must be at least 1; got {max_iterations},  {max_sweeps}"
        )
    weights, factors = _scheduled(problem, hyper, max_iterations, alpha_schedule)

    def iterate(state: State, step: Int[Array, ""]) -> State:
        now = weights(step)
        state = projection_step(problem, now, state, factors(step))
        if rotation == "procrustes":
            state = rotation_step(problem, now, state)
        state = regression_step(problem, now, state)
        return codes_step(problem, now, state, max_sweeps=max_sweeps)

    def value(state: State, step: Int[Array, ""]) -> Objective:
        return objective(problem, weights(step), state)

    end = alternate(
        state,
        iterate,
        value,
        lambda state: state.codes,
        max_iterations=max_iterations,
        tolerance=tolerance,
        until_rest=alpha_schedule is None,
    )
    last = jnp.array(max_iterations - 1)
    return replace(end, state=projection_step(problem, weights(last), end.state, factors(last)))


def _scheduled(
    problem: Problem, hyper: Hyperparameters, iterations: int, schedule: AlphaSchedule | None
) -> tuple[Callable[[Int[Array, ""]], Hyperparameters], Callable[[Int[Array, ""]], Float[Array, "m m"]]]:
    """The weights of each iteration and the factor of its P-step; all factors are computed before the loop."""
    if schedule is None:
        factor = projection_factor(problem, hyper)
        return lambda step: hyper, lambda step: factor
    factor_of = jax.vmap(lambda step: jnp.asarray(schedule(step), problem.phi.dtype))
    alphas = hyper.alpha * factor_of(jnp.arange(iterations))
    made = jax.lax.map(lambda alpha: projection_factor(problem, hyper._replace(alpha=alpha)), alphas)
    return lambda step: hyper._replace(alpha=alphas[step]), lambda step: made[step]
