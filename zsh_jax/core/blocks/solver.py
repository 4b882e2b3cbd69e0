"""The alternating solver of the published form, over training samples in blocks: a loop on the host.

The loop calls a compiled program for a few blocks at a time. Between two calls it can write its position to a file, so
that a solve that was ended continues there.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, UInt8

from zsh_jax.core.blocks.iteration import (
    Fixed,
    Position,
    advance,
    first_position,
    fit_projection_to,
    inverse_factor,
)
from zsh_jax.core.blocks.stream import BLOCK, Mapped
from zsh_jax.core.loop import Solution
from zsh_jax.core.objective import objective_of_fits
from zsh_jax.core.precision import full_precision
from zsh_jax.core.problem import Hyperparameters, Problem, State
from zsh_jax.core.semantic_basis import problem_in_basis, state_out_of_basis
from zsh_jax.core.solver import AlphaSchedule, alphas_of

LONG = 1.0
"""Seconds of a call at most, if more than one block is done: a signal waits for its end."""
MOST = 1 << 20  # blocks of a call


def _call(function: Any, *args: Any, **static: Any) -> Any:
    return function(*args, **static)


class Keeper(NamedTuple):
    """Keeps the position of a long solve.

    Attributes:
        read: from a position with the same shapes to the position that was kept, or None.
        write: keeps a position.
        every: seconds of a solve after which its position is kept, and between two times.
    """

    read: Callable[[Position], Position | None]
    write: Callable[[Position], None]
    every: float = 60.0


Step = Callable[[Position, Int[Array, ""]], Position]
"""From a position and a maximum number of blocks to the next position."""


def _loop(step: Step, position: Position, how: "Running", number: int) -> Position:
    keeper = None if how.keeper is None else how.keeper(number)
    if keeper is not None:
        kept = keeper.read(position)
        position = position if kept is None else kept
    begun = written = passed = before = time.monotonic()
    count = how.at_once

    def write() -> None:
        if keeper is not None and time.monotonic() - begun >= keeper.every:
            keeper.write(position)

    try:
        while bool(position.running):
            position = jax.block_until_ready(step(position, jnp.asarray(count, jnp.int32)))
            now = time.monotonic()
            count = _next_count(count, now - before)
            if int(position.block) == 0:
                if int(position.iterations) > 0:
                    how.tell(position, now - passed)
                passed = now
            if keeper is not None and now - written >= keeper.every:
                write()
                written = now
            before = now
    except KeyboardInterrupt:  # a signal: the last position is whole
        write()
        raise
    write()
    return position


def _next_count(count: int, seconds: float) -> int:
    """Blocks of the next call, given the seconds of the last one."""
    if seconds > LONG:
        return max(1, count // 2)
    return min(2 * count, MOST) if seconds < LONG / 4 else count


class Running(NamedTuple):
    """How the loop runs; it does not change the result.

    Attributes:
        block: samples of a block.
        at_once: blocks of the first call; later calls take more or fewer.
        call: calls a jitted function with arguments, and static ones by keyword.
        keeper: of the solve with a number, from 0; None to keep nothing.
        tell: takes the position after each pass, and the seconds that the pass took.
        loop: the loop itself; another one finds the shapes of a solve.
    """

    block: int = BLOCK
    at_once: int = 4
    call: Callable[..., Any] = _call
    keeper: Callable[[int], Keeper] | None = None
    tell: Callable[[Position, float], None] = lambda position, seconds: None
    loop: Callable[[Step, Position, "Running", int], Position] = _loop


class Start(NamedTuple):
    """The start of a solve.

    Attributes:
        codes: packed.
        rotation: R.
    """

    codes: UInt8[Array, "n bytes"]
    rotation: Float[Array, "e e"]


class Solved(NamedTuple):
    """The result of a solve.

    Attributes:
        solution: its state has no codes.
        codes: packed.
        objective: J of the state.
    """

    solution: Solution[State]
    codes: UInt8[Array, "n bytes"]
    objective: Float[Array, ""]


def solve_in_blocks(
    mapped: Mapped,
    problem: Problem,
    hyper: Hyperparameters,
    start: Start,
    *,
    bits: int,
    rotation: Literal["procrustes", "none"] = "procrustes",
    max_iterations: int = 10,
    max_sweeps: int = 10,
    tolerance: Float[Array, ""] | float = 0.0,
    alpha_schedule: AlphaSchedule | None = None,
    running: Running | None = None,
    number: int = 0,
) -> Solved:
    """`zsh_jax.core.solver.solve` with memory for one block of Phi: the same steps in the same order.

    In float64 the codes are those of `solve`. Not a compiled program: it cannot be vmapped.

    Args:
        mapped: training samples.
        problem: products of the data; its `semantics` are the distinct targets, and `phi` is not read.
        hyper: as in `solve`; scalars.
        start: codes and rotation at the start.
        bits: code length l.
        rotation: as in `solve`.
        max_iterations: as in `solve`.
        max_sweeps: as in `solve`.
        tolerance: as in `solve`.
        alpha_schedule: as in `solve`.
        running: how the loop runs.
        number: of this solve among several starts.

    Returns:
        State, codes, traces and J.
    """
    how = Running() if running is None else running
    fixed, first = how.call(
        begin,
        problem,
        hyper,
        start,
        jnp.asarray(tolerance, problem.gram.dtype),
        None if alpha_schedule is None else alphas_of(hyper, alpha_schedule, max_iterations),
        bits=bits,
        max_iterations=max_iterations,
    )
    static = {"rotates": rotation == "procrustes", "max_sweeps": max_sweeps, "block": how.block}
    end = how.loop(partial(how.call, advance, mapped, fixed, **static), first, how, number)
    state, value = how.call(finish, fixed, end, problem, start.rotation)
    solution = Solution(state, end.terms.total, end.terms, end.iterations, end.flips, end.status)
    return Solved(solution, end.codes, value)


@partial(jax.jit, static_argnames=("bits", "max_iterations"))
@full_precision
def begin(
    problem: Problem,
    hyper: Hyperparameters,
    start: Start,
    tolerance: Float[Array, ""],
    alphas: Float[Array, " max_iterations"] | None,
    *,
    bits: int,
    max_iterations: int,
) -> tuple[Fixed, Position]:
    """What is fixed in `solve_in_blocks`, and its first position."""
    inside = problem_in_basis(problem)
    codes, rotation = start
    if problem.basis is not None:
        rotation = jnp.eye(problem.basis.shape[0], dtype=problem.gram.dtype)
    inverse = inverse_factor(inside, hyper) if alphas is None else None
    fixed = Fixed(inside, hyper, alphas, inverse, tolerance)
    return fixed, first_position(inside, codes, rotation, bits=bits, max_iterations=max_iterations)


@jax.jit
@full_precision
def finish(
    fixed: Fixed, end: Position, problem: Problem, initial_rotation: Float[Array, "e e"]
) -> tuple[State, Float[Array, ""]]:
    """Fit P once more, to the final codes, and leave the basis of the semantics."""
    sums, last = end.sums, end.flips.shape[0] - 1
    projection = fit_projection_to(fixed, sums, jnp.array(last))
    state = end.state._replace(projection=projection)
    # |B - Phi P|^2 from sums; B and W did not change, so |Y R - B W|^2 is that of the last pass.
    projection_fit = jnp.trace(sums.codes) - 2 * jnp.sum(projection * sums.features)
    projection_fit += jnp.sum(projection * (fixed.problem.gram @ projection))
    semantic_fit = end.terms.semantic_fit[end.iterations - 1]
    value = objective_of_fits(fixed.problem, fixed.hyper, state, semantic_fit, projection_fit).total
    return state_out_of_basis(problem, state, initial_rotation), value


__all__ = ["Keeper", "Mapped", "Running", "Solved", "solve_in_blocks"]
