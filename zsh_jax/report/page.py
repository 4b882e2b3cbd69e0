"""The page of a report: one self-contained HTML file."""

import base64
import re
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from zsh_jax.report.contents import Part
from zsh_jax.report.gallery import gallery_html
from zsh_jax.report.provenance import provenance_facts
from zsh_jax.report.read import Sweeps
from zsh_jax.report.series import Row, series
from zsh_jax.report.tables.html import html
from zsh_jax.report.tables.table import Table

FIRST = ("differences_to",)  # tables that are open from the start, as the mAP table is


def page(sweeps: Sweeps, parts: Sequence[Part], images: Mapping[str, bytes]) -> str:
    """The whole page as HTML; figures, style and script are inline, and nothing needs the script.

    Args:
        sweeps: from `read_sweeps`.
        parts: from `contents`.
        images: PNG of each figure, by its name.
    """
    title = ", ".join(sweeps.names)
    style, script = (
        files("zsh_jax.report").joinpath(f"page.{kind}").read_text("utf-8") for kind in ("css", "js")
    )
    body = "".join(_part(part, images, headed=len(parts) > 1) for part in parts)
    for name, gallery in sweeps.galleries.items():
        body += (
            f"<section>\n<h2>Retrieval examples: {escape(name)}</h2>\n"
            '<p class="note">Nearest first. Tick and solid frame: relevant; cross and dashed frame: not.</p>\n'
            f"{gallery_html(gallery)}</section>\n"
        )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<link rel="icon" href="data:,">\n<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n'
        f"<header>\n<h1>{escape(title)}</h1>\n{_warnings(sweeps)}"
        f'<div class="facts">\n<section>\n<h2>Contents</h2>\n{_facts(sweeps.rows)}</section>\n{_made(sweeps)}</div>\n'
        "</header>\n"
        f"<main>\n{body}</main>\n"
        "<footer>Made by <code>python -m zsh_jax.report</code> from <code>results.jsonl</code>. Beside this page: "
        "figures as PNG and PDF, tables as HTML, CSV, LaTeX and Markdown.</footer>\n"
        f"<script>\n{script}</script>\n</body>\n</html>\n"
    )


def _warnings(sweeps: Sweeps) -> str:
    notes = [sweeps.old] if sweeps.old else []
    return "".join(f'<p class="note">{escape(line)}</p>\n' for line in (*notes, *sweeps.damaged))


def _made(sweeps: Sweeps) -> str:
    """Provenance of the results and their commands."""
    facts = provenance_facts(sweeps.rows, sweeps.commands)
    return f"<section>\n<h2>Provenance</h2>\n{_listed(facts)}</section>\n" if facts else ""


def _part(part: Part, images: Mapping[str, bytes], *, headed: bool) -> str:
    head = "h3" if headed else "h2"
    first = [
        table for table in part.tables if any(word in table.name for word in FIRST) or table is part.tables[0]
    ]
    tables = "".join(_scroll(table) for table in first)
    figures = "".join(_figure(one.name, one.caption, images[one.name]) for one in part.figures)
    others = "".join(
        f"<details>\n<summary>{escape(_title(table))}</summary>\n{_scroll(table)}</details>\n"
        for table in part.tables
        if table not in first
    )
    notes = "".join(f'<p class="note">{escape(note)}</p>\n' for note in part.notes)
    return (
        "<section>\n"
        + (f"<h2>{escape(part.title)}</h2>\n{_facts(part.rows)}" if headed else "")
        + f"<{head}>Comparison</{head}>\n{notes}{tables}"
        + f'<{head}>Figures</{head}>\n<div class="figures">\n{figures}</div>\n'
        + (f"<{head}>Other tables</{head}>\n{others}" if others else "")
        + "</section>\n"
    )


def _title(table: Table) -> str:
    """What the caption says first, without the statistics."""
    return re.split(r", mean and standard|[:.](?: |$)", table.caption)[0]


def _scroll(table: Table) -> str:
    label = escape(_title(table))
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">\n{html(table)}</div>\n'


def _figure(name: str, caption: str, image: bytes) -> str:
    source = f"data:image/png;base64,{base64.b64encode(image).decode()}"
    text = escape(caption)
    return f'<figure id="{escape(name)}"><img src="{source}" alt="{text}"><figcaption>{text}</figcaption></figure>\n'


def _facts(rows: Sequence[Row]) -> str:
    failed = sum(row.get("status") == "non_finite" for row in rows)
    facts = {
        "cells": f"{len(rows):,}"
        + (f", of which {failed:,} were not finite and are excluded" if failed else ""),
        "settings": f"{len(series(rows)):,}",
        "data set": _values(rows, "dataset"),
        "features": _values(rows, "features"),
        "semantics": _values(rows, "semantics"),
        "methods": _values(rows, "method"),
        "code lengths": _values([row for row in rows if row["bits"]], "bits"),
        "seeds": f"{len({row['seed'] for row in rows}):,}",
        "sets of unseen classes": f"{len({row['unseen'] for row in rows}):,}",
    }
    return _listed({name: value for name, value in facts.items() if value})


def _listed(facts: Mapping[str, str]) -> str:
    lines = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>\n" for name, value in facts.items())
    return f"<dl>\n{lines}</dl>\n"


def _values(rows: Sequence[Row], axis: str) -> str:
    found: list[Any] = list(dict.fromkeys(row.get(axis) for row in rows if row.get(axis) is not None))
    if all(isinstance(value, int) for value in found):
        found = sorted(found)
    return ", ".join(map(str, found))
