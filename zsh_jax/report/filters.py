"""Choose rows by conditions that a user writes, such as `method=zsh,sdh` or `bits>=32`."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from zsh_jax.errors import InputError
from zsh_jax.report.columns import is_missing, kind_of, resolved
from zsh_jax.report.series import Row
from zsh_jax.takes import shown

WRITTEN = re.compile(r"\s*([^=<>!]+?)\s*(==|!=|>=|<=|=|>|<)\s*(.*?)\s*")
ORDER: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le}
)
TRUTH = {"true": True, "false": False}
LISTED = 8  # values in a message


class Filter(NamedTuple):
    """One condition.

    Attributes:
        text: as written.
        name: of the column.
        sign: `=`, `!=`, `>`, `<`, `>=` or `<=`.
        values: that the column is compared with; several for `=` and `!=` alone.
    """

    text: str
    name: str
    sign: str
    values: tuple[Any, ...]


def filtered(rows: Sequence[Row], conditions: Sequence[Filter], where: str = "--where") -> list[Row]:
    """The rows that meet every condition.

    Args:
        rows: from `read_sweeps`.
        conditions: from `read_filter`.
        where: the argument that they were given by, for the message.

    Raises:
        InputError: no row is left.
    """
    left = list(rows)
    for one in conditions:
        kept = [row for row in left if meets(row, one)]
        if not kept:
            raise InputError(f"{where}: no cell has {shown(one.text)[1:-1]}; {_values(left, one.name)}")
        left = kept
    return left


def read_filter(text: str, rows: Sequence[Row], where: str = "--where") -> Filter:
    """Read a condition, such as `bits>=32`.

    Args:
        text: NAME, a sign and a value. `=` and `!=` take several values too, with commas between them.
        rows: that it is for; they have the columns that there are.
        where: the argument that it was given by, for messages.

    Raises:
        InputError: it cannot be read, or its column or value is not known.
    """
    found = WRITTEN.fullmatch(text)
    if not found or not found[3]:
        raise InputError(f"{where}: cannot read {shown(text)}; fix: write NAME=VALUE, such as 'bits>=32'")
    given, sign, value = found.groups()
    name = resolved(given, rows, where)
    kind = kind_of(name, (row.get(name) for row in rows))
    sign = "=" if sign == "==" else sign
    if sign in ORDER and kind in (str, bool):
        raise InputError(f"{where}: {name} has no order, so {sign} cannot compare it; fix: use = or !=")
    # A name of classes may have a comma in it.
    whole = sign in ORDER or any(row.get(name) == value for row in rows)
    parts = [value] if whole else [part.strip() for part in value.split(",")]
    return Filter(text, name, sign, tuple(_read(part, kind, name, where) for part in parts))


def meets(row: Row, condition: Filter) -> bool:
    """Whether a row meets a condition; one that lacks the column meets `!=` alone."""
    value = row.get(condition.name)
    missing = is_missing(value)
    if condition.sign in ORDER:
        return not missing and ORDER[condition.sign](value, condition.values[0])
    return (not missing and value in condition.values) == (condition.sign == "=")


def _read(text: str, kind: type, name: str, where: str) -> Any:
    if kind is str:
        return text
    if kind is bool:
        if text.lower() in TRUTH:
            return TRUTH[text.lower()]
        raise InputError(f"{where}: {name} is true or false, not {shown(text)}; fix: give one of the two")
    try:
        return float(text)
    except ValueError:
        raise InputError(
            f"{where}: {name} is a number, not {shown(text)}; fix: compare it with a number"
        ) from None


def _values(rows: Sequence[Row], name: str) -> str:
    found = list(dict.fromkeys(row[name] for row in rows if not is_missing(row.get(name))))
    if not found:
        return f"fix: choose another column, {name} has no value here"
    if len(found) > LISTED and not isinstance(found[0], str):
        return f"fix: {name} is from {min(found):g} to {max(found):g}"
    more = f" and {len(found) - LISTED:,} others" if len(found) > LISTED else ""
    return f"fix: {name} is {', '.join(map(str, found[:LISTED]))}{more}"
