"""mAP of each set of unseen classes."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from zsh_jax.report.chance import CHANCE, level
from zsh_jax.report.figures.style import Look, axes_for, folded, legend_below, looks, styled
from zsh_jax.report.series import MAP, Row, series, statistic


@styled()
def unseen_bars(rows: Sequence[Row], title: str = "", palette: Mapping[str, Look] | None = None) -> Figure:
    """A group of bars for each set of unseen classes, with the standard deviation over seeds as error bars.

    Args:
        rows: from `read_sweeps`; bars are settings and code lengths.
        title: added to the figure's title.
        palette: see `looks`.

    Returns:
        The figure; its height grows with the number of bars.
    """
    classes = list(dict.fromkeys(str(row["unseen"]) for row in rows))
    bars = series(rows, apart_from=())
    names = [folded(unseen) for unseen in classes]
    tall = max(0.13 * len(bars) + 0.14, 0.17 * max(name.count("\n") + 1 for name in names) + 0.1)
    labels = [one.label for one in bars]
    figure, axes = axes_for(labels, height=0.9 + tall * len(classes))
    thick = 0.82 / len(bars)
    for i, (one, look) in enumerate(zip(bars, looks(bars, palette), strict=True)):
        found = [statistic([row for row in one.rows if row["unseen"] == unseen], MAP) for unseen in classes]
        axes.barh(
            np.arange(len(classes)) + (i - (len(bars) - 1) / 2) * thick,
            [each.mean for each in found],
            thick * 0.92,
            xerr=[each.deviation for each in found],
            label=one.label,
            color=look.color,
            error_kw={"elinewidth": 0.9, "capsize": 1.5, "ecolor": "#333333"},
        )
    chances = [level([row for row in rows if row["unseen"] == unseen], MAP) for unseen in classes]
    known = [(place, chance.mean) for place, chance in enumerate(chances) if chance is not None]
    if known:
        places, levels = np.array(known).T
        axes.vlines(levels, places - 0.47, places + 0.47, colors="#333333", linestyles="dotted", label=CHANCE)
        labels.append(CHANCE)
    axes.set_yticks(range(len(classes)), names)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_ylim(len(classes) - 0.5, -0.5)
    axes.set_xlabel("mAP")
    axes.set_title("mAP by unseen class" + (f", {title}" if title else ""))
    legend_below(figure, axes, labels)
    return figure
