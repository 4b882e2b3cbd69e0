"""Solve from several starts and keep the result with the lowest objective."""

from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

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
    keys = key[None]
    if restarts > 1:
        fold = jax.vmap(jax.random.fold_in, (None, 0))
        keys = jnp.concatenate([keys, fold(key, jnp.arange(1, restarts))])
    solutions, values = jax.vmap(solve_from)(keys)
    best = jnp.argmin(jnp.where(jnp.isfinite(values), values, jnp.inf))
    solution: Solution[Unknowns] = jax.tree.map(lambda leaf: leaf[best], solutions)
    trace = Trace(
        objective=values[best],
        start_objectives=values,
        terms=solution.terms,
        flips=solution.flips,
        iterations=solution.iterations,
        status=solution.status,
    )
    return solution.state, trace
