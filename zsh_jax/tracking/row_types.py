"""The types of the values of a result: a valid row can be averaged, sorted and printed."""

from collections.abc import Mapping
from typing import Any

from zsh_jax.sweep.axes import axis_types
from zsh_jax.sweep.metrics import METRICS
from zsh_jax.sweep.searches import SEARCHES, map_of
from zsh_jax.tracking.provenance import PROVENANCE

NAMES = ("variant", "dataset", "features", "semantics", "precision")
TEXTS = (
    "status",
    *PROVENANCE,
)  # texts after the identity; all other values there are numbers and lists of numbers
NUMBERS = (
    "objective",
    "iterations",
    "seen_queries",
    "seconds",
    "rescored",
    *(one for one, metric in METRICS.items() if not metric.is_list),
    *map(map_of, SEARCHES),
)
NUMERIC = {int, float, bool, type(None)}
AXES = axis_types()
LISTS = ("cutoffs", *(name for name, metric in METRICS.items() if metric.is_list))


def fits(identity: Mapping[str, Any], outcome: Mapping[str, Any]) -> bool:
    """Whether the values of a row have the types that a sweep writes.

    Args:
        identity: keys before `cell_id`.
        outcome: keys after it, without the checksum.
    """
    return (
        all(_is_axis(key, value) for key, value in identity.items())
        and all(_is_outcome(key, value) for key, value in outcome.items())
        and all(isinstance(outcome.get(key, []), list) for key in LISTS)
        and not any(isinstance(outcome.get(key), list) for key in NUMBERS)
    )


def _is_axis(key: str, value: object) -> bool:
    if value is None:
        return True
    if key in NAMES:
        return isinstance(value, str)
    if key not in AXES:
        return not isinstance(value, list)
    kind = AXES[key]
    if kind in (int, float):
        return isinstance(value, int if kind is int else int | float) and not isinstance(value, bool)
    return isinstance(value, str)


def _is_outcome(key: str, value: object) -> bool:
    if key in TEXTS:
        return value is None or isinstance(value, str)
    kinds = set(map(type, value)) if isinstance(value, list) else {type(value)}
    return kinds <= NUMERIC
