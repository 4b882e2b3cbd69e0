"""Solve from several starts and keep the result with the lowest objective."""

from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key, PRNGKeyArray

from zsh_jax.core.loop import Solution
from zsh_jax.methods.protocol import Trace

Unknowns = TypeVar("Unknowns")
ROTATION = 0  # folded into the key for a random rotation; later starts use 1, 2, ...


def best_start(
    solve_from: Callable[[PRNGKeyArray], tuple[Solution[Unknowns], Float[Array, ""]]],
    key: PRNGKeyArray,
    *,
    restarts: int,
) -> tuple[Unknowns, Trace]:
    """Solve from each start and keep the best result.

    Args:
        solve_from: from the key of a start to a solution and its final objective.
        key: of the first start; the others are folded from it.
        restarts: number of starts; static.

    Returns:
        The state with the lowest objective, and its trace. Results that are not finite are never chosen.
    """
    solutions, values = jax.vmap(solve_from)(start_keys(key, restarts=restarts))
    best = best_of(values)
    solution: Solution[Unknowns] = jax.tree.map(lambda leaf: leaf[best], solutions)
    return solution.state, trace_of(solution, values[best], values)


def start_keys(key: PRNGKeyArray, *, restarts: int) -> Key[Array, " restarts"]:
    """The keys of the starts: the one given, and others folded from it."""
    keys = key[None]
    if restarts > 1:
        fold = jax.vmap(jax.random.fold_in, (None, 0))
        keys = jnp.concatenate([keys, fold(key, jnp.arange(1, restarts))])
    return keys


def best_of(values: Float[Array, " restarts"]) -> Int[Array, ""]:
    """The start with the lowest finite objective."""
    return jnp.argmin(jnp.where(jnp.isfinite(values), values, jnp.inf))


def trace_of(solution: Solution[Any], objective: Float[Array, ""], every: Float[Array, " restarts"]) -> Trace:
    """The trace of a solution.

    Args:
        solution: the best one.
        objective: its final J.
        every: final J of each start.

    Returns:
        The trace.
    """
    return Trace(
        objective=objective,
        start_objectives=every,
        terms=solution.terms,
        flips=solution.flips,
        iterations=solution.iterations,
        status=solution.status,
    )
