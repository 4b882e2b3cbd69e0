"""Several devices: the data splits of a batch are spread over them, each with all its cells.

A program is written for the splits of one device. `spread` runs it on every device with the splits that lie there, so
that no device waits for another inside a program, and each split gives what it gives alone.
"""

from collections.abc import Collection, Sequence
from functools import lru_cache, partial
from typing import Any, TypeVar

import jax
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from zsh_jax.errors import InputError

AXIS = "sweep"
Split = TypeVar("Split")


def sweep_mesh(count: int | None) -> Mesh | None:
    """The devices of a sweep.

    Args:
        count: number of devices; None for all of this process.

    Returns:
        A mesh with one axis; None for one device, which needs no mesh.

    Raises:
        InputError: if there are fewer devices.
    """
    devices = jax.local_devices()
    count = len(devices) if count is None else count
    if count > len(devices):
        raise InputError(
            f"mesh.sweep: there are {len(devices)} devices ({devices[0].platform}), not {count}; fix: lower "
            "--config.mesh.sweep"
        )
    if count == 1:
        return None
    return jax.make_mesh((count,), (AXIS,), axis_types=(AxisType.Auto,), devices=devices[:count])


def devices_of(mesh: Mesh | None) -> int:
    """Number of devices."""
    return 1 if mesh is None else mesh.size


def padded(splits: Sequence[Split], mesh: Mesh | None) -> list[Split]:
    """The splits, with the last one repeated until all devices have as many."""
    return [*splits, *[splits[-1]] * (-len(splits) % devices_of(mesh))]


@lru_cache(maxsize=256)
def spread(
    function: Any, mesh: Mesh, whole: Collection[int], arguments: int, static: tuple[tuple[str, Any], ...]
) -> Any:
    """A jitted function that runs on every device with the splits that lie there.

    Args:
        function: of arrays with a leading axis of splits, and of others.
        mesh: the devices.
        whole: positions of the arguments that every device has whole.
        arguments: number of arguments.
        static: static arguments by name.

    Returns:
        A function of the same arguments; results have a leading axis of all splits, spread over the devices.
    """
    specs = tuple(PartitionSpec() if place in whole else PartitionSpec(AXIS) for place in range(arguments))
    out = PartitionSpec(AXIS)
    on_each = jax.shard_map(
        partial(function, **dict(static)), mesh=mesh, in_specs=specs, out_specs=out, check_vma=False
    )
    placed = tuple(NamedSharding(mesh, spec) for spec in specs)
    return jax.jit(on_each, in_shardings=placed, out_shardings=NamedSharding(mesh, out))


def on_one_device(tree: Any) -> Any:
    """Arrays of `on_every_device` on the first device alone, not copied."""
    return jax.tree.map(lambda leaf: leaf if len(leaf.devices()) == 1 else leaf.addressable_data(0), tree)


def on_every_device(tree: Any, mesh: Mesh | None) -> Any:
    """Arrays whole on every device."""
    return tree if mesh is None else jax.device_put(tree, NamedSharding(mesh, PartitionSpec()))
