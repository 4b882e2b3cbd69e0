"""From the axes of a configuration to groups of cells that share a compiled program."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from math import log10, prod
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np

from zsh_jax.data.nearest import nearest_names
from zsh_jax.errors import InputError
from zsh_jax.sweep.axes import AXES, Cell, DataSplit, Program, Weights, check_value
from zsh_jax.takes import LEAST, MOST, shown

AxisGroup = TypeVar("AxisGroup", DataSplit, Program, Weights)
Item = TypeVar("Item")

Choices = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""By variant, then by set of unseen classes, the axes that were tuned and the value of each."""

NO_CHOICES: Choices = MappingProxyType({})
MOST_CELLS = 1_000_000  # more is a slip: at a second each, they take a fortnight
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


def axis_values(key: str, axis: str, values: object) -> tuple[Any, ...]:
    """The values of an axis, each of the right kind, and no two of them the same.

    Args:
        key: where they stand, such as `sweep.bits`.
        axis: one of `AXES`.
        values: a tuple of them, or one bare value.

    Returns:
        The tuple.

    Raises:
        InputError: there is none, one is wrong, or two are the same to what runs: equal in float32, or the same set
            of classes.
    """
    if not isinstance(values, tuple | list):
        values = (values,)
    if not values:
        raise InputError(f"{key} is empty; give at least one value, as in --config.{key}='(...)'")
    found: dict[Any, Any] = {}
    for value in values:
        check_value(key, axis, value)
        same = _canonical(axis, value)
        if same in found:
            raise InputError(
                f"{key} repeats a value: {shown(found[same])} and {shown(value)} make the same cells; fix: leave one "
                "out"
            )
        found[same] = value
    return tuple(values)


def _canonical(axis: str, value: Any) -> Any:
    """What two values that make the same cells have in common."""
    if axis == "unseen":
        return frozenset(name.strip() for name in value.split("+"))
    return float(np.float32(value)) if isinstance(value, float) else value


def _check_count(axes: Mapping[str, Any], where: str) -> None:
    cells = prod(len(values) if isinstance(values, tuple | list) else 1 for values in axes.values())
    if cells > MOST_CELLS:
        raise InputError(
            f"{where}: its axes make {cells:,} cells, more than {MOST_CELLS:,}; fix: give fewer values"
        )


def _product(axes: Mapping[str, Any], group: type[AxisGroup]) -> tuple[AxisGroup, ...]:
    names = [field.name for field in fields(group)]
    return tuple(
        group(**dict(zip(names, values, strict=True))) for values in product(*(axes[name] for name in names))
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
    made = []
    for name, overrides in (variants or {"": {}}).items():
        where = f"variants.{name}" if name else "sweep"
        values = {
            axis: axis_values(f"{where if axis in overrides else 'sweep'}.{axis}", axis, given)
            for axis, given in _known(dict(axes) | dict(overrides), where).items()
        }
        _check_count(values, where)
        # All variants set by set where something was chosen, so that they share the data splits.
        sets: list[dict[str, tuple[Any, ...]]] = [{}]
        if choices:
            sets = [{"unseen": (unseen,)} | _chosen(choices, name, unseen) for unseen in values["unseen"]]
        try:
            made += [group for one in sets for group in _product_groups(values | one, name)]
        except InputError as error:
            raise InputError(f"{where}: {error}" if name else str(error)) from None
    return made


def _known(axes: dict[str, Any], where: str) -> dict[str, Any]:
    """The axes as they are, if there is each of them and no other."""
    unknown = [str(axis) for axis in axes if axis not in AXES]
    if unknown:
        raise InputError(f"{where}: unknown axis {unknown[0]!r}; {nearest_names(unknown[0], AXES)}")
    missing = [axis for axis in AXES if axis not in axes]
    if missing:
        raise InputError(
            f"{where}: axis {missing[0]!r} is missing; give it, as in --config.sweep.{missing[0]}='(...)'"
        )
    return axes


def _chosen(choices: Choices, variant: str, unseen: str) -> dict[str, tuple[Any]]:
    return {axis: (value,) for axis, value in choices.get(variant, {}).get(unseen, {}).items()}


def _product_groups(axes: Mapping[str, tuple[Any, ...]], variant: str) -> list[Group]:
    splits, programs, weights = _product(axes, DataSplit), _product(axes, Program), _product(axes, Weights)
    _check_growth(programs, weights)
    by_shape: dict[tuple[Any, ...], list[DataSplit]] = {}
    for split in splits:
        by_shape.setdefault(split.shape, []).append(split)
    return [
        Group(tuple(same), program, weights, variant) for same in by_shape.values() for program in programs
    ]


def stackable(every: Sequence[Group], searched: Mapping[DataSplit, int]) -> list[Group]:
    """Groups whose data splits have databases of one size: no other arrays can be stacked.

    The axes tell every other shape. The database is smaller without the images of the unseen classes, which validation
    leaves out: by as many as these classes have.

    Args:
        every: from `groups`.
        searched: how many samples the database of each data split has.

    Returns:
        The same cells; a group of several sizes is cut.
    """
    made = []
    for group in every:
        by_size: dict[int, list[DataSplit]] = {}
        for split in group.splits:
            by_size.setdefault(searched[split], []).append(split)
        made += [replace(group, splits=tuple(same)) for same in by_size.values()]
    return made


def _check_growth(programs: Sequence[Program], weights: Sequence[Weights]) -> None:
    """That alpha is a weight in the last iteration too."""
    for program, alpha in product(programs, {one.alpha for one in weights}):
        powers = log10(alpha) + (program.max_iterations - 1) * log10(program.alpha_growth)
        if not log10(LEAST) - 0.01 <= powers <= log10(MOST) + 0.01:  # powers are rounded
            raise InputError(
                f"sweep.alpha_growth: alpha {alpha:g} grown by {program.alpha_growth:g} is 1e{powers:.0f} after "
                f"{program.max_iterations} iterations; fix: --config.sweep.alpha_growth nearer to 1"
            )


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
