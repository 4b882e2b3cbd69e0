"""Differences of variants to a reference, paired over data splits and seeds."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.special import stdtrit  # scipy.stats takes a second to import

from zsh_jax.errors import InputError
from zsh_jax.report.series import kind, moving
from zsh_jax.report.summary import IDENTITY, metric_of
from zsh_jax.sweep.axes import SHARED_AXES

CONFIDENCE = 0.95
SHARED = ("dataset", "features", "precision", *SHARED_AXES)  # axes that all methods share


class Difference(NamedTuple):
    """Metric of a variant minus the metric of the reference, over pairs of cells.

    Attributes:
        variant: its name.
        setting: values of the axes along which both vary, except seed and unseen classes.
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

    A pair shares seed, unseen classes, code length and every other axis along which the reference varies, so that
    queries and database are the same. A cell of a method that lacks an axis is paired with the reference at each
    value of that axis. The interval is Student's and assumes independent pairs; pairs of one seed or one class are
    correlated, so the interval is too narrow rather than too wide.

    Args:
        rows: flat rows of `results.jsonl`, with a `variant`.
        reference: name of the reference variant.
        metric: name of a scalar metric, or `NAME[i]`.

    Returns:
        One difference for each other variant and setting, in the order of first appearance. Pairs with a value that
        is not finite are excluded.

    Raises:
        InputError: if the reference does not exist, or two of its cells agree in all axes that define a pair.
    """
    base = [row for row in rows if row["variant"] == reference]
    if not base:
        names = ", ".join(dict.fromkeys(str(row["variant"]) for row in rows))
        raise InputError(f"reference: there is no variant {reference!r}; fix: use one of {names}")
    methods = {kind(row)[1] for row in base}
    moved = {axis for axes in moving(base).values() for axis in axes} | (
        {"method"} if len(methods) > 1 else set()
    )
    axes = ["bits", *(axis for axis in IDENTITY if axis in moved and axis != "bits")]
    pair = [*axes, "seed", "unseen"]
    by_pair = {tuple(row.get(axis) for axis in pair): metric_of(row, metric) for row in base}
    if len(by_pair) < len(base):
        raise InputError(
            f"variant {reference!r} has two cells of the same seed, unseen classes and {', '.join(axes)}; fix: "
            "make them two variants"
        )
    others = [row for row in rows if row["variant"] != reference]
    within = moving(others)
    found: dict[tuple[str, tuple[Any, ...]], list[float]] = {}
    for row in others:
        # Another method may have an own axis of the same name: its fixed value is not a value of the reference's axis.
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
    """The reference cells that a cell is paired with: one, or one a value of each axis that its method lacks."""
    key = tuple(row.get(axis) for axis in pair)
    if None not in key:
        return [key] if key in known else []
    return [other for other in known if all(own in (None, its) for own, its in zip(key, other, strict=True))]


def mean_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean, lower and upper end of its Student confidence interval; NaN where there are too few values."""
    if not values:
        return float("nan"), float("nan"), float("nan")
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, float("nan"), float("nan")
    error = float(np.std(values, ddof=1)) / len(values) ** 0.5
    half = error * float(stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2))
    return mean, mean - half, mean + half
