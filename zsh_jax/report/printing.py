"""Print tables to a terminal or a file without cutting any number."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.segment import SegmentLines
from rich.table import Column, Table
from rich.text import Text

from zsh_jax.report.table import paired_table, results_table, unseen_table

ENDLESS = 1_000_000  # characters
NARROWEST = 6  # characters: row names are folded no narrower


def print_summary(
    console: Console, rows: Sequence[Mapping[str, Any]], cutoffs: Sequence[int], reference: str
) -> None:
    """Print the tables of a sweep: all settings, each unseen class, and differences to a reference.

    Args:
        console: where to print.
        rows: flat rows of `results.jsonl`; those of the reference first.
        cutoffs: the N of precision at N, as in the rows.
        reference: name of the reference variant; may be empty.
    """
    print_table(console, results_table(rows, cutoffs))
    if len({row["unseen"] for row in rows}) > 1:
        print_table(console, unseen_table(rows))
    if reference:
        print_table(console, paired_table(rows, reference))


def say(console: Console, text: str) -> None:
    """Print plain text unchanged: no markup, no folding."""
    console.print(text, highlight=False, soft_wrap=True, markup=False, emoji=False)


def print_table(console: Console, table: Table) -> None:
    """Print a table without cutting numbers.

    In a file it is as wide as it needs to be. On a terminal that is too narrow, the columns of numbers are split over
    several tables, one below the other; each repeats the columns that name the rows.

    Args:
        console: where to print.
        table: columns of numbers are `no_wrap`; the others name the rows and may be folded.
    """
    table = _encodable(table, console.encoding)
    room = console.width if console.is_terminal else ENDLESS
    for one in _stacked(console, table, room):
        needed = Measurement.get(console, console.options.update(width=ENDLESS), one).maximum
        options = console.options.update(width=min(needed, max(room, _least(console, one))))
        lines = console.render_lines(one, options, pad=False)
        console.print(SegmentLines(lines, new_lines=True), crop=False, end="")


def _stacked(console: Console, table: Table, room: int) -> list[Table]:
    """The table, or several tables with some of its columns each if it is wider than `room`."""
    names = [column for column in table.columns if not column.no_wrap]
    figures = [column for column in table.columns if column.no_wrap]
    widths = [_width(console, column) for column in figures]
    named = sum(_width(console, column) for column in names)
    left = room - 1 - min(named, room - 1 - max(widths, default=0))
    groups: list[list[Column]] = [[]]
    used = 0
    for column, width in zip(figures, widths, strict=True):
        if groups[-1] and used + width > left:
            groups.append([])
            used = 0
        groups[-1].append(column)
        used += width
    if len(groups) == 1:
        return [table]
    return [_with(table, [*names, *group], titled=not i) for i, group in enumerate(groups)]


def _encodable(table: Table, encoding: str) -> Table:
    """Replace ± by +- if the encoding lacks it, and escape other missing characters: columns stay aligned."""

    def encoded(text: Any) -> Text:
        return Text(str(text).replace("±", "+-").encode(encoding, "backslashreplace").decode(encoding))

    columns = table.columns
    try:
        "".join(str(text) for column in columns for text in (column.header, *column.cells)).encode(encoding)
    except UnicodeEncodeError:
        table = _with(table, columns, titled=True)
        for column in table.columns:
            column.header, column._cells = encoded(column.header), [encoded(cell) for cell in column.cells]
    return table


def _with(table: Table, columns: Sequence[Column], *, titled: bool) -> Table:
    """Some columns of a table."""
    part = Table(title=table.title if titled else None, title_justify=table.title_justify)
    for column in columns:
        part.add_column(
            column.header, justify=column.justify, no_wrap=column.no_wrap, overflow=column.overflow
        )
    for cells in zip(*(column.cells for column in columns), strict=True):
        part.add_row(*cells)
    return part


def _least(console: Console, table: Table) -> int:
    """The smallest width that cuts no number: names are folded as far as allowed."""
    widths = [_width(console, column) for column in table.columns]
    return 1 + sum(
        width if column.no_wrap else min(width, NARROWEST + 3)
        for column, width in zip(table.columns, widths, strict=True)
    )


def _width(console: Console, column: Column) -> int:
    """Width of the widest cell, with its margins and one rule."""
    wide = console.options.update(width=ENDLESS)
    cells = [column.header, *column.cells]
    texts = [Text(cell) if isinstance(cell, str) else cell for cell in cells]
    return 3 + max(Measurement.get(console, wide, text).maximum for text in texts)
