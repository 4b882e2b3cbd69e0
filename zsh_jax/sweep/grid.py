"""Turn the axes of a configuration into groups of cells that share a compiled program."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import log10, prod
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np

from zsh_jax.data.nearest import nearest_names
from zsh_jax.errors import InputError
from zsh_jax.methods.ranges import own_takes
from zsh_jax.methods.table import METHODS
from zsh_jax.sweep.axes import (
    SHARED_AXES,
    SPLIT_AXES,
    Cell,
    DataSplit,
    Program,
    check_value,
    own_axes,
    own_defaults,
    reads_axis,
)
from zsh_jax.takes import LEAST, MOST, shown

Made = TypeVar("Made")
Item = TypeVar("Item")

Choices = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""By variant, then by set of unseen classes, the chosen value of each tuned axis."""

Points = Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]
"""By variant, then by set of unseen classes, settings of the tuned axes: points, not a product of values."""

NO_CHOICES: Choices = MappingProxyType({})
MOST_CELLS = 1_000_000  # more is a mistake: at a second each, they take twelve days
NO_VARIANTS: Mapping[str, Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True)
class Group:
    """Cells of one compiled program: every data split with every set of weights.

    Attributes:
        splits: data splits of one shape.
        program: method, code length and options.
        weights: of the method.
        variant: of the cells; "" if the sweep has no variants.
    """

    splits: tuple[DataSplit, ...]
    program: Program
    weights: tuple[Any, ...]
    variant: str = ""

    def cells(self) -> Iterator[Cell]:
        """All cells, split by split."""
        for split, weights in product(self.splits, self.weights):
            yield Cell(split, self.program, weights, self.variant)

    def __len__(self) -> int:
        """Number of cells."""
        return len(self.splits) * len(self.weights)


def axis_values(key: str, axis: str, values: object, method: str = "") -> tuple[Any, ...]:
    """Check the values of an axis: each is valid, and no two are the same.

    Args:
        key: key of the axis in the configuration, such as `sweep.bits`.
        axis: a shared axis, or an own axis of the method.
        values: a tuple of values, or one bare value.
        method: owner of the axis; "" for a shared axis.

    Returns:
        The tuple of values.

    Raises:
        InputError: there is no value, one is invalid, or two make the same cells: they are equal in float32, or the
            same set of classes.
    """
    if not isinstance(values, tuple | list):
        values = (values,)
    if not values:
        raise InputError(f"{key} is empty; fix: give at least one value, as in --config.{key}='(...)'")
    found: dict[Any, Any] = {}
    for value in values:
        check_value(key, axis, value, method)
        same = _canonical(axis, value)
        if same in found:
            raise InputError(
                f"{key} repeats a value: {shown(found[same])} and {shown(value)} make the same cells; fix: remove one"
            )
        found[same] = value
    return tuple(values)


def _canonical(axis: str, value: Any) -> Any:
    """A key that is equal for two values that make the same cells."""
    if axis == "unseen":
        return frozenset(name.strip() for name in value.split("+"))
    return float(np.float32(value)) if isinstance(value, float) else value


def _check_count(axes: Mapping[str, tuple[Any, ...]], where: str) -> None:
    cells = prod(len(values) for values in axes.values())
    if cells > MOST_CELLS:
        raise InputError(
            f"{where}: its axes make {cells:,} cells, more than {MOST_CELLS:,}; fix: give fewer values"
        )


def groups(
    axes: Mapping[str, Any],
    variants: Mapping[str, Mapping[str, Any]] = NO_VARIANTS,
    choices: Choices = NO_CHOICES,
) -> list[Group]:
    """The grid, split into groups.

    Args:
        axes: values of each shared axis, a tuple or one bare value; and for each method a mapping of its own axes.
        variants: by name, axes with other values. If there are any, each is a grid of its own.
        choices: by variant and set of unseen classes, tuned axes with one value; `METHOD.AXIS` for an own axis.

    Returns:
        Groups in the order of the variants and of the data splits' shapes; together they hold each cell once. If a
        method does not read an axis, its cells have only the first value.

    Raises:
        InputError: if an axis is missing, unknown, empty, repeats a value, or has an invalid value.
    """
    made = []
    for name, overrides in (variants or {"": {}}).items():
        where = f"variants.{name}" if name else "sweep"
        values = _checked(dict(axes), dict(overrides), where)
        # With choices, all variants go through the sets in the same order, so that they share the data splits.
        sets: list[dict[str, tuple[Any, ...]]] = [{}]
        if choices:
            sets = [{"unseen": (unseen,)} | _chosen(choices, name, unseen) for unseen in values["unseen"]]
        try:
            made += [group for one in sets for group in _product_groups(values | one, name, where)]
        except InputError as error:
            raise InputError(f"{where}: {error}" if name else str(error)) from None
    return made


def _checked(axes: dict[str, Any], overrides: dict[str, Any], where: str) -> dict[str, tuple[Any, ...]]:
    """The values of every shared axis, and of the own axes of the methods that run, by `METHOD.AXIS`."""
    for name in (*axes, *overrides):
        if name not in SHARED_AXES and name not in METHODS:
            raise InputError(f"{where}: unknown axis {name!r}; {_meant(str(name))}")
    missing = [axis for axis in SHARED_AXES if axis not in axes and axis not in overrides]
    if missing:
        raise InputError(f"{where}: axis {missing[0]!r} is missing; fix: --config.sweep.{missing[0]}='(...)'")
    found = {}
    for axis in SHARED_AXES:
        key = f"{where if axis in overrides else 'sweep'}.{axis}"
        found[axis] = axis_values(key, axis, overrides.get(axis, axes.get(axis)))
    for method in METHODS:
        base, own = axes.get(method, {}), overrides.get(method, {})
        for key, given in ((f"sweep.{method}", base), (f"{where}.{method}", own)):
            if not isinstance(given, Mapping):
                raise InputError(
                    f"{key}: takes a dict of axes of {method}, not {shown(given)}; fix: set {key}.AXIS"
                )
            for axis in given:
                if axis not in own_takes(method):
                    raise InputError(
                        f"{key}: unknown axis {axis!r}; {nearest_names(str(axis), own_takes(method))}"
                    )
        defaults = own_defaults(METHODS[method])
        for axis, value in (defaults | dict(base) | dict(own)).items():
            key = f"{where if axis in own else 'sweep'}.{method}.{axis}"
            found[f"{method}.{axis}"] = axis_values(key, axis, value, method)
    return found


def _meant(name: str) -> str:
    """A hint for an unknown axis: the methods whose own axis it is, or the axis with the nearest name."""
    owners = [method for method in METHODS if name in own_takes(method)]
    if owners:
        return f"it is an axis of {', '.join(owners)}; fix: --config.sweep.{owners[0]}.{name}='(...)'"
    return nearest_names(name, (*SHARED_AXES, *METHODS))


def _chosen(choices: Choices, variant: str, unseen: str) -> dict[str, tuple[Any]]:
    return {axis: (value,) for axis, value in choices.get(variant, {}).get(unseen, {}).items()}


def _product_groups(axes: Mapping[str, tuple[Any, ...]], variant: str, where: str) -> list[Group]:
    made = []
    for name in axes["method"]:
        method = METHODS[name]
        read = {axis: axes[axis] if reads_axis(method, axis) else axes[axis][:1] for axis in SPLIT_AXES}
        own = {axis: axes[f"{name}.{axis}"] for axis in own_axes(method)}
        _check_count(read | own | {"bits": axes["bits"]}, where)
        splits = _product(read, DataSplit)
        options = _product(
            {axis: own[axis] for axis in own if axis not in method.weights._fields}, method.options
        )
        weights = _product({axis: own[axis] for axis in method.weights._fields}, method.weights)
        _check_growth(name, options, weights)
        by_shape: dict[tuple[Any, ...], list[DataSplit]] = {}
        for split in splits:
            by_shape.setdefault(split.shape, []).append(split)
        made += [
            Group(tuple(same), Program(name, bits, one), weights, variant)
            for same in by_shape.values()
            for bits, one in product(axes["bits"], options)
        ]
    return made


def _product(axes: Mapping[str, tuple[Any, ...]], made: Callable[..., Made]) -> tuple[Made, ...]:
    return tuple(made(**dict(zip(axes, values, strict=True))) for values in product(*axes.values()))


def stackable(every: Sequence[Group], database_sizes: Mapping[DataSplit, int]) -> list[Group]:
    """Cut groups so that the data splits of each have databases of one size, because only these can be stacked.

    The axes determine every other shape. The size of the database varies with validation, which excludes the images of
    the unseen classes.

    Args:
        every: from `groups`.
        database_sizes: size of the database of each data split.

    Returns:
        The same cells, in groups with one size each.
    """
    made = []
    for group in every:
        by_size: dict[int, list[DataSplit]] = {}
        for split in group.splits:
            by_size.setdefault(database_sizes[split], []).append(split)
        made += [replace(group, splits=tuple(same)) for same in by_size.values()]
    return made


def _check_growth(method: str, options: Sequence[Any], weights: Sequence[Any]) -> None:
    """Check that a growing weight stays in range up to the last iteration."""
    for one, own in product(options, weights):
        growth, alpha = getattr(one, "alpha_growth", 1), getattr(own, "alpha", 1)
        powers = log10(alpha) + (getattr(one, "max_iterations", 1) - 1) * log10(growth)
        if not log10(LEAST) - 0.01 <= powers <= log10(MOST) + 0.01:  # powers are rounded
            raise InputError(
                f"sweep.{method}.alpha_growth: alpha {alpha:g} grown by {growth:g} is 1e{powers:.0f} after "
                f"{one.max_iterations} iterations; fix: --config.sweep.{method}.alpha_growth nearer to 1"
            )


def even_chunks(items: Sequence[Item], most: int) -> list[Sequence[Item]]:
    """Cut items into few chunks of one length, so that one compiled program runs them all.

    Args:
        items: to cut.
        most: the largest length of a chunk, at least 1.

    Returns:
        Chunks in order. They have one length if that needs less than twice the smallest number of chunks; else the
        last one is shorter.
    """
    n = len(items)
    size = next(size for size in range(min(most, n), 0, -1) if n % size == 0)
    if 2 * size <= most:
        size = -(-n // -(-n // most))
    return [items[start : start + size] for start in range(0, n, size)]
