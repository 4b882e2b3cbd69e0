"""Tables of chosen columns: a line for each setting, or for each cell."""

from collections.abc import Callable, Sequence
from math import inf, isfinite, isnan
from typing import Any

from zsh_jax.errors import InputError
from zsh_jax.report.chance import CHANCE, is_chance
from zsh_jax.report.columns import AXES, COST, HEADS, is_missing, kind_of, resolved, worded_value
from zsh_jax.report.series import MAP, Row
from zsh_jax.report.summary import IDENTITY, Statistic, Summary, metric_of, summarise, varied
from zsh_jax.report.table import cell, level_of, numbers_of, plain, value_of
from zsh_jax.report.tables.table import Entry, Line, Table
from zsh_jax.tracking.results import ID

OVER = "mean and standard deviation over seeds, averaged over unseen classes"
PAIRED = ("unseen", "seed")


def usual_columns(rows: Sequence[Row]) -> list[str]:
    """The columns of the table that a sweep prints: those with a finite value; chance beside mAP."""
    cutoffs = sorted({n for row in rows for n in row.get("cutoffs") or () if isinstance(n, int) and n > 0})
    first, *others = [name for name in HEADS if name not in COST]
    names = [first, CHANCE, *others, *(f"precision@{n}" for n in cutoffs), *COST]
    return [name for name in names if any(isfinite(metric_of(row, name)) for row in rows)]


def setting_listing(rows: Sequence[Row], columns: Sequence[str], sort: str, *, reverse: bool) -> Table:
    """Mean and standard deviation over seeds, with a line for each setting.

    Args:
        rows: from `read_sweeps`.
        columns: resolved names of metrics and axes; none for `usual_columns`.
        sort: the column that orders the lines, from the highest mean down, or axes from the first value up; "" for
            the order of the rows. Settings without a value come last.
        reverse: whether to turn that order round.

    Returns:
        The table. An axis stands before the metrics, and is there unasked if it distinguishes two settings.

    Raises:
        InputError: a column has no mean over seeds.
    """
    columns = list(columns) or usual_columns(rows)
    for name in (*columns, *([sort] if sort else [])):
        _check_mean(name, rows)
    metrics = [name for name in columns if name not in IDENTITY]
    summaries = summarise(rows, [*dict.fromkeys([*metrics, MAP, *([sort] if sort else [])])])
    axes = list(dict.fromkeys([*varied(summaries), *(name for name in columns if name in IDENTITY)]))

    def value(one: Summary) -> Any:
        return one.setting.get(sort) if sort in IDENTITY else one.statistics[sort].mean

    if sort:
        summaries = _sorted(summaries, value, downwards=(sort not in IDENTITY) != reverse)
    elif reverse:
        summaries = summaries[::-1]
    lines = [
        Line(
            tuple(value_of(one.setting.get(axis)) for axis in axes),
            (
                *(_entry(name, one.statistics[name]) for name in metrics),
                Entry(str(one.seeds), {"": one.seeds}),
            ),
        )
        for one in summaries
    ]
    return Table("settings", OVER, tuple(axes), (*metrics, "seeds"), tuple(lines))


def cell_listing(rows: Sequence[Row], columns: Sequence[str], sort: str, *, reverse: bool) -> Table:
    """The cells themselves, one a line; the arguments are those of `setting_listing`.

    Returns:
        The table: the axes that distinguish the cells, unseen classes, seed and `cell_id`, then the columns.
    """
    columns = list(columns) or usual_columns(rows)
    texts = [name for name in columns if kind_of(name, (row.get(name) for row in rows)) is str]
    named = [name for name in columns if name in texts or name in AXES]
    axes = list(dict.fromkeys([*varied(summarise(rows, [])), *PAIRED, *named, ID]))
    figures = [name for name in columns if name not in axes]

    def value(row: Row) -> Any:
        return row.get(sort)

    if sort:
        is_axis = sort in (*IDENTITY, ID) or kind_of(sort, map(value, rows)) is str
        rows = _sorted(rows, value, downwards=is_axis == reverse)
    elif reverse:
        rows = rows[::-1]
    lines = [
        Line(
            tuple(value_of(row.get(axis)) for axis in axes),
            tuple(_figure(name, row.get(name)) for name in figures),
        )
        for row in rows
    ]
    return Table("cells", "cells", tuple(axes), tuple(figures), tuple(lines))


def columns_of(given: Sequence[str], rows: Sequence[Row], where: str) -> list[str]:
    """Resolve the columns that a user names, which may be joined by commas."""
    names = [name.strip() for text in given for name in text.split(",") if name.strip()]
    return list(dict.fromkeys(resolved(name, rows, where) for name in names))


def _check_mean(name: str, rows: Sequence[Row]) -> None:
    if name in PAIRED:
        raise InputError(f"{name}: means are taken over it; fix: add --cells, or use another column")
    if name not in IDENTITY and kind_of(name, (row.get(name) for row in rows)) is str:
        raise InputError(f"{name}: a text has no mean over seeds; fix: add --cells, or use another column")


def _sorted(lines: Sequence[Any], value: Callable[[Any], Any], *, downwards: bool) -> list[Any]:
    """Stable; numbers before texts, and missing values last whatever the order."""

    def key(line: Any) -> tuple[bool, float, str]:
        found = value(line)
        return isinstance(found, str), -inf if isinstance(found, str) else found, str(found)

    there = [line for line in lines if not is_missing(value(line))]
    missing = [line for line in lines if is_missing(value(line))]
    return sorted(there, key=key, reverse=downwards) + missing


def _entry(name: str, found: Statistic) -> Entry | None:
    if isnan(found.mean):
        return None
    text = level_of(found) if is_chance(name) else plain(found) if name in COST else cell(found)
    return Entry(text, numbers_of(found))


def _figure(name: str, value: Any) -> Entry | None:
    if is_missing(value):
        return None
    return Entry(worded_value(name, value), {"": value})
