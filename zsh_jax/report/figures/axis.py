"""The horizontal axis of a figure over swept values."""

from collections.abc import Sequence

from matplotlib.axes import Axes

NAMES = {
    "bits": "code length, bits",
    "lam": "λ",
    "alpha": "\N{GREEK SMALL LETTER ALPHA}",
    "beta": "β",
    "gamma": "\N{GREEK SMALL LETTER GAMMA}",
    "delta": "δ",
    "bandwidth": "bandwidth, multiples of the published rule",
}


def name_of(axis: str) -> str:
    """Displayed name of an axis."""
    return NAMES.get(axis, axis.replace("_", " "))


def swept_axis(axes: Axes, axis: str, values: Sequence[float]) -> None:
    """Label the horizontal axis and put a tick at each value; logarithmic if the values span decades.

    Args:
        axes: of the figure.
        axis: name of the swept axis.
        values: of the swept axis.
    """
    values = sorted(set(values))
    if values[0] > 0 and values[-1] / values[0] >= 8:
        axes.set_xscale("log")
    elif values[0] == 0 and len(values) > 2 and values[-1] / values[1] >= 8:
        axes.set_xscale("symlog", linthresh=values[1], linscale=0.5)
    axes.set_xticks(values, [f"{value:g}" for value in values])
    axes.set_xticks([], minor=True)
    axes.set_xlabel(name_of(axis))
