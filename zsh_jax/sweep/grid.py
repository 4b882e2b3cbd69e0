"""From the axes of a configuration to groups of cells that share a compiled program."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import product
from types import MappingProxyType
from typing import Any, TypeVar

from zsh_jax.errors import InputError
from zsh_jax.sweep.axes import AXES, Cell, DataSplit, Program, Weights

AxisGroup = TypeVar("AxisGroup", DataSplit, Program, Weights)
Item = TypeVar("Item")

Choices = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""By variant, then by set of unseen classes, the axes that were tuned and the value of each."""

NO_CHOICES: Choices = MappingProxyType({})
NO_VARIANTS: Mapping[str, Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True)
class Group:
    """Cells of one compiled program: every data split with every set of weights.

    Attributes:
        splits: data splits of one shape.
        program: the static axes.
        weights: the traced axes.
        variant: whose grid it is of; "" where there are none.
    """

    splits: tuple[DataSplit, ...]
    program: Program
    weights: tuple[Weights, ...]
    variant: str = ""

    def cells(self) -> Iterator[Cell]:
        """All cells, split by split."""
        for split, weights in product(self.splits, self.weights):
            yield Cell(split, self.program, weights, self.variant)

    def __len__(self) -> int:
        """Number of cells."""
        return len(self.splits) * len(self.weights)


def _values(axes: Mapping[str, Any], axis: str) -> tuple[Any, ...]:
    values = axes[axis]
    if not isinstance(values, tuple | list):
        values = (values,)
    if not values:
        raise InputError(
            f"sweep.{axis} is empty; give at least one value, as in --config.sweep.{axis}='(...)'"
        )
    if len(set(values)) != len(values):
        raise InputError(f"sweep.{axis} repeats a value: {values}; each value makes one set of cells")
    return tuple(values)


def _product(axes: Mapping[str, Any], group: type[AxisGroup]) -> tuple[AxisGroup, ...]:
    names = [field.name for field in fields(group)]
    return tuple(
        group(**dict(zip(names, values, strict=True)))
        for values in product(*(_values(axes, n) for n in names))
    )


def groups(
    axes: Mapping[str, Any],
    variants: Mapping[str, Mapping[str, Any]] = NO_VARIANTS,
    choices: Choices = NO_CHOICES,
) -> list[Group]:
    """The grid, split into groups.

    Args:
        axes: for each axis of `axes.AXES`, its values: a tuple, or one bare value.
        variants: by name, axes that take other values. Where there are any, the sweep is a grid for each.
        choices: by variant and set of unseen classes, axes that take one value there.

    Returns:
        Groups in the order of the variants and of the data splits' shapes; together they hold each cell once.

    Raises:
        InputError: if an axis is missing, unknown, empty, repeats a value, or has a value that no run can take.
    """
    every = {name: dict(axes) | dict(overrides) for name, overrides in (variants or {"": {}}).items()}
    if not choices:
        return [group for name, values in every.items() for group in _product_groups(values, name)]
    # All variants set by set then, so that they share the data splits.
    return [
        group
        for name, values in every.items()
        for unseen in _values(values, "unseen")
        for group in _product_groups(values | _chosen(choices, name, unseen) | {"unseen": (unseen,)}, name)
    ]


def _chosen(choices: Choices, variant: str, unseen: str) -> dict[str, tuple[Any]]:
    return {axis: (value,) for axis, value in choices.get(variant, {}).get(unseen, {}).items()}


def _product_groups(axes: Mapping[str, Any], variant: str) -> list[Group]:
    unknown = sorted(set(axes) - set(AXES))
    missing = sorted(set(AXES) - set(axes))
    if unknown or missing:
        problem = f"unknown axis {unknown[0]!r}" if unknown else f"axis {missing[0]!r} is missing"
        raise InputError(f"sweep: {problem}; the axes are {', '.join(AXES)}")
    splits, programs, weights = _product(axes, DataSplit), _product(axes, Program), _product(axes, Weights)
    by_shape: dict[tuple[Any, ...], list[DataSplit]] = {}
    for split in splits:
        by_shape.setdefault(split.shape, []).append(split)
    return [
        Group(tuple(same), program, weights, variant) for same in by_shape.values() for program in programs
    ]


def even_chunks(items: Sequence[Item], most: int) -> list[Sequence[Item]]:
    """Cut into few chunks of one length, so that one compiled program serves them all.

    Args:
        items: what is cut.
        most: items a chunk at the most, at least 1.

    Returns:
        Chunks in order. They are of one length where that makes less than twice as many of them as must be;
        else the last one is shorter.
    """
    n = len(items)
    size = next(size for size in range(min(most, n), 0, -1) if n % size == 0)
    if 2 * size <= most:
        size = -(-n // -(-n // most))
    return [items[start : start + size] for start in range(0, n, size)]
