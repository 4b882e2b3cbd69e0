"""Batches of loops on accelerators: cells that rest leave the batch, instead of waiting for the slowest.

A loop under vmap makes passes over its whole batch until the slowest cell rests. Here it does so until half of the
batch rests. Then cells that still run are gathered, a quarter of the batch at a time, and each part runs to its end.
The program has the pass twice: once for the whole batch, once for a part.

Cells that share most of what a pass works on, such as whitened features, are a group: it runs while any of its cells
runs, and is gathered as a whole. So what cells share is never copied for each of them, and a part holds about a
quarter of what the whole batch holds.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.custom_batching import custom_vmap
from jax.interpreters.partial_eval import dce_jaxpr_consts
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Int

Loop = TypeVar("Loop")
PARTS = 4
"""A part is a quarter of a batch: with thirds passes cost more, with eighths more of them wait for each other."""


def part_width(groups: int) -> int:
    """Number of groups in a part of a batch, once at most half of all groups run.

    Args:
        groups: number of groups in the whole batch.

    Returns:
        A quarter of it, rounded up.
    """
    return -(-groups // PARTS)


def loop_while(running: Callable[[Loop], Bool[Array, ""]], once: Callable[[Loop], Loop], start: Loop) -> Loop:
    """`jax.lax.while_loop`, but under vmap of any depth cells that rest leave the batch.

    On the CPU it is `jax.lax.while_loop`: there `zsh_jax.core.one_by_one` lets no cell wait for another.

    Args:
        running: whether a loop goes on.
        once: one pass. It may close over traced arrays, of which vmap may map any.
        start: a pytree of arrays.

    Returns:
        The last value; of each cell the same as alone.
    """
    if jax.default_backend() == "cpu":
        return lax.while_loop(running, once, start)
    leaves, tree = jax.tree.flatten(start)

    def flat(*leaves: Array) -> list[Array]:
        return jax.tree.leaves(once(jax.tree.unflatten(tree, leaves)))

    # What `once` closes over becomes an argument if it is read: a rule for vmap may not close over traced values.
    traced = jax.make_jaxpr(flat)(*leaves)
    kept = [False] * len(traced.consts) + [True] * len(leaves)
    jaxpr, reads, _ = dce_jaxpr_consts(traced.jaxpr, [True] * len(leaves), kept)
    fixed = [one for one, is_read in zip(traced.consts, reads, strict=True) if is_read]
    loops = _Loops(
        running=lambda moving: running(jax.tree.unflatten(tree, moving)),
        once=lambda fixed, moving: jax.core.eval_jaxpr(jaxpr, fixed, *moving),
        fixed=len(fixed),
    )
    return jax.tree.unflatten(tree, _over(loops, ())(*fixed, *leaves))


class _Loops(NamedTuple):
    """A loop whose unknowns are the arrays `moving`; it also reads the arrays `fixed`."""

    running: Callable[[list[Array]], Bool[Array, ""]]
    once: Callable[[list[Array], list[Array]], list[Array]]  # of fixed and moving
    fixed: int  # number of arrays


class _Axis(NamedTuple):
    """An axis of a batch of loops."""

    size: int
    has: tuple[bool, ...]  # which arrays have this axis, the fixed ones first


def _over(loops: _Loops, axes: tuple[_Axis, ...]) -> Callable[..., list[Array]]:
    """From the arrays of a batch to their last values; each further vmap adds an axis, outside the others."""

    @custom_vmap
    def run(*arrays: ArrayLike) -> list[Array]:
        leaves = [jnp.asarray(one) for one in arrays]
        fixed, moving = leaves[: loops.fixed], leaves[loops.fixed :]
        if axes:
            return _run_batch(loops, axes, fixed, moving)
        return lax.while_loop(loops.running, partial(loops.once, fixed), moving)

    @run.def_vmap
    def _of_batch(size: int, batched: list[bool], *arrays: ArrayLike) -> tuple[list[Array], list[bool]]:
        out = _over(loops, (_Axis(size, tuple(batched)), *axes))(*arrays)
        return out, [True] * len(out)

    result: Callable[..., list[Array]] = run
    return result


def _run_batch(
    loops: _Loops, axes: tuple[_Axis, ...], fixed: list[Array], moving: list[Array]
) -> list[Array]:
    """Give each unknown every axis, move the axes of groups to the front, and run."""
    places = range(len(axes))
    owns = [[place for place in places if axes[place].has[i]] for i in range(len(axes[0].has))]
    shape = tuple(axis.size for axis in axes)
    for i, leaf in enumerate(moving):
        own = owns[loops.fixed + i]
        whole = jnp.expand_dims(leaf, [place for place in places if place not in own])
        moving[i] = jnp.broadcast_to(whole, shape + leaf.shape[len(own) :])
    outer = _axes_of_groups(shape, owns, fixed, moving)
    order = [*outer, *(place for place in places if place not in outer)]
    fixed = [
        _leading(leaf, [own.index(place) for place in order if place in own])
        for leaf, own in zip(fixed, owns[: loops.fixed], strict=True)
    ]
    moving = [_leading(leaf, order) for leaf in moving]
    sorted_axes = [axes[place] for place in order]
    ends = _run_groups(loops, sorted_axes[: len(outer)], sorted_axes[len(outer) :], fixed, moving)
    return [_leading(leaf, [order.index(place) for place in places]) for leaf in ends]


def _axes_of_groups(
    shape: tuple[int, ...], owns: list[list[int]], fixed: list[Array], moving: list[Array]
) -> list[int]:
    """The axes along which at least half of the numbers differ that a pass of a cell works on.

    Numbers that all cells of the batch share do not count: nothing copies them.
    """
    numbers = [
        (leaf.size // math.prod(shape[place] for place in own), set(own))
        for leaf, own in zip(fixed, owns[: len(fixed)], strict=True)
    ]
    unknowns = sum(leaf.size for leaf in moving) // math.prod(shape)
    varied = [place for place, size in enumerate(shape) if size > 1]

    def differing(along: set[int]) -> int:
        return unknowns + sum(number for number, own in numbers if own & along)

    return [place for place in varied if 2 * differing({place}) >= differing(set(varied))]


def _leading(leaf: Array, order: Sequence[int]) -> Array:
    """The array with its leading axes in another order."""
    return leaf.transpose(*order, *range(len(order), leaf.ndim))


def _run_groups(
    loops: _Loops, outer: Sequence[_Axis], inner: Sequence[_Axis], fixed: list[Array], moving: list[Array]
) -> list[Array]:
    """Run a batch whose axes are those of groups, then those of the cells of a group."""
    shape = tuple(axis.size for axis in outer)
    groups = math.prod(shape)

    def once(fixed: list[Array], moving: list[Array]) -> list[Array]:
        """A pass of one cell, which changes nothing if it rests."""
        runs = loops.running(moving)
        after = loops.once(fixed, moving)
        return [lax.select(runs, new, old) for new, old in zip(after, moving, strict=True)]

    def over(axes: Sequence[_Axis]) -> Any:
        function: Any = once
        for axis in reversed(axes):
            own = [0 if has else None for has in axis.has[: loops.fixed]]
            function = jax.vmap(function, in_axes=(own, 0), axis_size=axis.size)
        return function

    def all_once(fixed: list[Array], moving: list[Array]) -> list[Array]:
        after = over([*outer, *inner])(fixed, [leaf.reshape(shape + leaf.shape[1:]) for leaf in moving])
        return [_in_rows(leaf, len(outer)) for leaf in after]

    # Which row of each fixed array a group reads; None if all groups read the whole array.
    rows = [_rows(shape, [axis.has[i] for axis in outer]) for i in range(loops.fixed)]
    some_once = jax.vmap(over(inner), in_axes=([None if row is None else 0 for row in rows], 0))

    def running(moving: list[Array]) -> Bool[Array, " groups"]:
        of_cells = loops.running
        for _ in range(1 + len(inner)):
            of_cells = jax.vmap(of_cells)
        return of_cells(moving).reshape(len(moving[0]), -1).any(1)

    def run_part(moving: list[Array]) -> list[Array]:
        """Gather groups that run, as many as a part holds, run them to their end, and put them back."""
        part = jnp.argsort(~running(moving), stable=True)[: part_width(groups)]
        read = [
            leaf if row is None else _in_rows(leaf, sum(axis.has[i] for axis in outer))[row[part]]
            for i, (leaf, row) in enumerate(zip(fixed, rows, strict=True))
        ]
        own = [leaf[part] for leaf in moving]
        ends = lax.while_loop(lambda now: running(now).any(), partial(some_once, read), own)
        return [leaf.at[part].set(end) for leaf, end in zip(moving, ends, strict=True)]

    moving = [_in_rows(leaf, len(outer)) for leaf in moving]
    most = -(-groups // 2) if groups > 1 else 0
    moving = lax.while_loop(lambda now: running(now).sum() > most, partial(all_once, fixed), moving)
    if most:
        moving = lax.while_loop(lambda now: running(now).any(), run_part, moving)
    return [leaf.reshape(shape + leaf.shape[1:]) for leaf in moving]


def _in_rows(leaf: Array, axes: int) -> Array:
    """The array with its leading axes as one; with none, an axis of length 1 more."""
    return leaf.reshape(math.prod(leaf.shape[:axes]), *leaf.shape[axes:])


def _rows(shape: tuple[int, ...], has: list[bool]) -> Int[Array, " groups"] | None:
    """The row of each group in an array that has some of the axes; None if it has none."""
    if not any(has):
        return None
    own = [size if one else 1 for size, one in zip(shape, has, strict=True)]
    return jnp.asarray(np.broadcast_to(np.arange(math.prod(own)).reshape(own), shape).ravel())
