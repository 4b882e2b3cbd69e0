"""Cells whose settings were tuned: what is one method in a table, whatever was chosen for which unseen class."""

from collections.abc import Mapping, Sequence
from typing import Any

TUNED = "tuned"


def as_tuned(rows: Sequence[dict[str, Any]], axes: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """State in the place of each value that was chosen that it was, so that tables average over what was.

    Args:
        rows: of a sweep.
        axes: by variant, the axes that were tuned; `METHOD.AXIS` for an own one of a method.

    Returns:
        The rows, in their order.
    """
    names = {variant: [axis.rpartition(".")[2] for axis in tried] for variant, tried in axes.items()}
    return [row | dict.fromkeys(names.get(row.get("variant") or "", ()), TUNED) for row in rows]
