"""Merge cells of a tuned variant into one setting, whatever values tuning chose for each unseen class."""

from collections.abc import Mapping, Sequence
from typing import Any

TUNED = "tuned"


def as_tuned(rows: Sequence[dict[str, Any]], axes: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Replace each tuned value by "tuned", so that tables average over the chosen values.

    Args:
        rows: of a sweep.
        axes: by variant, the tuned axes; `METHOD.AXIS` for an own axis of a method.

    Returns:
        The rows, in their order.
    """
    names = {variant: [axis.rpartition(".")[2] for axis in tried] for variant, tried in axes.items()}
    return [row | dict.fromkeys(names.get(row.get("variant") or "", ()), TUNED) for row in rows]
