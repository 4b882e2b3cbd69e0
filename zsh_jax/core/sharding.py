"""Arrays whose rows, one a sample, lie over several devices.

Under a mesh with the axis `data` a program is still written for whole arrays: XLA divides it, and adds sums up over the
devices. These functions help where XLA alone would gather all rows on every device. Without such a mesh they only apply
what they are given.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar

import jax
import jax.numpy as jnp
from jax import lax
from jax.sharding import PartitionSpec
from jaxtyping import Array, Bool, Int, Shaped

DATA = "data"
"""The axis of a mesh over which samples lie."""

Tree = TypeVar("Tree")


def data_devices() -> int:
    """Number of devices over which samples lie where a program is traced; 1 without a mesh."""
    mesh = jax.sharding.get_abstract_mesh()
    return int(mesh.shape[DATA]) if DATA in mesh.auto_axes else 1


def rows_apart(rows: Tree) -> Tree:
    """Say that the rows of arrays lie over the devices; their number need not be a multiple of theirs."""
    if data_devices() == 1:
        return rows
    apart: Tree = jax.tree.map(lambda leaf: lax.with_sharding_constraint(leaf, PartitionSpec(DATA)), rows)
    return apart


def rows_together(rows: Tree) -> Tree:
    """Have all rows of arrays on every device, for work that needs them at once: sorting, or few rows."""
    if data_devices() == 1:
        return rows
    whole: Tree = jax.tree.map(lambda leaf: lax.with_sharding_constraint(leaf, PartitionSpec()), rows)
    return whole


def even_rows(rows: Tree) -> Tree:
    """Append rows of zeros up to a multiple of the devices, as arrays between two programs need it."""
    missing = data_devices()

    def of_leaf(leaf: Shaped[Array, "n *s"]) -> Shaped[Array, "m *s"]:
        blank = -leaf.shape[0] % missing
        return jnp.pad(leaf, ((0, blank), *((0, 0) for _ in leaf.shape[1:]))) if blank else leaf

    return rows_apart(jax.tree.map(of_leaf, rows))


def first_rows(rows: Tree, count: int) -> Tree:
    """The rows of arrays before those that `even_rows` appended."""
    return rows_apart(jax.tree.map(lambda leaf: leaf[:count] if leaf.shape[0] > count else leaf, rows))


def by_share(
    function: Callable[..., Any],
    rows: Sequence[Any],
    whole: Any = (),
    *,
    gives: Literal["rows", "columns", "sums"] = "rows",
) -> Any:
    """Apply a function to the rows of each device alone.

    Args:
        function: from arrays of rows, and what is given as `whole`, to arrays; it closes over no traced value.
        rows: pytrees of arrays of n rows. Each device has as many: rows of zeros are appended.
        whole: a sequence of pytrees of arrays, which each device has whole.
        gives: "rows" if results have a row for each row, "columns" if they have a column for it, or "sums" if they are
            sums over rows, to which rows of zeros contribute nothing.

    Returns:
        Results of all n rows.
    """
    if data_devices() == 1:
        return function(*rows, *whole)
    count = jax.tree.leaves(rows)[0].shape[0]

    def of_share(rows: Any, whole: Any) -> Any:
        found = function(*rows, *whole)
        return lax.psum(found, DATA) if gives == "sums" else found

    axis = {"rows": PartitionSpec(DATA), "columns": PartitionSpec(None, DATA), "sums": PartitionSpec()}
    found = jax.shard_map(
        of_share,
        in_specs=(PartitionSpec(DATA), PartitionSpec()),
        out_specs=axis[gives],
        axis_names={DATA},
        check_vma=False,
    )(even_rows(tuple(rows)), tuple(whole))
    if gives == "rows":
        return jax.tree.map(lambda leaf: leaf[:count], found)
    return jax.tree.map(lambda leaf: leaf[:, :count], found) if gives == "columns" else found


def are_rows(rows: Shaped[Array, "n *s"]) -> Bool[Array, " n"]:
    """True for each row; an argument of `by_share` whose appended rows are False."""
    return jnp.ones(rows.shape[0], bool)


def take_rows(table: Tree, index: Int[Array, " k"]) -> Tree:
    """Rows of arrays that lie over the devices, in any order; they lie over the devices too.

    Each device in turn receives its rows from the others, so that none holds them all.

    Args:
        table: arrays of n rows.
        index: of rows.

    Returns:
        Arrays of k rows.
    """
    devices = data_devices()
    if devices == 1:
        return jax.tree.map(lambda leaf: leaf[index], table)
    count = index.shape[0]
    each = -(-count // devices)
    index = jnp.pad(index, (0, devices * each - count))

    def of_leaf(own: Shaped[Array, "r *s"], index: Int[Array, " k"]) -> Shaped[Array, "e *s"]:
        place = lax.axis_index(DATA)

        def give(turn: Int[Array, ""], received: Shaped[Array, "e *s"]) -> Shaped[Array, "e *s"]:
            wanted = lax.dynamic_slice_in_dim(index, turn * each, each) - place * own.shape[0]
            here = (wanted >= 0) & (wanted < own.shape[0])
            found = own[jnp.where(here, wanted, 0)]
            found = jnp.where(here.reshape(-1, *[1] * (own.ndim - 1)), found, jnp.zeros((), own.dtype))
            return jnp.where(place == turn, _sum_of_one(found), received)

        return lax.fori_loop(0, devices, give, jnp.zeros((each, *own.shape[1:]), own.dtype))

    taken = jax.shard_map(
        lambda table, index: jax.tree.map(lambda leaf: of_leaf(leaf, index), table),
        in_specs=(PartitionSpec(DATA), PartitionSpec()),
        out_specs=PartitionSpec(DATA),
        axis_names={DATA},
        check_vma=False,
    )(even_rows(table), index)
    return jax.tree.map(lambda leaf: leaf[:count], taken)


def _sum_of_one(rows: Shaped[Array, "e *s"]) -> Shaped[Array, "e *s"]:
    """Rows that are zero on all devices but one."""
    return lax.psum(rows.astype(jnp.uint8), DATA) > 0 if rows.dtype == bool else lax.psum(rows, DATA)
