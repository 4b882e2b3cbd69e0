"""Several devices: data splits are spread over the mesh axis `sweep`, and the samples of each split over `data`.

A program is written for the splits of one place of `sweep`. `spread` runs it at every place with the splits that lie
there, so that no place waits for another inside a program, and each split gives what it gives alone. Inside a place XLA
divides the program over `data`, with the help of `zsh_jax.core.sharding`. The devices may belong to several processes:
then each process makes what lies on its own devices, and `gathered` gives all of them the results.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec
from jax.typing import DTypeLike
from jaxtyping import Array, Shaped

from zsh_jax.core.sharding import DATA
from zsh_jax.errors import InputError

AXIS = "sweep"
Split = TypeVar("Split")
Lies = Callable[[Any], Any]
"""From a tree of shapes to the axis of each that lies over `data`, or -1."""
NOTHING: Mapping[str, Any] = MappingProxyType({})


def sweep_mesh(sweep: int | None, data: int = 1) -> Mesh | None:
    """The devices of a sweep.

    Args:
        sweep: places over which data splits are spread; None for as many as there are devices for.
        data: devices of each place, over which samples lie.

    Returns:
        A mesh; None for one device, which needs no mesh.

    Raises:
        InputError: if there are fewer devices, or processes would give different numbers.
    """
    devices = jax.devices()
    there = f"there are {len(devices)} devices ({devices[0].platform})"
    if data > len(devices):
        raise InputError(f"mesh.data: {there}, not {data}; fix: lower --config.mesh.data")
    sweep = len(devices) // data if sweep is None else sweep
    if sweep * data > len(devices):
        wanted = f"{sweep}" if data == 1 else f"{sweep} x {data}"
        raise InputError(f"mesh.sweep: {there}, not {wanted}; fix: lower --config.mesh.sweep")
    return None if sweep * data == 1 else mesh_of(_of_all_processes(devices, sweep * data), data)


def _of_all_processes(devices: Sequence[jax.Device], count: int) -> list[jax.Device]:
    """As many devices of each process; neighbours belong to one."""
    own: dict[int, list[jax.Device]] = {}
    for device in devices:
        own.setdefault(device.process_index, []).append(device)
    each = count // len(own)
    if count % len(own) or each > min(map(len, own.values())):
        raise InputError(
            f"mesh.sweep: {len(own)} processes cannot give {count} of {len(devices)} devices in equal parts; fix: "
            "--config.mesh.sweep, or start processes with as many devices each"
        )
    return [device for number in sorted(own) for device in own[number][:each]]


def mesh_of(devices: Sequence[jax.Device], data: int) -> Mesh:
    """A mesh with the axes `sweep` and `data`.

    Args:
        devices: a multiple of `data`; neighbours share a place of `sweep`.
        data: devices over which samples lie.

    Returns:
        The mesh, whose axes are divided by XLA where a program does not say how.
    """
    shape = (len(devices) // data, data)
    return jax.make_mesh(shape, (AXIS, DATA), axis_types=(AxisType.Auto,) * 2, devices=devices)


def places(mesh: Mesh | None) -> int:
    """Number of places over which data splits are spread."""
    return 1 if mesh is None else int(mesh.shape[AXIS])


def devices_of_a_place(mesh: Mesh | None) -> int:
    """Number of devices over which the samples of a split lie."""
    return 1 if mesh is None else int(mesh.shape[DATA])


def spans_processes(mesh: Mesh | None) -> bool:
    """Whether devices of other processes take part."""
    return mesh is not None and mesh.is_multi_process


def padded(splits: Sequence[Split], mesh: Mesh | None) -> list[Split]:
    """The splits, with the last one repeated until all places have as many."""
    return [*splits, *[splits[-1]] * (-len(splits) % places(mesh))]


def spread(
    function: Any,
    mesh: Mesh,
    args: Sequence[Any],
    *,
    whole: Collection[int] = (),
    lies: Lies | None = None,
    static: Mapping[str, Any] = NOTHING,
) -> Any:
    """A jitted function that runs at every place with the splits that lie there.

    Args:
        function: of arrays with a leading axis of splits, and of others.
        mesh: the devices.
        args: its arguments, or their shapes; those that lie over `data` keep to it.
        whole: positions of the arguments that every place has whole.
        lies: which axis of each result lies over `data`; None for no axis of any.
        static: static arguments by name.

    Returns:
        A function of the same arguments; results have a leading axis of all splits, spread over the places.
    """
    here = tuple(PartitionSpec() if place in whole else PartitionSpec(AXIS) for place in range(len(args)))
    on_each = jax.shard_map(
        partial(function, **static),
        mesh=mesh,
        in_specs=here,
        out_specs=PartitionSpec(AXIS),
        axis_names={AXIS} if mesh.shape[DATA] > 1 else {AXIS, DATA},
        check_vma=False,
    )
    placed = tuple(
        jax.tree.map(lambda leaf, spec=spec: NamedSharding(mesh, _along(spec, data_axis(leaf))), arg)
        for arg, spec in zip(args, here, strict=True)
    )
    out: Any = NamedSharding(mesh, PartitionSpec(AXIS))
    if lies is not None:
        axes = lies(jax.eval_shape(on_each, *args))
        out = jax.tree.map(lambda axis: NamedSharding(mesh, _along(PartitionSpec(AXIS), axis)), axes)
    return jax.jit(on_each, in_shardings=placed, out_shardings=out)


def _along(spec: PartitionSpec, axis: int) -> PartitionSpec:
    """A spec with another axis over `data`; -1 for none."""
    return spec if axis < 0 else PartitionSpec(*spec, *[None] * (axis - len(spec)), DATA)


def data_axis(leaf: Any) -> int:
    """The axis of an array, or of a shape, that lies over `data`; -1 for none."""
    sharding = getattr(leaf, "sharding", None)
    spec = sharding.spec if isinstance(sharding, NamedSharding) else ()
    return spec.index(DATA) if DATA in spec else -1


def on_one_device(tree: Any) -> Any:
    """Arrays of `on_every_device` on the first device alone, not copied."""
    return jax.tree.map(lambda leaf: leaf if len(leaf.devices()) == 1 else leaf.addressable_data(0), tree)


def on_every_device(tree: Any, mesh: Mesh | None) -> Any:
    """Arrays whole on every device; equal in all processes."""
    if mesh is None:
        return tree
    whole = NamedSharding(mesh, PartitionSpec())
    if not spans_processes(mesh):
        return jax.device_put(tree, whole)
    # `device_put` would send all of it to the other processes, to compare it.
    return jax.tree.map(lambda leaf: jax.make_array_from_callback(leaf.shape, whole, lambda _: leaf), tree)


def stacked(make: Callable[[int], Split], count: int, mesh: Mesh | None) -> Split:
    """Trees of arrays on a leading axis.

    Args:
        make: makes the tree of a row; called for the rows that lie on devices of this process alone.
        count: number of rows.
        mesh: the devices; None for one.

    Returns:
        The rows, spread over the devices of all processes if there are several.
    """
    if mesh is None or not spans_processes(mesh):
        return _stacked([make(row) for row in range(count)])
    spread_out = NamedSharding(mesh, PartitionSpec(AXIS))
    ranges = sorted(
        {_rows(where, count) for where in spread_out.addressable_devices_indices_map((count,)).values()}
    )
    parts = [_stacked([make(row) for row in range(*rows)]) for rows in ranges]

    def joined(*leaves: jax.Array) -> jax.Array:
        def part(where: Any) -> jax.Array:
            return leaves[ranges.index(_rows(where, count))]

        return jax.make_array_from_callback((count, *leaves[0].shape[1:]), spread_out, part)

    whole: Split = jax.tree.map(joined, *parts)
    return whole


def _rows(where: Any, count: int) -> tuple[int, int]:
    """First row of an index, and the row after its last."""
    first, end, _ = where[0].indices(count)
    return first, end


@jax.jit
def _stacked(rows: list[Split]) -> Split:
    """Rows on a leading axis, by one program."""
    joined: Split = jax.tree.map(lambda *leaves: jnp.stack(leaves), *rows)
    return joined


def gathered(tree: Any, mesh: Mesh | None) -> Any:
    """Arrays on the host; in every process all of them."""
    if mesh is not None and spans_processes(mesh):
        tree = _whole(mesh)(tree)
    return jax.device_get(tree)


@lru_cache(maxsize=8)
def _whole(mesh: Mesh) -> Any:
    return jax.jit(lambda tree: tree, out_shardings=NamedSharding(mesh, PartitionSpec()))


def rows_over_data(rows: Shaped[np.ndarray, "n *s"], dtype: DTypeLike, mesh: Mesh) -> Shaped[Array, "m *s"]:
    """Rows spread over `data`, with zeros up to a multiple of its devices; each device reads its own rows alone."""
    made = shape_over_data(rows.shape, dtype, mesh)

    def part(index: tuple[slice, ...] | None) -> Shaped[np.ndarray, "r *s"]:
        start, stop, _ = (slice(None) if index is None else index[0]).indices(made.shape[0])
        own = np.asarray(rows[start:stop], dtype)
        return np.pad(own, ((0, stop - start - len(own)), *((0, 0) for _ in rows.shape[1:])))

    return jax.make_array_from_callback(made.shape, made.sharding, part)


def shape_over_data(shape: tuple[int, ...], dtype: DTypeLike, mesh: Mesh | None) -> Any:
    """The shape of `rows_over_data`."""
    if mesh is None:
        return jax.ShapeDtypeStruct(shape, dtype)
    even = (shape[0] + -shape[0] % mesh.shape[DATA], *shape[1:])
    return jax.ShapeDtypeStruct(even, dtype, sharding=NamedSharding(mesh, PartitionSpec(DATA)))


def of_splits(shape: tuple[int, ...], dtype: Any, mesh: Mesh | None, axis: int = -1) -> Any:
    """The shape of an array with a leading axis of splits, and another over `data`; -1 for no other."""
    sharding = None if mesh is None else NamedSharding(mesh, _along(PartitionSpec(AXIS), axis))
    return jax.ShapeDtypeStruct(shape, dtype, sharding=sharding)
