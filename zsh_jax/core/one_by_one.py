"""Batches of solves on the CPU: one cell after the other, instead of all in lockstep."""

from collections.abc import Callable
from typing import Any

import jax
from jax import lax
from jax.custom_batching import custom_vmap


def one_by_one_on_cpu(function: Callable[..., Any]) -> Callable[..., Any]:
    """Under vmap of any depth, run a function for each element of the batch in sequence on the CPU.

    A loop under vmap runs until its slowest element is done, and computes on all of them until then. In sequence, each
    element costs what it costs alone, and has the same result whatever batch it is in. What the elements share is not
    copied. Accelerators are too wide for one element: there it is plain vmap.

    Args:
        function: of pytrees of arrays; it may not close over traced values.

    Returns:
        The function, with that rule.
    """

    @custom_vmap
    def single(*args: Any) -> Any:
        return function(*args)

    @single.def_vmap
    def _of_batch(size: int, batched: list[Any], *args: Any) -> tuple[Any, Any]:
        del size
        leaves, tree = jax.tree.flatten(args)
        moves = jax.tree.leaves(batched)
        if jax.default_backend() == "cpu":

            def one(moving: list[Any]) -> Any:
                left = iter(moving)
                own = [next(left) if move else leaf for leaf, move in zip(leaves, moves, strict=True)]
                return single(*jax.tree.unflatten(tree, own))

            out = lax.map(one, [leaf for leaf, move in zip(leaves, moves, strict=True) if move])
        else:
            axes = jax.tree.unflatten(tree, [0 if move else None for move in moves])
            out = jax.vmap(function, in_axes=axes)(*args)
        return out, jax.tree.map(lambda _: True, out)

    return single
