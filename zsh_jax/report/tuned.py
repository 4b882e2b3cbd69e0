"""Merge cells of a tuned variant into one setting, whatever values tuning chose for each unseen class."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

TUNED = "tuned"


def as_tuned(rows: Sequence[dict[str, Any]], axes: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Replace each tuned value by "tuned", so that tables average over the chosen values.

    Args:
        rows: of a sweep.
        axes: `config.tuning.axes`: by variant, the tuned axes; a method's own axes below its name.

    Returns:
        The rows, in their order.
    """
    names = {variant: list(_names(tried)) for variant, tried in axes.items()}
    return [row | dict.fromkeys(names.get(row.get("variant") or "", ()), TUNED) for row in rows]


def _names(tried: Mapping[str, Any]) -> Iterator[str]:
    """Names of the axes in rows, which have the axes of one method."""
    for axis, values in tried.items():
        if isinstance(values, Mapping):
            yield from values
        else:
            yield axis
