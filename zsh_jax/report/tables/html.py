"""A table as HTML."""

from html import escape

from zsh_jax.report.tables.table import Entry, Table


def html(table: Table) -> str:
    """A `table` element with a caption; the best entries are `strong`."""
    heads = "".join(f'<th scope="col" class="head">{escape(head)}</th>' for head in table.heads)
    columns = "".join(f'<th scope="col">{escape(column)}</th>' for column in table.columns)
    lines = "".join(
        "<tr>"
        + "".join(f'<th scope="row">{escape(head)}</th>' for head in line.head)
        + "".join(f"<td>{_entry(entry)}</td>" for entry in line.entries)
        + "</tr>\n"
        for line in table.lines
    )
    return (
        f"<table>\n<caption>{escape(table.caption)}</caption>\n"
        f"<thead><tr>{heads}{columns}</tr></thead>\n<tbody>\n{lines}</tbody>\n</table>\n"
    )


def _entry(entry: Entry | None) -> str:
    if entry is None:
        return "-"
    return f"<strong>{escape(entry.text)}</strong>" if entry.best else escape(entry.text)
