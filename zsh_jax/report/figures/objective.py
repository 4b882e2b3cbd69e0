"""The objective after each iteration of a solve."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float64
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from zsh_jax.report.figures.style import Look, axes_for, legend_below, looks, styled
from zsh_jax.report.series import Row, series
from zsh_jax.tracking.results import ID

SMALL = 0.03  # of the largest value


@styled()
def objective_by_iteration(
    rows: Sequence[Row],
    history: Mapping[str, Mapping[str, Sequence[float]]],
    title: str = "",
    palette: Mapping[str, Look] | None = None,
) -> Figure:
    """J after each iteration, relative to J after the first.

    Args:
        rows: from `read_sweeps`; lines are settings and code lengths.
        history: by `cell_id`; `objective` has one value an iteration.
        title: added to the figure's title.
        palette: see `looks`.

    Returns:
        The figure: the mean over cells, and a band from minimum to maximum. A converged solve keeps its last value.
    """
    lines = [
        (one, traces)
        for one in series(rows, apart_from=())
        if len(traces := relative_traces(one.rows, history))
    ]
    figure, axes = axes_for([one.label for one, _ in lines])
    for (one, traces), look in zip(lines, looks([one for one, _ in lines], palette), strict=True):
        steps = np.arange(1, traces.shape[1] + 1)
        axes.fill_between(
            steps, traces.min(0), traces.max(0), color=look.color, alpha=0.3 / (1 + len(lines)), linewidth=0
        )
        axes.plot(
            steps,
            traces.mean(0),
            label=one.label,
            color=look.color,
            marker=look.marker,
            linestyle=look.linestyle,
        )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    means = np.concatenate([traces.mean(0) for _, traces in lines]) if lines else np.ones(1)
    # On a linear scale only the first iteration would be visible.
    if 0 < means.min() < SMALL * means.max():
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("iteration")
    axes.set_ylabel("J / J after the first iteration")
    axes.set_title("Objective by iteration" + (f", {title}" if title else ""))
    legend_below(figure, axes, [one.label for one, _ in lines])
    return figure


def relative_traces(
    rows: Sequence[Row], history: Mapping[str, Mapping[str, Sequence[float]]]
) -> Float64[np.ndarray, "cells iterations"]:
    """Objectives of some cells relative to their first values, each padded to the length of the longest."""
    found = [np.asarray(history.get(row[ID], {}).get("objective", ()), float) for row in rows]
    whole = [trace / trace[0] for trace in found if len(trace) and np.isfinite(trace).all() and trace[0]]
    longest = max(map(len, whole), default=0)
    return np.array([np.pad(trace, (0, longest - len(trace)), "edge") for trace in whole])
