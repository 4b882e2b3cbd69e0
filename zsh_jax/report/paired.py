"""What a variant changes: differences to a reference, paired over data splits and seeds."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from zsh_jax.errors import InputError
from zsh_jax.report.series import kind, moving
from zsh_jax.report.summary import IDENTITY, metric_of
from zsh_jax.sweep.axes import SHARED_AXES

CONFIDENCE = 0.95
SHARED = ("dataset", "features", "precision", *SHARED_AXES)  # the axes that are not a method's own


class Difference(NamedTuple):
    """A metric of a variant less that of the reference, over pairs of cells.

    Attributes:
        variant: its name.
        setting: values of the axes, other than seed and unseen classes, along which both vary.
        mean: mean difference.
        low: lower end of the confidence interval; NaN for a single pair.
        high: upper end.
        pairs: number of pairs.
    """

    variant: str
    setting: Mapping[str, Any]
    mean: float
    low: float
    high: float
    pairs: int


def paired_differences(
    rows: Sequence[Mapping[str, Any]], *, reference: str, metric: str = "mean_average_precision"
) -> list[Difference]:
    """Differences to the reference variant, with a 95 % confidence interval of their mean.

    Cells are paired that share seed, unseen classes, code length and every other axis along which the reference
    varies: they have the same queries and database. A cell of a method without such an axis is paired with the
    reference at each of its values. The interval is Student's; it takes the pairs for independent,
    while those of one seed or one class share something, so it is rather too narrow than too wide.

    Args:
        rows: flat, as `results.jsonl` holds them, with a `variant`.
        reference: name of the variant that the others are compared with.
        metric: name of a scalar metric, or `NAME[i]`.

    Returns:
        One difference for each other variant and setting, in the order of first appearance. Pairs in which a value
        is not finite are left out.

    Raises:
        InputError: if there is no such variant, or its cells do not differ in the axes that pairs are made by.
    """
    base = [row for row in rows if row["variant"] == reference]
    if not base:
        names = ", ".join(dict.fromkeys(str(row["variant"]) for row in rows))
        raise InputError(f"there is no variant {reference!r} to compare with; the rows have {names}")
    methods = {kind(row)[1] for row in base}
    moved = {axis for axes in moving(base).values() for axis in axes} | (
        {"method"} if len(methods) > 1 else set()
    )
    axes = ["bits", *(axis for axis in IDENTITY if axis in moved and axis != "bits")]
    pair = [*axes, "seed", "unseen"]
    by_pair = {tuple(row.get(axis) for axis in pair): metric_of(row, metric) for row in base}
    if len(by_pair) < len(base):
        raise InputError(
            f"cells of variant {reference!r} stand twice for one seed, unseen classes and {', '.join(axes)}"
        )
    others = [row for row in rows if row["variant"] != reference]
    within = moving(others)
    found: dict[tuple[str, tuple[Any, ...]], list[float]] = {}
    for row in others:
        # A fixed value of another method's own axis, which happens to have the name, is no value of the reference's.
        own = () if kind(row)[1] in methods else set(axes) - set(within[kind(row)]) - set(SHARED)
        for key in _partners({axis: row.get(axis) for axis in pair if axis not in own}, pair, by_pair):
            difference = metric_of(row, metric) - by_pair[key]
            differences = found.setdefault((row["variant"], key[: len(axes)]), [])
            if np.isfinite(difference):
                differences.append(difference)
    return [
        Difference(variant, dict(zip(axes, setting, strict=True)), *mean_interval(values), len(values))
        for (variant, setting), values in found.items()
    ]


def _partners(
    row: Mapping[str, Any], pair: Sequence[str], known: Mapping[tuple[Any, ...], float]
) -> list[tuple[Any, ...]]:
    """The cells of the reference that a cell is paired with: one, or, where its method lacks an axis, one a value."""
    key = tuple(row.get(axis) for axis in pair)
    if None not in key:
        return [key] if key in known else []
    return [other for other in known if all(own in (None, its) for own, its in zip(key, other, strict=True))]


def mean_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean, and Student's confidence interval of it.

    Args:
        values: independent draws.

    Returns:
        Mean, lower and upper end; NaN where there are too few values.
    """
    if not values:
        return float("nan"), float("nan"), float("nan")
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, float("nan"), float("nan")
    half = float(stats.sem(values)) * float(stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1))
    return mean, mean - half, mean + half
