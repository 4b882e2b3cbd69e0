"""mAP over a grid of two axes."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from matplotlib.figure import Figure

from zsh_jax.report.figures.axis import name_of
from zsh_jax.report.figures.style import WIDTH, styled
from zsh_jax.report.series import MAP, Row, hashed, kind, moving, series, statistic


def grids(rows: Sequence[Row]) -> list[tuple[str, str, list[Row]]]:
    """The pairs of numeric axes that were swept together within a variant and method.

    If more axes vary, the grid is a slice through the best setting: the other axes keep its values.

    Args:
        rows: from `read_sweeps`.

    Returns:
        Names of both axes, and the rows of their grid. Axes that were swept one at a time make no grid.
    """
    found: list[tuple[str, str, list[Row]]] = []
    for which, axes in moving(hashed(rows)).items():
        same = [row for row in hashed(rows) if kind(row) == which]
        numeric = [axis for axis in axes if all(_is_number(row.get(axis)) for row in same)]
        settings = series(same, apart_from=())
        best = max(settings, key=lambda one: np.nan_to_num(statistic(one.rows, MAP).mean, nan=-1.0)).rows[0]
        for one, other in combinations(numeric, 2):
            others = [axis for axis in axes if axis not in (one, other)]
            cut = [row for row in same if all(row.get(axis) == best.get(axis) for axis in others)]
            places = {(row[one], row[other]) for row in cut}
            first, second = {a for a, _ in places}, {b for _, b in places}
            if min(len(first), len(second)) > 1 and len(places) > len(first) + len(second) - 1:
                found.append((one, other, cut))
    return found


@styled()
def heat_map(rows: Sequence[Row], across: str, down: str) -> Figure:
    """Heat map of mAP, the mean over seeds and unseen classes, for each pair of values.

    Args:
        rows: a grid of `grids`.
        across: horizontal axis.
        down: vertical axis.

    Returns:
        The figure; cells that were not run, or are not finite, stay blank.
    """
    columns, lines = (sorted({row[axis] for row in rows}) for axis in (across, down))
    at: dict[tuple[float, float], list[Row]] = {}
    for row in rows:
        at.setdefault((row[across], row[down]), []).append(row)
    values = np.array([[statistic(at.get((x, y), []), MAP).mean for x in columns] for y in lines])
    figure = Figure(figsize=(WIDTH, 1.3 + 0.36 * max(len(lines), 4)), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(values, origin="lower", aspect="auto", cmap="cividis")
    axes.grid(visible=False)
    axes.set_xticks(range(len(columns)), [f"{value:g}" for value in columns])
    axes.set_yticks(range(len(lines)), [f"{value:g}" for value in lines])
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    if len(columns) <= 9 and np.isfinite(values).any():
        middle = (np.nanmin(values) + np.nanmax(values)) / 2
        for y, x in np.argwhere(np.isfinite(values)):
            ink = "white" if values[y, x] < middle else "black"
            axes.text(x, y, f"{values[y, x]:.3f}", ha="center", va="center", color=ink, fontsize=8.5)
    bar = figure.colorbar(image, ax=axes, pad=0.02)
    bar.outline.set_visible(False)
    axes.set_xlabel(name_of(across))
    axes.set_ylabel(name_of(down))
    axes.set_title(f"mAP by {name_of(across)} and {name_of(down)}")
    return figure


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
