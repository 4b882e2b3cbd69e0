"""Choose the figures that the results have data for, and write their captions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isfinite
from typing import NamedTuple

from matplotlib.figure import Figure

from zsh_jax.report.figures.against import metric_against
from zsh_jax.report.figures.axis import name_of
from zsh_jax.report.figures.differences import differences
from zsh_jax.report.figures.heat_map import grids, heat_map
from zsh_jax.report.figures.objective import objective_by_iteration, relative_traces
from zsh_jax.report.figures.precision_at import cutoffs_of, precision_at
from zsh_jax.report.figures.precision_recall import precision_recall
from zsh_jax.report.figures.style import Look, looks
from zsh_jax.report.figures.unseen_bars import unseen_bars
from zsh_jax.report.series import (
    MAP,
    Row,
    as_variants,
    distinguished,
    hashed,
    kind,
    leading,
    moving,
    series,
    worded,
)
from zsh_jax.report.summary import metric_of

LINES = 8  # in a figure: more are hard to distinguish
BARS = 4  # of each group
BY_NAME = "mean_average_precision_by_name"
SPREAD = "Mean over seeds and unseen classes; bars: standard deviation over seeds."
CURVES = (
    "Precision and recall within each Hamming radius, means over queries, unseen classes and seeds; "
    "the point: radius 2."
)
TRACES = (
    "The objective in multiples of its value after the first iteration: mean over cells, and the band from the "
    "least to the greatest."
)

History = Mapping[str, Mapping[str, Sequence[float]]]


class CaptionedFigure(NamedTuple):
    """A figure of the report.

    Attributes:
        name: of its files, without extension.
        caption: what it shows and how to read it; one line of plain text.
        figure: the matplotlib figure.
    """

    name: str
    caption: str
    figure: Figure


class Chosen(NamedTuple):
    """The settings that figures show.

    Attributes:
        rows: of their cells.
        note: sentence on how many of all settings are shown; empty if all are.
        palette: look of each setting, the same in all figures.
    """

    rows: list[Row]
    note: str
    palette: Mapping[str, Look]


def chosen_figures(
    rows: Sequence[Row], references: Sequence[str], history: History
) -> Iterator[CaptionedFigure]:
    """All figures of one data set.

    Args:
        rows: from `read_sweeps`.
        references: reference variants that pairs can be made with.
        history: by `cell_id`, where it was saved.

    Yields:
        Figures, in the order of the page.
    """
    rows = distinguished(rows)
    chosen = _chosen(rows, LINES, references)
    yield from _against_bits(rows, references, chosen.palette)
    for reference in references:
        caption = (
            f"Difference in mAP to {reference}, paired over unseen classes and seeds; bars: 95 % interval."
        )
        yield CaptionedFigure(
            f"differences_to_{reference}", caption, differences(as_variants(rows, reference), reference)
        )
    yield from _at_each_length(rows, chosen, _chosen(rows, BARS, references), history)
    yield from _against_others(rows)
    for number, (across, down, grid) in enumerate(grids(rows), 1):
        caption = (
            f"mAP over {name_of(across)} and {name_of(down)}, mean over seeds and unseen classes; "
            "other axes as in the best setting."
        )
        yield CaptionedFigure(f"heat_map_{number}_{across}_{down}", caption, heat_map(grid, across, down))


def _against_bits(
    rows: Sequence[Row], references: Sequence[str], palette: Mapping[str, Look]
) -> Iterator[CaptionedFigure]:
    # A line needs two points.
    lines = [one for one in series(hashed(rows)) if len({row["bits"] for row in one.rows}) > 1]
    if not lines:
        return
    ended = {id(row) for one in lines for row in one.rows}
    chosen = _chosen([row for row in rows if id(row) in ended or not row["bits"]], LINES, references)
    spread = SPREAD + chosen.note
    if shown := _having(chosen.rows, MAP):
        yield CaptionedFigure(
            "map", f"mAP against code length. {spread}", metric_against(shown, palette=palette)
        )
    if shown := _having(hashed(chosen.rows), BY_NAME):
        figure = metric_against(shown, metric=BY_NAME, title="mAP by class name", palette=palette)
        yield CaptionedFigure(
            "map_by_name", f"mAP of queries by class name against code length. {spread}", figure
        )
    if shown := _having(hashed(chosen.rows), "seconds"):
        figure = metric_against(
            shown, metric="seconds", title="Training time", unit="s", logarithmic=True, palette=palette
        )
        yield CaptionedFigure(
            "training_time", f"Training time of a cell against code length. {spread}", figure
        )


def _against_others(rows: Sequence[Row]) -> Iterator[CaptionedFigure]:
    """Figures of mAP along every other numeric axis, within each variant and method."""
    for which, axes in moving(hashed(rows)).items():
        same = _having([row for row in hashed(rows) if kind(row) == which], MAP)
        for axis in axes:
            numbers = all(isinstance(row.get(axis), int | float) for row in same)
            if axis == "bits" or not numbers:
                continue
            lines = [one for one in series(same, apart_from=(axis,)) if len({r[axis] for r in one.rows}) > 1]
            heights = [max(metric_of(row, MAP) for row in one.rows) for one in lines]
            best = sorted(range(len(lines)), key=lambda i: -heights[i])[:LINES]
            kept = {id(row) for i in best for row in lines[i].rows}
            if kept:
                note = (
                    f" The {LINES} of {len(lines)} lines with the highest mAP." if len(lines) > LINES else ""
                )
                figure = metric_against([row for row in same if id(row) in kept], axis)
                name = "_".join(filter(None, ("map_against", axis, *which)))
                yield CaptionedFigure(name, f"mAP against {name_of(axis)}. {SPREAD}{note}", figure)


def _at_each_length(
    rows: Sequence[Row], lines: Chosen, bars: Chosen, history: History
) -> Iterator[CaptionedFigure]:
    """Figures of one code length each; if there is a single setting, of all code lengths together."""
    codes = hashed(rows)
    lengths = sorted({row["bits"] for row in codes})
    alone = len(series(codes)) == 1 and len(lengths) <= LINES
    groups = {"": codes} if alone else {b: [row for row in codes if row["bits"] == b] for b in lengths}

    def drawn(
        name: str,
        caption: str,
        chosen: Chosen,
        there: Callable[[Row], object],
        draw: Callable[[list[Row], str], Figure],
    ) -> Iterator[CaptionedFigure]:
        kept = {id(row) for row in chosen.rows}
        for bits, group in groups.items():
            few = [row for row in group if id(row) in kept and there(row)]
            if few:
                title = worded("bits", bits) if bits else ""
                ending = f"_{title.replace(' ', '_')}" if title else ""
                yield CaptionedFigure(name + ending, caption + chosen.note, draw(few, title))

    look = lines.palette
    yield from drawn(
        "precision_recall",
        CURVES,
        lines,
        lambda row: row.get("precision_curve"),
        lambda few, title: precision_recall(few, title, look),
    )
    yield from drawn(
        "precision_at",
        f"Precision among the N nearest. {SPREAD}",
        lines,
        lambda row: cutoffs_of([row]),
        lambda few, title: precision_at(few, title, look),
    )
    if len({row["unseen"] for row in codes}) > 1:
        yield from drawn(
            "unseen_classes",
            "mAP of each set of unseen classes; bars: standard deviation over seeds.",
            bars,
            lambda row: isfinite(metric_of(row, MAP)),
            lambda few, title: unseen_bars(few, title, look),
        )
    yield from drawn(
        "objective",
        TRACES,
        lines,
        lambda row: len(relative_traces([row], history)),
        lambda few, title: objective_by_iteration(few, history, title, look),
    )


def _chosen(rows: Sequence[Row], limit: int, references: Sequence[str]) -> Chosen:
    shown = leading(rows, limit, keep=references)
    settings, total = series(hashed(shown)), len(series(hashed(rows)))
    few = len(settings) < total
    note = f" The {len(settings)} of {total} settings with the highest mAP; tables show all." if few else ""
    labels = [one.label for one in settings]
    return Chosen(shown, note, dict(zip(labels, looks(settings), strict=True)))


def _having(rows: Sequence[Row], metric: str) -> list[Row]:
    return [row for row in rows if isfinite(metric_of(row, metric))]
