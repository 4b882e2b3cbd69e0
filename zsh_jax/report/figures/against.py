"""A metric against code length, or against another numeric axis."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from zsh_jax.report.chance import CHANCE, level
from zsh_jax.report.figures.axis import name_of, swept_axis
from zsh_jax.report.figures.points import points
from zsh_jax.report.figures.style import COLOURS, Look, axes_for, legend_below, looks, styled
from zsh_jax.report.series import MAP, Row, hashed, series, statistic


@styled()
def metric_against(
    rows: Sequence[Row],
    axis: str = "bits",
    *,
    metric: str = MAP,
    title: str = "mAP",
    unit: str = "",
    logarithmic: bool = False,
    palette: Mapping[str, Look] | None = None,
) -> Figure:
    """A line for each setting: mean over seeds and unseen classes, with the standard deviation over seeds as bars.

    Args:
        rows: from `read_sweeps`. Unhashed bounds and chance are horizontal lines.
        axis: name of a numeric axis.
        metric: name of a scalar metric.
        title: displayed name of the metric.
        unit: of the metric.
        logarithmic: whether the metric's axis is logarithmic.
        palette: see `looks`.
    """
    lines = series(hashed(rows), apart_from=(axis,))
    bounds = series([row for row in rows if not row["bits"]])
    labels = [one.label for one in (*lines, *bounds)]
    figure, axes = axes_for(labels)
    drawn = False  # a logarithmic scale needs a number
    for i, (one, look) in enumerate(zip(lines, looks(lines, palette), strict=True)):
        values = sorted({row[axis] for row in one.rows})
        found = [statistic([row for row in one.rows if row[axis] == value], metric) for value in values]
        drawn |= any(isfinite(one.mean) for one in found)
        rank = i - (len(lines) - 1) / 2
        points(figure, axes, values, found, label=one.label, look=look, rank=rank)
    labels += _chance(axes, rows, axis, metric)
    for i, bound in enumerate(bounds):
        level = statistic(bound.rows, metric).mean
        if isfinite(level):
            style = ("--", ":")[i % 2]
            axes.axhline(level, color=COLOURS[6], linestyle=style, linewidth=1.4, label=bound.label)
    swept_axis(axes, axis, [float(row[axis]) for one in lines for row in one.rows])
    if logarithmic and drawn:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_locator(NullLocator())
    axes.autoscale_view()
    axes.set_ylabel(f"{title}, {unit}" if unit else title)
    axes.set_title(f"{title} against {name_of(axis).partition(',')[0]}")
    legend_below(figure, axes, labels)
    return figure


def _chance(axes: Axes, rows: Sequence[Row], axis: str, metric: str) -> list[str]:
    """Draw the chance level, if known, for each value of the axis. Returns the labels that it adds."""
    codes = hashed(rows)
    values = sorted({row[axis] for row in codes})
    levels = [level([row for row in codes if row[axis] == value], metric) for value in values]
    known = [(value, one.mean) for value, one in zip(values, levels, strict=True) if one is not None]
    if not known:
        return []
    style: dict[str, Any] = {
        "color": "#808080",
        "linestyle": (0, (1, 1.5)),
        "linewidth": 1.4,
        "label": CHANCE,
    }
    if len({f"{mean:.4f}" for _, mean in known}) == 1:
        axes.axhline(known[0][1], **style)
    else:
        axes.plot(*zip(*known, strict=True), marker="none", **style)
    return [CHANCE]
