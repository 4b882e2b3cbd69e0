"""A map of codes: their two leading principal directions."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from zsh_jax.report.code_map import CodeMap
from zsh_jax.report.figures.style import COLOURS, MARKERS, axes_for, legend_below, shortened, styled

GREYS = ("#9A9A9A", "#B4B4B4", "#8A8A8A", "#C2C2C2")
LARGEST = 130.0  # square points: area of the most frequent code


@styled()
def code_map_figure(
    mapped: CodeMap, names: Sequence[str], asked: Sequence[int], title: str, *, directions: bool = True
) -> Figure:
    """Draw the codes of some classes.

    Args:
        mapped: from `code_map` or `tsne_map`.
        names: of all classes.
        asked: numbers of the classes of the queries; they have colours, the others are grey.
        title: of the figure.
        directions: whether its axes are principal directions; else they mean nothing and are not labelled.

    Returns:
        The figure; the area of a point grows with the number of images that share its code.
    """
    drawn = list(dict.fromkeys(mapped.classes.tolist()))
    order = sorted(drawn, key=lambda one: one in asked)  # coloured points on top
    labels = {one: str(names[one]) for one in order}
    listed = [shortened(labels[one]) for one in sorted(order, key=lambda one: one not in asked)]
    figure, axes = axes_for(listed, height=3.6)
    most = mapped.counts.max(initial=1)
    ranks = {True: 0, False: 0}
    for one in order:
        here, is_asked = mapped.classes == one, one in asked
        rank = ranks[is_asked]
        ranks[is_asked] += 1
        axes.scatter(
            mapped.points[here, 0],
            mapped.points[here, 1],
            s=6 + (LARGEST - 6) * mapped.counts[here] / most,
            color=(COLOURS if is_asked else GREYS)[rank % len(COLOURS if is_asked else GREYS)],
            marker=MARKERS[rank % len(MARKERS)],
            alpha=0.75,
            linewidths=0.4,
            edgecolors="white",
            label=shortened(labels[one]),
        )
    for axis, number in ((axes.xaxis, 0), (axes.yaxis, 1)):
        if not directions:
            axis.set_label_text("")
            axis.set_ticks([])
            continue
        share = 100 * float(np.nan_to_num(mapped.explained[number]))
        axis.set_label_text(f"principal direction {number + 1} ({share:.0f} % of the variance)")
    axes.set_title(title)
    legend_below(figure, axes, listed)
    return figure
