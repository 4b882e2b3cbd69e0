"""Group rows into the lines of a figure or table, and label each line."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple

from zsh_jax.report.summary import IDENTITY, Statistic, summarise

Row = Mapping[str, Any]
MAP = "mean_average_precision"
PLAIN = (
    "method",
    "dataset",
    "features",
    "precision",
    "semantics",
    "rotation",
    "codes",
    "graph",
    "preprocessing",
)
"""Axes whose values need no axis name in a label."""


DISTINGUISHED_BY = "distinguished_by"


class Series(NamedTuple):
    """Rows that differ only in seed, unseen classes and the axis along which they are drawn.

    Attributes:
        label: distinguishes it from the others.
        rows: its cells.
    """

    label: str
    rows: list[Row]


def series(rows: Sequence[Row], *, apart_from: Sequence[str] = ("bits",)) -> list[Series]:
    """Group rows by setting.

    Args:
        rows: from `read_sweeps`.
        apart_from: axes that do not distinguish settings.

    Returns:
        One for each setting, in the order of first appearance. Its label has variant, method, and the axes that vary
        within them; values that a variant fixes are not repeated.
    """
    rows = distinguished(rows)
    lengths: dict[tuple[str, str], set[int]] = {}
    for row in rows:
        lengths.setdefault(kind(row), set()).add(row["bits"])
    found: dict[tuple[Any, ...], Series] = {}
    for row in rows:
        variant, method = kind(row)
        axes = [axis for axis in row[DISTINGUISHED_BY] if axis not in apart_from]
        if len(lengths[variant, method]) < 2:
            axes = [axis for axis in axes if axis != "bits"]
        key = (variant, method, *(row.get(axis) for axis in axes))
        if key not in found:
            words = ([variant] if variant else []) + [worded(axis, row.get(axis)) for axis in axes]
            found[key] = Series(", ".join(words) or method, [])
        found[key].rows.append(row)
    return list(found.values())


def distinguished(rows: Sequence[Row]) -> Sequence[Row]:
    """Store in each row the axes that distinguish its setting, so that a subset of rows keeps the same labels.

    Args:
        rows: from `read_sweeps`.

    Returns:
        The same rows if they already have it; else copies.
    """
    if all(DISTINGUISHED_BY in row for row in rows):
        return rows
    within = moving(rows)
    methods: dict[str, set[str]] = {}
    for variant, method in within:
        methods.setdefault(variant, set()).add(method)
    distinguishing = {
        which: (("method",) if len(methods[which[0]]) > 1 or (not which[0] and len(within) > 1) else ())
        + tuple(axes)
        for which, axes in within.items()
    }
    return [{**row, DISTINGUISHED_BY: distinguishing[kind(row)]} for row in rows]


def kind(row: Row) -> tuple[str, str]:
    """Variant, which may be empty, and method of a cell."""
    return row.get("variant") or "", str(row.get("method"))


def moving(rows: Sequence[Row]) -> dict[tuple[str, str], list[str]]:
    """By variant and method, the axes that take more than one value; seeds and unseen classes excepted."""
    axes = [axis for axis in IDENTITY if axis not in ("variant", "method", "seed", "unseen")]
    values: dict[tuple[str, str], list[set[Any]]] = {}
    for row in rows:
        seen = values.setdefault(kind(row), [set() for _ in axes])
        for one, axis in zip(seen, axes, strict=True):
            one.add(row.get(axis))
    return {
        which: [axis for axis, one in zip(axes, seen, strict=True) if len(one) > 1]
        for which, seen in values.items()
    }


def as_variants(rows: Sequence[Row], reference: str) -> list[Row]:
    """Make every setting its own variant, so that pairs never average two settings.

    Args:
        rows: from `read_sweeps`.
        reference: name of the reference variant.

    Returns:
        Rows that have codes, with a `variant` that names their setting without the axes along which the reference
        varies; rows of the reference are unchanged.
    """
    rows = hashed(distinguished(rows))
    moved = {axis for which, axes in moving(rows).items() if which[0] == reference for axis in axes}
    settings = series([row for row in rows if row["variant"] != reference], apart_from=("bits", *moved))
    names = {id(row): one.label for one in settings for row in one.rows}
    return [{**row, "variant": names.get(id(row), reference)} for row in rows]


def worded(axis: str, value: object) -> str:
    """A value of an axis, as text for a label."""
    if axis == "bits":
        return f"{value} bits" if value else "unhashed"
    if axis in PLAIN:
        return str(value)
    return f"{axis.replace('_', ' ')} {value:g}" if isinstance(value, float) else f"{axis} {value}"


def statistic(rows: Sequence[Row], metric: str) -> Statistic:
    """Mean and standard deviation over seeds of one setting's cells; NaN if it has none."""
    if not rows:
        return Statistic(float("nan"), float("nan"))
    (summary,) = summarise([{**row, "variant": ""} for row in rows], [metric])
    return summary.statistics[metric]


def hashed(rows: Sequence[Row]) -> list[Row]:
    """The rows that have codes: unhashed bounds have 0 bits."""
    return [row for row in rows if row["bits"]]


def unfinished(rows: Sequence[Row]) -> tuple[str, ...]:
    """Warnings if some settings lack some sets of unseen classes, or have no seed with all of theirs."""
    by_cell: dict[tuple[str, int], dict[int, set[str]]] = {}
    for one in series(rows):
        for row in one.rows:
            seeds = by_cell.setdefault((one.label, row["bits"]), {})
            seeds.setdefault(row["seed"], set()).add(row["unseen"])
    classes = {cell: set().union(*seeds.values()) for cell, seeds in by_cell.items()}
    most = max(map(len, classes.values()))
    few = sum(len(found) < most for found in classes.values())
    none = sum(classes[cell] not in seeds.values() for cell, seeds in by_cell.items())
    told = (
        [f"{few} of {len(by_cell)} means lack some unseen classes: do not compare them yet."] if few else []
    )
    if none:
        why = "as no seed has all unseen classes: look at one set at a time."
        told.append(f"{none} of {len(by_cell)} settings have no mean, {why}")
    return tuple(told)


def leading(rows: Sequence[Row], limit: int, *, keep: Sequence[str] = ()) -> list[Row]:
    """The rows of the settings with the highest mAP, averaged over code lengths.

    Args:
        rows: from `read_sweeps`.
        limit: the largest number of settings.
        keep: variants that stay whatever their mAP.

    Returns:
        Rows in their order. Unhashed bounds always stay and are not counted.
    """

    def height(one: Series) -> float:
        lengths = sorted({row["bits"] for row in one.rows})
        means = [statistic([row for row in one.rows if row["bits"] == bits], MAP).mean for bits in lengths]
        found = [mean for mean in means if isfinite(mean)]
        return sum(found) / len(found) if found else float("-inf")

    rows = distinguished(rows)
    every = series(hashed(rows))
    kept = [one for one in every if one.rows[0].get("variant") in keep and one.rows[0].get("variant")]
    others = sorted((one for one in every if one not in kept), key=height, reverse=True)
    stay = {id(row) for one in (kept + others)[:limit] for row in one.rows}
    return [row for row in rows if id(row) in stay or not row["bits"]]
