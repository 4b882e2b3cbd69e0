"""A table as Markdown."""

from zsh_jax.report.tables.table import Entry, Table


def markdown(table: Table) -> str:
    """The caption, and below it a pipe table; the best entries are bold."""
    heads = [_plain(head) for head in (*table.heads, *table.columns)]
    lines = [[*map(_plain, line.head), *map(_entry, line.entries)] for line in table.lines]
    rule = ["---"] * len(table.heads) + ["---:"] * len(table.columns)
    rows = "\n".join(f"| {' | '.join(row)} |" for row in [heads, rule, *lines])
    return f"{_plain(table.caption)}\n\n{rows}\n"


def _plain(text: str) -> str:
    """Plain text escaped for Markdown."""
    return "".join(f"\\{sign}" if sign in r"\|*_`<" else sign for sign in text)


def _entry(entry: Entry | None) -> str:
    if entry is None:
        return "-"
    return f"**{_plain(entry.text)}**" if entry.best else _plain(entry.text)
