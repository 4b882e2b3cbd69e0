"""A table as LaTeX, with rules of booktabs."""

import re

from zsh_jax.report.tables.table import Entry, Table

ESCAPED = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
}
OPERATORS = {"<=": r"$\leq$", ">=": r"$\geq$"}


def latex(table: Table) -> str:
    """A `table` with caption and label; the best entries are bold. It needs the package booktabs."""
    heads = [escaped(head) for head in (*table.heads, *table.columns)]
    lines = [
        " & ".join([*map(escaped, line.head), *map(_entry, line.entries)]) + r" \\" for line in table.lines
    ]
    return "\n".join(
        [
            "% needs \\usepackage{booktabs}",
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escaped(table.caption)}}}",
            rf"\label{{tab:{re.sub(r'[^A-Za-z0-9]+', '-', table.name)}}}",
            rf"\begin{{tabular}}{{{'l' * len(table.heads)}{'r' * len(table.columns)}}}",
            r"\toprule",
            " & ".join(heads) + r" \\",
            r"\midrule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def escaped(text: str) -> str:
    """Plain text escaped for LaTeX; a hyphen before a digit becomes a minus sign."""
    pieces = re.split(r"(<=|>=|(?<![\w.])-(?=\d))", text)
    return "".join(
        OPERATORS.get(piece)
        or ("$-$" if piece == "-" and i % 2 else "".join(ESCAPED.get(c, c) for c in piece))
        for i, piece in enumerate(pieces)
    )


def _entry(entry: Entry | None) -> str:
    if entry is None:
        return "--"
    return rf"\textbf{{{escaped(entry.text)}}}" if entry.best else escaped(entry.text)
