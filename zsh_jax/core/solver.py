"""The alternating solver of the published form."""

from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from zsh_jax.core.loop import Solution, Status, alternate, with_state
from zsh_jax.core.objective import objective
from zsh_jax.core.one_by_one import one_by_one_on_cpu
from zsh_jax.core.precision import full_precision
from zsh_jax.core.problem import Hyperparameters, Problem, State
from zsh_jax.core.semantic_basis import problem_in_basis, state_in_basis, state_out_of_basis
from zsh_jax.core.steps.codes import codes_step
from zsh_jax.core.steps.projection import fit_projection, projection_factor
from zsh_jax.core.steps.regression import regression_step
from zsh_jax.core.steps.rotation import rotation_step
from zsh_jax.core.whitening import Whitened, fit_whitened, whiten

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
    alphas = None if alpha_schedule is None else alphas_of(hyper, alpha_schedule, max_iterations)
    fits = whiten(problem, hyper) if alphas is None else _factors(problem, hyper, alphas)

    given = _Given(problem_in_basis(problem), hyper, fits, alphas, tolerance)
    rotates = rotation == "procrustes"
    run = partial(_alternate, rotates=rotates, max_iterations=max_iterations, max_sweeps=max_sweeps)
    end = one_by_one_on_cpu(run)(given, state_in_basis(problem, state))
    return with_state(end, state_out_of_basis(problem, end.state, state.rotation))


class _Given(NamedTuple):
    """What is fixed during a solve."""

    problem: Problem
    hyper: Hyperparameters
    fits: Whitened | Float[Array, "max_iterations m m"]
    alphas: Float[Array, " max_iterations"] | None
    tolerance: Float[Array, ""] | float


class _Pass(NamedTuple):
    state: State
    fitted: Float[Array, "n l"]  # Phi P: the B-step and J both read it


@full_precision
def _alternate(
    given: _Given, state: State, *, rotates: bool, max_iterations: int, max_sweeps: int
) -> Solution[State]:
    problem, hyper, fits, alphas, tolerance = given

    def weights(step: Int[Array, ""]) -> Hyperparameters:
        return hyper if alphas is None else hyper._replace(alpha=alphas[step])

    def fit(state: State, step: Int[Array, ""]) -> _Pass:
        if isinstance(fits, Whitened):
            projection, fitted = fit_whitened(fits, state.codes)
        else:
            projection = fit_projection(problem, fits[step], state.codes)
            fitted = problem.phi @ projection
        return _Pass(state._replace(projection=projection), fitted)

    def iterate(before: _Pass, step: Int[Array, ""]) -> _Pass:
        now = weights(step)
        state, fitted = fit(before.state, step)
        if rotates:
            state = rotation_step(problem, now, state)
        state = regression_step(problem, now, state)
        return _Pass(codes_step(problem, now, state, fitted, max_sweeps=max_sweeps), fitted)

    end = alternate(
        _Pass(state, jnp.zeros_like(state.codes)),
        iterate,
        lambda now, step: objective(problem, weights(step), *now),
        lambda now: now.state.codes,
        max_iterations=max_iterations,
        tolerance=tolerance,
        until_rest=alphas is None,
    )
    return with_state(end, fit(end.state.state, jnp.array(max_iterations - 1)).state)


def alphas_of(
    hyper: Hyperparameters, schedule: AlphaSchedule, iterations: int
) -> Float[Array, " iterations"]:
    """Alpha of each iteration."""
    alpha = jnp.asarray(hyper.alpha)
    factor = jax.vmap(lambda step: jnp.asarray(schedule(step), alpha.dtype))
    return alpha * factor(jnp.arange(iterations))


def _factors(
    problem: Problem, hyper: Hyperparameters, alphas: Float[Array, " iterations"]
) -> Float[Array, "iterations m m"]:
    """The factor of each iteration's P-step; all are computed before the loop."""
    return jax.lax.map(lambda alpha: projection_factor(problem, hyper._replace(alpha=alpha)), alphas)
