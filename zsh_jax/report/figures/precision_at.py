"""Precision among the N nearest images."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from zsh_jax.report.figures.axis import swept_axis
from zsh_jax.report.figures.points import points
from zsh_jax.report.figures.style import Look, axes_for, legend_below, looks, styled
from zsh_jax.report.series import Row, series, statistic

PREFIX = "precision@"


def cutoffs_of(rows: Sequence[Row]) -> list[int]:
    """Every N at which some row has a precision, ascending."""
    return sorted({int(key.removeprefix(PREFIX)) for row in rows for key in row if key.startswith(PREFIX)})


@styled()
def precision_at(rows: Sequence[Row], title: str = "", palette: Mapping[str, Look] | None = None) -> Figure:
    """Precision against N, with the standard deviation over seeds as error bars.

    Args:
        rows: from `read_sweeps`; lines are settings and code lengths.
        title: added to the figure's title.
        palette: see `looks`.
    """
    places = cutoffs_of(rows)
    lines = series(rows, apart_from=())
    figure, axes = axes_for([one.label for one in lines])
    for i, (one, look) in enumerate(zip(lines, looks(lines, palette), strict=True)):
        found = [statistic(one.rows, f"{PREFIX}{n}") for n in places]
        points(figure, axes, places, found, label=one.label, look=look, rank=i - (len(lines) - 1) / 2)
    swept_axis(axes, "N nearest images", places)
    axes.autoscale_view()
    axes.set_ylabel("precision at N")
    axes.set_title("Precision at N" + (f", {title}" if title else ""))
    legend_below(figure, axes, [one.label for one in lines])
    return figure
