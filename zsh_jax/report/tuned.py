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


def of_choices(
    rows: Sequence[dict[str, Any]], choices: Mapping[str, Mapping[str, Mapping[str, Any]]]
) -> list[dict[str, Any]]:
    """Leave out cells of settings that tuning chose once, in the same folder, and does not choose any more.

    Args:
        rows: of a sweep.
        choices: of `config.json`: by variant and set of unseen classes, the chosen value of each tuned axis.

    Returns:
        The other rows, in their order.
    """

    def is_chosen(row: Mapping[str, Any]) -> bool:
        chosen = choices.get(row.get("variant") or "", {}).get(row["unseen"], {})
        return all(row.get(axis.rpartition(".")[2]) == value for axis, value in chosen.items())

    return [row for row in rows if is_chosen(row)]


def _names(tried: Mapping[str, Any]) -> Iterator[str]:
    """Names of the axes in rows, which have the axes of one method."""
    for axis, values in tried.items():
        if isinstance(values, Mapping):
            yield from values
        else:
            yield axis
