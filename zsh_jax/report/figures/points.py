"""Points with error bars, joined by a line."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation

from zsh_jax.report.figures.style import Look
from zsh_jax.report.summary import Statistic

SHIFT = 1.6  # points between the error bars of neighbouring series


def points(
    figure: Figure,
    axes: Axes,
    places: Sequence[float],
    found: Sequence[Statistic],
    *,
    label: str,
    look: Look,
    rank: float,
) -> None:
    """Draw one series.

    Args:
        figure: that holds the axes.
        axes: to draw in.
        places: horizontal positions.
        found: means, and standard deviations for the bars; no bar if not finite.
        label: for the legend.
        look: of the series.
        rank: horizontal shift, in series, so that points at one position do not hide each other.
    """
    aside = ScaledTranslation(SHIFT * rank / 72, 0, figure.dpi_scale_trans)
    means, deviations = np.array(found, float).reshape(-1, 2).T
    axes.errorbar(
        places,
        means,
        deviations,
        label=label,
        color=look.color,
        marker=look.marker,
        linestyle=look.linestyle,
        elinewidth=1.0,
        transform=axes.transData + aside,
    )
    # A shifted line does not update the limits of the axes.
    bars = np.nan_to_num(deviations)
    ends = [*zip(places, means - bars, strict=True), *zip(places, means + bars, strict=True)]
    axes.update_datalim([end for end in ends if np.isfinite(end[1])])
    axes.autoscale_view()
