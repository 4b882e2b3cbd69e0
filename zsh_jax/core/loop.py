"""The loop of all solvers: iterate until the codes stop changing, and record the objective."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Generic, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from zsh_jax.core.compaction import loop_while
from zsh_jax.core.objective import Objective

Unknowns = TypeVar("Unknowns")


class Status(IntEnum):
    """Result of a solve. Failure is data: nothing is raised inside a compiled program."""

    CONVERGED = 0
    ITERATION_LIMIT = 1
    NON_FINITE = 2


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Solution(Generic[Unknowns]):
    """The result of a solve, with its traces: one value an iteration, NaN after the last one.

    Attributes:
        state: the last unknowns; in a solver, the projection is fitted once more to the final codes.
        objective: J after each iteration.
        terms: J and its five terms after each iteration.
        iterations: number of iterations.
        flips: bits that changed in each iteration; -1 after the last one.
        status: a `Status`.
    """

    state: Unknowns
    objective: Float[Array, "*sweep max_iterations"]
    terms: Objective
    iterations: Int[Array, "*sweep"]
    flips: Int[Array, "*sweep max_iterations"]
    status: Int[Array, "*sweep"]


def with_state(solution: Solution[Any], state: Unknowns) -> Solution[Unknowns]:
    """The solution with its traces, and another state."""
    return Solution(
        state, solution.objective, solution.terms, solution.iterations, solution.flips, solution.status
    )


class _Loop(NamedTuple):
    state: Any
    terms: Objective  # (max_iterations,) each
    flips: Int[Array, " max_iterations"]
    iterations: Int[Array, ""]
    status: Int[Array, ""]
    running: Bool[Array, ""]


def alternate(
    start: Unknowns,
    iterate: Callable[[Unknowns, Int[Array, ""]], Unknowns],
    value: Callable[[Unknowns, Int[Array, ""]], Objective],
    codes_of: Callable[[Unknowns], Float[Array, "n l"]],
    *,
    max_iterations: int,
    tolerance: Float[Array, ""] | float = 0.0,
    until_rest: bool = True,
) -> Solution[Unknowns]:
    """Iterate from `start` until a pass flips no bit, J decreases too slowly, or the limit is reached.

    Args:
        start: the initial unknowns; a pytree of arrays.
        iterate: one pass over the steps, given the unknowns and the index of the pass.
        value: J after that pass.
        codes_of: the codes among the unknowns; a flip is a change of sign.
        max_iterations: maximum number of passes; static.
        tolerance: stop, converged, once the relative decrease of J in a pass is below this; 0 turns the test off.
        until_rest: whether to stop early; static. If not, all passes are done: the count is fixed, and the loop a scan.

    Returns:
        The last unknowns, and the traces.
    """

    def once(loop: _Loop) -> _Loop:
        step = loop.iterations
        state = iterate(loop.state, step)
        now = value(state, step)
        flips = jnp.sum((codes_of(state) > 0) != (codes_of(loop.state) > 0), dtype=jnp.int32)
        previous = loop.terms.total[jnp.maximum(step - 1, 0)]
        slow = (step > 0) & (previous - now.total < tolerance * jnp.abs(previous)) & (tolerance > 0)
        converged = ((flips == 0) & until_rest) | slow
        finite = jnp.isfinite(now.total)
        status = jnp.where(
            finite, jnp.where(converged, Status.CONVERGED, Status.ITERATION_LIMIT), Status.NON_FINITE
        )
        return _Loop(
            state=state,
            terms=jax.tree.map(lambda trace, one: trace.at[step].set(one), loop.terms, now),
            flips=loop.flips.at[step].set(flips),
            iterations=step + 1,
            status=status.astype(jnp.int32),
            running=finite & ~converged & (step + 1 < max_iterations),
        )

    empty = jnp.full(max_iterations, jnp.nan, codes_of(start).dtype)
    first = _Loop(
        state=start,
        terms=Objective(*[empty] * len(Objective._fields)),
        flips=jnp.full(max_iterations, -1, jnp.int32),
        iterations=jnp.array(0, jnp.int32),
        status=jnp.array(Status.ITERATION_LIMIT, jnp.int32),
        running=jnp.array(True),
    )
    if until_rest:
        end = loop_while(lambda loop: loop.running, once, first)
    else:
        end, _ = lax.scan(lambda loop, _: (once(loop), None), first, length=max_iterations)
    return Solution(end.state, end.terms.total, end.terms, end.iterations, end.flips, end.status)
