"""Several devices: data splits are spread over the mesh axis `sweep`, and the samples of each split over `data`.

A program is written for the splits of one place of `sweep`. `spread` runs it at every place with the splits that lie
there, so that no place waits for another inside a program, and each split gives what it gives alone.
"""

from collections.abc import Collection, Sequence
from functools import lru_cache, partial
from typing import Any, TypeVar

import jax
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from zsh_jax.errors import InputError

AXIS, DATA = "sweep", "data"
Split = TypeVar("Split")


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


def padded(splits: Sequence[Split], mesh: Mesh | None) -> list[Split]:
    """The splits, with the last one repeated until all places have as many."""
    return [*splits, *[splits[-1]] * (-len(splits) % places(mesh))]


@lru_cache(maxsize=256)
def spread(
    function: Any, mesh: Mesh, whole: Collection[int], arguments: int, static: tuple[tuple[str, Any], ...]
) -> Any:
    """A jitted function that runs at every place with the splits that lie there.

    Args:
        function: of arrays with a leading axis of splits, and of others.
        mesh: the devices.
        whole: positions of the arguments that every place has whole.
        arguments: number of arguments.
        static: static arguments by name.

    Returns:
        A function of the same arguments; results have a leading axis of all splits, spread over the places.
    """
    specs = tuple(PartitionSpec() if place in whole else PartitionSpec(AXIS) for place in range(arguments))
    out = PartitionSpec(AXIS)
    on_each = jax.shard_map(
        partial(function, **dict(static)), mesh=mesh, in_specs=specs, out_specs=out, check_vma=False
    )
    placed = tuple(NamedSharding(mesh, spec) for spec in specs)
    return jax.jit(on_each, in_shardings=placed, out_shardings=NamedSharding(mesh, out))


def on_every_device(tree: Any, mesh: Mesh | None) -> Any:
    """Arrays whole on every device."""
    return tree if mesh is None else jax.device_put(tree, NamedSharding(mesh, PartitionSpec()))
