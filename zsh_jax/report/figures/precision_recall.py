"""Precision and recall within each Hamming radius."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float64
from matplotlib.figure import Figure

from zsh_jax.report.figures.style import Look, axes_for, legend_below, looks, styled
from zsh_jax.report.series import Row, hashed, series
from zsh_jax.report.summary import number

RADIUS = 2


@styled()
def precision_recall(
    rows: Sequence[Row], title: str = "", palette: Mapping[str, Look] | None = None
) -> Figure:
    """Precision against recall within each Hamming radius, from 0 to the number of bits.

    Args:
        rows: from `read_sweeps`; lines are settings and code lengths.
        title: added to the figure's title.
        palette: see `looks`.

    Returns:
        The figure. Both are means over queries, unseen classes and seeds; a marker shows radius 2.
    """
    lines = [one for one in series(hashed(rows), apart_from=()) if _curves(one.rows) is not None]
    figure, axes = axes_for([one.label for one in lines])
    for one, look in zip(lines, looks(lines, palette), strict=True):
        found = _curves(one.rows)
        assert found is not None
        recall, precision = found
        axes.plot(
            recall,
            precision,
            label=one.label,
            color=look.color,
            linestyle=look.linestyle,
            marker=look.marker,
            markevery=[min(RADIUS, len(recall) - 1)],
            markersize=7,
            markeredgecolor="white",
        )
    axes.set_xlim(0, 1.02)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("recall")
    axes.set_ylabel("precision")
    axes.set_title("Precision and recall over radii" + (f", {title}" if title else ""))
    legend_below(figure, axes, [one.label for one in lines])
    return figure


def _curves(
    rows: Sequence[Row],
) -> tuple[Float64[np.ndarray, " radii"], Float64[np.ndarray, " radii"]] | None:
    """Mean recall and precision at each radius; None if no row has finite curves."""
    pairs = [(_curve(row, "recall_curve"), _curve(row, "precision_curve")) for row in rows]
    curves = [np.array(pair) for pair in pairs if pair[0] and len(pair[0]) == len(pair[1])]
    finite = [curve for curve in curves if curve.shape == curves[0].shape and np.isfinite(curve).all()]
    if not finite:
        return None
    recall, precision = np.mean(finite, axis=0)
    return recall, precision


def _curve(row: Row, name: str) -> list[float]:
    """The numbers of a curve; NaN for a value that is not a number."""
    values = row.get(name)
    return [number(value) for value in values] if isinstance(values, list) else []
