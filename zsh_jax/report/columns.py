"""The columns of results: their names, the shorter names that tables print, and their types."""

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from math import isnan
from typing import Any

from zsh_jax.errors import InputError
from zsh_jax.inputs.fingerprint import PREFIX
from zsh_jax.report.series import Row
from zsh_jax.sweep.axes import axis_types
from zsh_jax.sweep.metrics import METRICS
from zsh_jax.tracking.results import ID
from zsh_jax.tracking.row_types import NAMES, TEXTS

COST = {"seconds": "train s"}
HEADS: Mapping[str, str] = {metric.name: metric.head for metric in METRICS.values() if metric.head} | COST
"""Head of each column that tables print by a shorter name."""
PRINTED = {head: name for name, head in HEADS.items()}
AT = (("P@", "precision@"), ("mAP@", "map@"))  # as printed, and as in the rows
COUNTS = ("iterations", "seen_queries", "encoded_samples", "evaluated_queries", "training_block")
AXES = axis_types()
NEAR = 3  # names in a message


def kind_of(name: str, values: Iterable[object]) -> type:
    """The type of a column: str, int, bool or float.

    Args:
        name: of the column.
        values: in the rows; they decide where the name is not one of this version, or numbers became "tuned".
    """
    if name in (*NAMES, *TEXTS, ID) or name.startswith(PREFIX):
        return str
    kinds = {type(value) for value in values if value is not None}
    if str in kinds:
        return str
    if name in AXES:
        return AXES[name]
    return int if name in COUNTS else bool if kinds == {bool} else float


def scalar_columns(rows: Sequence[Row]) -> list[str]:
    """Names of the columns that have single values, in the order of the rows."""
    names = dict.fromkeys(name for row in rows for name in row)
    return [name for name in names if not any(isinstance(row.get(name), list) for row in rows)]


def resolved(given: str, rows: Sequence[Row], where: str) -> str:
    """The column that a user names.

    Args:
        given: its name in the rows, or the head that tables print.
        rows: from `read_sweeps`.
        where: the argument that names it, for the message.

    Raises:
        InputError: there is no such column; the message has the nearest names.
    """
    known = scalar_columns(rows)
    name = PRINTED.get(given, given)
    for printed, stored in AT:
        if re.fullmatch(rf"{printed}\d+", name):
            name = stored + name.removeprefix(printed)
    if name in known:
        return name
    near = get_close_matches(given, [*known, *PRINTED], NEAR) or ["method", "bits", "mAP"]
    raise InputError(f"{where}: there is no column {given!r}; fix: use {' or '.join(near)}")


def head_of(name: str) -> str:
    """The head of a column in printed tables."""
    for printed, stored in AT:
        if re.fullmatch(rf"{stored}\d+", name):
            return printed + name.removeprefix(stored)
    return HEADS.get(name, name)


def is_missing(value: object) -> bool:
    """Whether a row has no value: a metric that was not measured is NaN, and a method lacks the axes of others."""
    return value is None or (isinstance(value, float) and isnan(value))


def worded_value(name: str, value: Any) -> str:
    """A value of a single cell as text; a dash for none."""
    if is_missing(value):
        return "-"
    if isinstance(value, float):
        known = METRICS.get(name)
        is_share = known is not None or "@" in name
        return f"{value:.4f}" if is_share else f"{value:.4g}"
    return str(value)
