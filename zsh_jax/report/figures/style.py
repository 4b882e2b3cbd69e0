"""The style of all figures: colour-blind-safe colours, markers, line styles, fonts; and their bytes as PNG and PDF."""

import io
import itertools
import re
import textwrap
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import matplotlib as mpl
import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zsh_jax.report.series import Series

WIDTH = 5.2  # inches: labels stay readable on a phone
COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#4D4D4D",
    "#8C6D31",
)  # of Okabe and Ito
MARKERS = "osD^vPX*"
DASHES: tuple[Any, ...] = (
    "-",
    (0, (5, 2)),
    (0, (2, 1.2)),
    (0, (6, 2, 1.5, 2)),
)  # of two equal lines, both are visible
STYLE = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#808080",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.6,
    "xtick.color": "#808080",
    "ytick.color": "#808080",
    "xtick.labelcolor": "black",
    "ytick.labelcolor": "black",
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
    "errorbar.capsize": 2.5,
    "text.parse_math": False,  # names may contain a $
    "pdf.fonttype": 42,  # text stays text
    "savefig.dpi": 200,
}


class Look(NamedTuple):
    """How one series is drawn.

    Attributes:
        color: of lines and bars.
        marker: of points.
        linestyle: of lines.
    """

    color: Any
    marker: str
    linestyle: Any


@contextmanager
def styled() -> Iterator[None]:
    """Draw with this style, and ignore the user's own."""
    with matplotlib.style.context(["default", STYLE]):
        yield


def looks(lines: Sequence[Series], palette: Mapping[str, Look] | None = None) -> list[Look]:
    """The look of each series: shades from dark to light for code lengths of one setting, else colours.

    Args:
        lines: the series of one figure.
        palette: look of each label in all figures; other labels get a free colour.
    """
    ordered = len(lines) > 1 and all(re.fullmatch(r"(.*, )?\d+ bits", one.label) for one in lines)
    if ordered and len({one.label.rpartition(", ")[0] for one in lines}) == 1:
        shades = mpl.colormaps["viridis"]
        return [
            Look(shades(0.8 * i / (len(lines) - 1)), MARKERS[i % len(MARKERS)], "-")
            for i in range(len(lines))
        ]
    known = palette or {}
    taken = {known[one.label].color for one in lines if one.label in known}
    free = [i for i in range(len(COLOURS)) if COLOURS[i] not in taken] or list(range(len(COLOURS)))
    new = itertools.cycle(free)
    return [known[one.label] if one.label in known else _look(next(new)) for one in lines]


def axes_for(labels: Sequence[str], *, height: float = 3.2) -> tuple[Figure, Axes]:
    """An empty figure with room for a legend below.

    Args:
        labels: of the legend.
        height: in inches, without the legend.
    """
    labels = [shortened(label) for label in labels]
    rows = -(-len(labels) // _columns(labels)) if len(labels) > 1 else 0
    figure = Figure(figsize=(WIDTH, height + 0.21 * rows), layout="constrained")
    return figure, figure.subplots()


def legend_below(figure: Figure, axes: Axes, labels: Sequence[str]) -> None:
    """Draw the legend below the axes, in the order of the labels; a single line needs none."""
    handles = {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    there = [label for label in labels if label in handles]
    if len(there) > 1:
        shown = [handles[label] for label in there]
        texts = [shortened(label) for label in there]
        figure.legend(shown, texts, loc="outside lower center", ncols=_columns(texts))


def folded(text: str, width: int = 26) -> str:
    """A long label on several lines; joined class names are split at the +."""
    return "\n".join(textwrap.wrap(shortened(text.replace("+", " + "), 4 * width), width)) or text


def shortened(text: str, most: int = 60) -> str:
    """A label of at most `most` characters: its middle is cut if it is longer, and blanks are merged."""
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most // 2]} … {text[-most // 2 + 3 :]}"


def png(figure: Figure) -> bytes:
    """The figure as PNG, the same bytes each time."""
    return _saved(figure, "png", {"Software": None})


def pdf(figure: Figure) -> bytes:
    """The figure as PDF, the same bytes each time."""
    return _saved(figure, "pdf", {"Creator": None, "Producer": None, "CreationDate": None})


def _look(i: int) -> Look:
    return Look(COLOURS[i], MARKERS[i], DASHES[i % len(DASHES)])


def _columns(labels: Sequence[str]) -> int:
    longest = max(map(len, labels), default=1)
    most = max(1, min(4, len(labels), 64 // (longest + 5)))
    rows = -(-len(labels) // most)
    return -(-len(labels) // max(rows, 1)) or 1  # the fewest that need no more rows


def _saved(figure: Figure, kind: str, metadata: dict[str, Any]) -> bytes:
    content = io.BytesIO()
    with styled(), warnings.catch_warnings():
        # Letters that the font lacks become boxes; a figure with more labels than room is drawn all the same.
        warnings.filterwarnings(
            "ignore", "Glyph|.*constrained_layout|.*Matplotlib currently does not support", UserWarning
        )
        figure.savefig(content, format=kind, metadata=metadata)
    return content.getvalue()
