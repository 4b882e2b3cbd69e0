"""A table as comma-separated values, with every number in full."""

import csv
import io
from math import isnan

from zsh_jax.report.tables.table import Table, parts


def comma_separated(table: Table) -> str:
    """The table for a spreadsheet or another program.

    Args:
        table: to be stated.

    Returns:
        A line of names, then one for each line of the table. Each column becomes one for each number that its
        entries have: `16 bits mean`, `16 bits deviation`, and `16 bits best`, which is 1 or 0. What is not there is
        left empty.
    """
    names = parts(table)
    told = any(entry and entry.best for line in table.lines for entry in line.entries)
    fields = (*names, "best") if told else names
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*table.heads, *(f"{column} {field}" for column in table.columns for field in fields)])
    for line in table.lines:
        values: list[str] = []
        for entry in line.entries:
            numbers = entry.numbers if entry else {}
            values += [
                "" if isnan(numbers.get(name, float("nan"))) else repr(numbers[name]) for name in names
            ]
            values += [str(int(entry.best)) if entry else ""] if told else []
        writer.writerow([*line.head, *values])
    return text.getvalue()
