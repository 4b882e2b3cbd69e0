"""What a table holds, before it is HTML, CSV or LaTeX."""

from collections.abc import Mapping
from typing import NamedTuple


class Entry(NamedTuple):
    """One figure of a table.

    Attributes:
        text: as people read it.
        numbers: what the text says, in full, by what each is; the same names throughout a table.
        best: whether it is the best of its column, or not significantly worse.
    """

    text: str
    numbers: Mapping[str, float]
    best: bool = False


class Line(NamedTuple):
    """One line of a table.

    Attributes:
        head: what it is of.
        entries: one a column; None where nothing was run.
    """

    head: tuple[str, ...]
    entries: tuple[Entry | None, ...]


class Table(NamedTuple):
    """A table.

    Attributes:
        name: short, for files and references.
        caption: one line of plain text.
        heads: what the first columns are.
        columns: what the others are.
        lines: of the table.
    """

    name: str
    caption: str
    heads: tuple[str, ...]
    columns: tuple[str, ...]
    lines: tuple[Line, ...]


def parts(table: Table) -> tuple[str, ...]:
    """Names of the numbers that each entry has, such as mean and standard deviation."""
    return tuple(
        dict.fromkeys(
            name for line in table.lines for entry in line.entries if entry for name in entry.numbers
        )
    )
