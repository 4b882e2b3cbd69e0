"""A table as comma-separated values, with every number in full precision."""

import re
import unicodedata
from collections.abc import Sequence
from math import isfinite, nan

from zsh_jax.report.tables.table import Table, parts

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
FORMULA = re.compile(r"[=+@\-\u2212]")
# Where other programs may split cells, though this file does not.
WITHIN = re.compile(r'((?:[;|]|(?<=.)[\t\r\n])[\s"]*)(?=[=+@\-])')
APART = re.compile(r'[\t\r\n,;|"]')  # where some program may start another cell


def comma_separated(table: Table) -> str:
    """The table for a spreadsheet or another program.

    A text that a spreadsheet would run as a formula gets an apostrophe in front.

    Returns:
        A line of names, then one for each line of the table. Each column becomes one for each number of its entries:
        `16 bits mean`, `16 bits standard deviation`, and `16 bits best`, which is 1 or 0. A number without a name has
        that of its column. Missing values are empty.
    """
    marked = any(entry and entry.best for line in table.lines for entry in line.entries)
    of_columns = [parts(table, place) for place in range(len(table.columns))]
    heads = [
        f"{column} {name}".rstrip()
        for column, names in zip(table.columns, of_columns, strict=True)
        for name in (*names, *(["best"] if marked else []))
    ]
    lines = [_joined([*table.heads, *heads])]
    for line in table.lines:
        values: list[str] = []
        for entry, names in zip(line.entries, of_columns, strict=True):
            numbers = entry.numbers if entry else {}
            values += [repr(numbers[name]) if isfinite(numbers.get(name, nan)) else "" for name in names]
            values += [str(int(entry.best)) if entry else ""] if marked else []
        lines.append(_joined([*line.head, *values]))
    return "".join(lines)


def inert(text: str) -> str:
    """A text that no spreadsheet runs as a formula: with an apostrophe in front if it starts like one.

    Leading blanks and invisible characters are ignored; numbers are unchanged.
    """
    if NUMBER.fullmatch(text):
        return text
    text = WITHIN.sub(r"\1'", text)
    visible = "".join(
        sign for sign in unicodedata.normalize("NFKC", text) if unicodedata.category(sign)[0] not in "CZ"
    )
    control = text[:1] in {"\t", "\r", "\n"}
    return f"'{text}" if control or FORMULA.match(visible) else text


def _joined(texts: Sequence[str]) -> str:
    """One line; a text with a separator is quoted."""
    cells = [inert(text) for text in texts]
    quoted = [f'"{cell.replace(chr(34), chr(34) * 2)}"' if APART.search(cell) else cell for cell in cells]
    return ",".join(quoted) + "\n"
