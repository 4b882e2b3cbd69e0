"""Batches of solves on the CPU: one cell after the other, instead of all in lockstep."""

from collections.abc import Callable
from typing import Any

import jax
from jax import lax
from jax.custom_batching import custom_vmap
from jax.typing import ArrayLike
from jaxtyping import Array


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

    def call(*args: Any) -> Any:
        leaves, tree = jax.tree.flatten(args)
        trees: list[Any] = []

        def of_leaves(*leaves: ArrayLike) -> list[Array]:
            out, out_tree = jax.tree.flatten(function(*jax.tree.unflatten(tree, leaves)))
            trees.append(out_tree)
            return out

        out = _in_sequence(of_leaves)(*leaves)
        return jax.tree.unflatten(trees[0], out)

    return call


def _in_sequence(function: Callable[..., list[Array]]) -> Callable[..., list[Array]]:
    """The same for a function from arrays to a list of arrays."""

    @custom_vmap
    def single(*arrays: ArrayLike) -> list[Array]:
        return function(*arrays)

    @single.def_vmap
    def _of_batch(size: int, batched: list[bool], *arrays: ArrayLike) -> tuple[list[Array], list[bool]]:
        del size
        if jax.default_backend() == "cpu":

            def one(moving: list[Array]) -> list[Array]:
                own = iter(moving)
                return single(
                    *(next(own) if moves else one for one, moves in zip(arrays, batched, strict=True))
                )

            out = lax.map(one, [one for one, moves in zip(arrays, batched, strict=True) if moves])
        else:
            axes = tuple(0 if moves else None for moves in batched)
            out = jax.vmap(function, in_axes=axes)(*arrays)
        return out, [True] * len(out)

    result: Callable[..., list[Array]] = single
    return result
