"""The alternating solver: the one place that loops over the steps."""

from enum import IntEnum
from functools import partial
from typing import Literal, NamedTuple, get_args

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from zsh_jax.core.objective import Objective, objective
from zsh_jax.core.problem import Hyperparameters, Problem, State
from zsh_jax.core.steps.codes import codes_step
from zsh_jax.core.steps.projection import projection_factor, projection_step
from zsh_jax.core.steps.regression import regression_step
from zsh_jax.core.steps.rotation import rotation_step

Rotation = Literal["procrustes", "none"]
ROTATIONS: tuple[str, ...] = get_args(Rotation)


class Status(IntEnum):
    """How a solve ended. Failure is data: nothing is raised inside a compiled program."""

    CONVERGED = 0
    ITERATION_LIMIT = 1
    NON_FINITE = 2


class Solution(NamedTuple):
    """The end of a solve, and how it got there. Traces hold one value an iteration, and NaN past the last one.

    Attributes:
        state: the last state, its projection fitted once more to its codes.
        objective: J after each iteration.
        terms: J and its five terms after each iteration.
        iterations: iterations done.
        flips: bits that changed in each iteration; -1 past the last one.
        status: a `Status`.
    """

    state: State
    objective: Float[Array, "*sweep max_iterations"]
    terms: Objective
    iterations: Int[Array, "*sweep"]
    flips: Int[Array, "*sweep max_iterations"]
    status: Int[Array, "*sweep"]


class _Loop(NamedTuple):
    state: State
    terms: Objective  # (max_iterations,) each
    flips: Int[Array, " max_iterations"]
    iterations: Int[Array, ""]
    status: Int[Array, ""]
    running: Bool[Array, ""]


@partial(jax.jit, static_argnames=("rotation", "max_iterations", "max_sweeps"))
def solve(
    problem: Problem,
    hyper: Hyperparameters,
    state: State,
    *,
    rotation: Rotation = "procrustes",
    max_iterations: int = 10,
    max_sweeps: int = 10,
    tolerance: Float[Array, ""] | float = 0.0,
) -> Solution:
    """Alternate P, R, W and B steps from `state` until the codes rest (Yang et al. 2016, algorithm 1).

    A pass that flips no bit is an exact fixed point. The whole solve is one pure function: vmap it over `hyper`,
    `state` or both, with `problem` shared.

    Args:
        problem: the training data.
        hyper: scalar weights of the terms; `alpha` positive.
        state: the start, as `init_state` gives it.
        rotation: "procrustes" as published, or "none" to keep the start's rotation. The codes are the same either
            way: with an exact W-step the rotation is a gauge freedom.
        max_iterations: iterations at the most; static.
        max_sweeps: coordinate descent sweeps in each B-step at the most; static.
        tolerance: stop, converged, once the relative decrease of J in an iteration is below this; 0 turns
            the test off.

    Returns:
        The solution, its traces `max_iterations` long.

    Raises:
        ValueError: if `rotation` is unknown or a limit is not positive.
    """
    if rotation not in ROTATIONS:
        raise ValueError(f"rotation must be one of {', '.join(ROTATIONS)}, not {rotation!r}")
    if max_iterations < 1 or max_sweeps < 1:
        raise ValueError(
            f"max_iterations and max_sweeps must be at least 1, not {max_iterations}, {max_sweeps}"
        )
    factor = projection_factor(problem, hyper)

    def iterate(loop: _Loop) -> _Loop:
        before = loop.state
        state = projection_step(problem, hyper, before, factor)
        if rotation == "procrustes":
            state = rotation_step(problem, hyper, state)
        state = regression_step(problem, hyper, state)
        state = codes_step(problem, hyper, state, max_sweeps=max_sweeps)

        value = objective(problem, hyper, state)
        flips = jnp.sum(state.codes != before.codes, dtype=jnp.int32)
        step = loop.iterations
        previous = loop.terms.total[jnp.maximum(step - 1, 0)]
        slow = (step > 0) & (previous - value.total < tolerance * jnp.abs(previous)) & (tolerance > 0)
        converged = (flips == 0) | slow
        finite = jnp.isfinite(value.total)
        status = jnp.where(
            finite, jnp.where(converged, Status.CONVERGED, Status.ITERATION_LIMIT), Status.NON_FINITE
        )
        return _Loop(
            state=state,
            terms=jax.tree.map(lambda trace, now: trace.at[step].set(now), loop.terms, value),
            flips=loop.flips.at[step].set(flips),
            iterations=step + 1,
            status=status.astype(jnp.int32),
            running=finite & ~converged & (step + 1 < max_iterations),
        )

    empty = jnp.full(max_iterations, jnp.nan, problem.phi.dtype)
    start = _Loop(
        state=state,
        terms=Objective(*[empty] * len(Objective._fields)),
        flips=jnp.full(max_iterations, -1, jnp.int32),
        iterations=jnp.array(0, jnp.int32),
        status=jnp.array(Status.ITERATION_LIMIT, jnp.int32),
        running=jnp.array(True),
    )
    end = lax.while_loop(lambda loop: loop.running, iterate, start)
    return Solution(
        state=projection_step(problem, hyper, end.state, factor),
        objective=end.terms.total,
        terms=end.terms,
        iterations=end.iterations,
        flips=end.flips,
        status=end.status,
    )
