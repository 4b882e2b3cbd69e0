"""Means and standard deviations over seeds as one plain table, with its two charts: for Weights & Biases."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from zsh_jax.report.series import MAP, hashed, series, statistic
from zsh_jax.report.summary import summarise, varied
from zsh_jax.sweep.metrics import METRICS
from zsh_jax.tracking.wandb_charts import Line, Means

TIMES = ("seconds",)


def means_of(rows: Sequence[Mapping[str, Any]]) -> Means:
    """Average the cells of each setting.

    Args:
        rows: of a sweep; at least one.

    Returns:
        A table with a row for each setting: the axes that vary, `seeds`, `cells`, and of each scalar metric its mean
        (`NAME`) and its standard deviation over seeds (`NAME_deviation`); and mAP over code length and at the longest
        one, by setting.
    """
    metrics = [name for name, metric in METRICS.items() if not metric.is_list] + list(TIMES)
    metrics = [name for name in metrics if any(name in row for row in rows)]
    summaries = summarise(rows, metrics)
    axes = varied(summaries)
    columns = [*axes, "seeds", "cells", *(f"{name}{end}" for name in metrics for end in ("", "_deviation"))]
    data = [
        [
            *(one.setting[axis] for axis in axes),
            one.seeds,
            one.cells,
            *(_finite(value) for name in metrics for value in one.statistics[name]),
        ]
        for one in summaries
    ]
    longest = max(row["bits"] for row in rows)
    return Means(columns, data, _lines(rows), _bars(rows, longest), f"mAP at {longest} bits, mean over seeds")


def _lines(rows: Sequence[Mapping[str, Any]]) -> dict[str, Line]:
    found = {}
    for one in series(hashed(rows)):
        lengths = sorted({row["bits"] for row in one.rows})
        means = [statistic([row for row in one.rows if row["bits"] == bits], MAP).mean for bits in lengths]
        points = [(bits, mean) for bits, mean in zip(lengths, means, strict=True) if isfinite(mean)]
        if len(points) > 1:
            found[one.label] = Line(*zip(*points, strict=True))
    return found


def _bars(rows: Sequence[Mapping[str, Any]], longest: int) -> dict[str, float]:
    """Of the longest codes and of unhashed bounds."""
    shown = [row for row in rows if row["bits"] in (0, longest)]
    means = {one.label: statistic(one.rows, MAP).mean for one in series(shown)}
    return {label: mean for label, mean in means.items() if isfinite(mean)}


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
