"""Means and standard deviations over seeds, from the rows of a sweep."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64

from zsh_jax.sweep.axes import axis_types

RETIRED = ("codes", "multiple")  # axes of older versions, whose results can still be read
IDENTITY = ("variant", "dataset", "features", "precision", *axis_types(), *RETIRED)
"""The keys of a row that identify its cell; the others are results."""

LARGEST = 1e100  # larger values are read as NaN: squares and sums must not overflow


class Statistic(NamedTuple):
    """A metric over seeds.

    Attributes:
        mean: over seeds.
        deviation: sample standard deviation over seeds; NaN for a single one.
    """

    mean: float
    deviation: float


class Summary(NamedTuple):
    """Cells that differ only in seed and unseen classes.

    Attributes:
        setting: value of every other axis.
        seeds: number of seeds that have every set of unseen classes and a finite metric.
        cells: number of cells.
        statistics: of each metric; a seed's value is its mean over the sets of unseen classes.
    """

    setting: Mapping[str, Any]
    seeds: int
    cells: int
    statistics: Mapping[str, Statistic]


def summarise(rows: Iterable[Mapping[str, Any]], metrics: Sequence[str]) -> list[Summary]:
    """Average over unseen classes, then over seeds.

    The standard deviation is taken over seeds, of the means over unseen classes: it shows how much the reported mean
    varies with the seed, not how much classes differ.

    Args:
        rows: flat rows of `results.jsonl`.
        metrics: names of scalar metrics; `NAME[i]` is element i of a list.

    Returns:
        One summary for each setting, in the order of first appearance. A seed that lacks a set of unseen classes is
        excluded; so is a seed for which a metric is not finite, from that metric. NaN: no seed is left.
    """
    by_setting: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        by_setting.setdefault(_setting(row), []).append(row)
    return [_summary(same, metrics) for same in by_setting.values()]


def by_unseen(rows: Iterable[Mapping[str, Any]], metrics: Sequence[str]) -> dict[str, list[Summary]]:
    """`summarise` for each set of unseen classes separately."""
    by_class: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_class.setdefault(row["unseen"], []).append(row)
    return {unseen: summarise(same, metrics) for unseen, same in by_class.items()}


def varied(summaries: Sequence[Summary]) -> list[str]:
    """The axes that distinguish the summaries of a table.

    Returns:
        `variant` if there are several, `method` and `bits`, then every axis that takes more than one value within
        one method of one variant.
    """
    others = [axis for axis in IDENTITY if axis not in ("variant", "method", "bits", "seed", "unseen")]
    # A method lacks the axes of others, so its name distinguishes it from them.
    kinds: dict[tuple[Any, Any], list[Summary]] = {}
    for summary in summaries:
        kind = summary.setting.get("variant"), summary.setting.get("method")
        kinds.setdefault(kind, []).append(summary)
    moving = [
        axis
        for axis in others
        if any(len({summary.setting.get(axis) for summary in same}) > 1 for same in kinds.values())
    ]
    return (["variant"] if len({variant for variant, _ in kinds}) > 1 else []) + ["method", "bits"] + moving


def metric_of(row: Mapping[str, Any], name: str) -> float:
    """A metric of a row, by its name or `NAME[i]`; NaN if the row lacks it or it is not a number."""
    key, _, index = name.partition("[")
    value = row.get(key)
    if index:
        place = int(index.rstrip("]"))
        value = value[place] if isinstance(value, list | tuple) and place < len(value) else None
    return number(value)


def number(value: object) -> float:
    """A value of a row as a float; NaN if it is not a number."""
    return float(value) if isinstance(value, int | float) and abs(value) < LARGEST else float("nan")


def _setting(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row.get(axis) for axis in IDENTITY if axis not in ("seed", "unseen"))


def _summary(rows: list[Mapping[str, Any]], metrics: Sequence[str]) -> Summary:
    unseen = {row["unseen"] for row in rows}
    by_seed: dict[int, dict[str, Float64[np.ndarray, " metrics"]]] = {}
    for row in rows:
        found = np.array([metric_of(row, name) for name in metrics])
        by_seed.setdefault(row["seed"], {})[row["unseen"]] = found
    whole = [list(found.values()) for found in by_seed.values() if found.keys() == unseen]
    # A mean over classes is finite only if every class is.
    means = np.array([np.mean(found, axis=0) for found in whole]).reshape(len(whole), len(metrics))
    statistics, seeds = {}, 0
    for name, column in zip(metrics, means.T, strict=True):
        finite = column[np.isfinite(column)]
        seeds = max(seeds, len(finite))
        mean = finite.mean() if len(finite) else np.nan
        deviation = finite.std(ddof=1) if len(finite) > 1 else np.nan
        statistics[name] = Statistic(float(mean), float(deviation))
    axes = [axis for axis in IDENTITY if axis not in ("seed", "unseen")]
    return Summary(dict(zip(axes, _setting(rows[0]), strict=True)), seeds, len(rows), statistics)
