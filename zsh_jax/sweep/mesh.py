"""Several devices: data splits are spread over the mesh axis `sweep`, and the samples of each split over `data`.

A program is written for the splits of one place of `sweep`. `spread` runs it at every place with the splits that lie
there, so that no place waits for another inside a program, and each split gives what it gives alone. Inside a place XLA
divides the program over `data`, with the help of `zsh_jax.core.sharding`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar

import jax
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
        sweep: places over which data splits are spread; None for as many as the devices of this process allow.
        data: devices of each place, over which samples lie.

    Returns:
        A mesh; None for one device, which needs no mesh.

    Raises:
        InputError: if there are fewer devices.
    """
    devices = jax.local_devices()
    there = f"there are {len(devices)} devices ({devices[0].platform})"
    if data > len(devices):
        raise InputError(f"mesh.data: {there}, not {data}; fix: lower --config.mesh.data")
    sweep = len(devices) // data if sweep is None else sweep
    if sweep * data > len(devices):
        wanted = f"{sweep}" if data == 1 else f"{sweep} x {data}"
        raise InputError(f"mesh.sweep: {there}, not {wanted}; fix: lower --config.mesh.sweep")
    return None if sweep * data == 1 else mesh_of(devices[: sweep * data], data)


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


def on_every_device(tree: Any, mesh: Mesh | None) -> Any:
    """Arrays whole on every device."""
    return tree if mesh is None else jax.device_put(tree, NamedSharding(mesh, PartitionSpec()))


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
