"""The contents of a table, independent of HTML, CSV or LaTeX."""

from collections.abc import Mapping
from typing import NamedTuple


class Entry(NamedTuple):
    """One entry of a table.

    Attributes:
        text: as displayed.
        numbers: the numbers of the text in full precision, by name.
        best: whether it is the best of its column, or not significantly worse.
    """

    text: str
    numbers: Mapping[str, float]
    best: bool = False


class Line(NamedTuple):
    """One line of a table.

    Attributes:
        head: names of the line.
        entries: one a column; None if nothing was run.
    """

    head: tuple[str, ...]
    entries: tuple[Entry | None, ...]


class Table(NamedTuple):
    """A table.

    Attributes:
        name: short, for files and references.
        caption: one line of plain text.
        heads: heads of the columns that name a line.
        columns: heads of the other columns.
        lines: of the table.
    """

    name: str
    caption: str
    heads: tuple[str, ...]
    columns: tuple[str, ...]
    lines: tuple[Line, ...]


def parts(table: Table, place: int) -> tuple[str, ...]:
    """Names of the numbers in the entries of a column, such as mean and standard deviation."""
    entries = [line.entries[place] for line in table.lines]
    return tuple(dict.fromkeys(name for entry in entries if entry for name in entry.numbers))
