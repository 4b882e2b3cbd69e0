"""Choose the tables and figures of a report: those that the results have data for."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from zsh_jax.errors import InputError
from zsh_jax.report.chance import MAP_AT
from zsh_jax.report.chosen_figures import CaptionedFigure, chosen_figures
from zsh_jax.report.code_figures import code_figures
from zsh_jax.report.figures.precision_at import PREFIX, cutoffs_of
from zsh_jax.report.paired import paired_differences
from zsh_jax.report.provenance import mixed_provenance
from zsh_jax.report.read import Sweeps
from zsh_jax.report.series import MAP, Row, as_variants, distinguished, hashed, series, unfinished
from zsh_jax.report.tables.comparison import difference_table, metric_table, unseen_class_table
from zsh_jax.report.tables.searches import search_table, searches_there
from zsh_jax.report.tables.side_by_side import (
    STABLE,
    bit_table,
    cost_table,
    found,
    generalised_table,
    tie_rule_table,
)
from zsh_jax.report.tables.table import Table
from zsh_jax.sweep.metrics import METRICS

LONGEST = 100  # characters of a file name, without its extension


class Part(NamedTuple):
    """The part of a report that covers one data set.

    Attributes:
        title: name of the data set.
        rows: one a cell.
        tables: the mAP table first.
        figures: in the order of the page.
        notes: what is left out, and why.
    """

    title: str
    rows: Sequence[Row]
    tables: tuple[Table, ...]
    figures: tuple[CaptionedFigure, ...]
    notes: tuple[str, ...]


def contents(sweeps: Sweeps) -> list[Part]:
    """All tables and figures of a report; one part a data set: mAP of two data sets is not comparable.

    Args:
        sweeps: as `read_sweeps` gives them.

    Returns:
        The parts, in the order of first appearance; with several, the names of files begin with the data set's.
    """
    by_dataset: dict[str, list[Row]] = {}
    taken: set[str] = set()
    drawings: set[str] = set()
    for row in sweeps.rows:
        by_dataset.setdefault(str(row.get("dataset")), []).append(row)
    parts = []
    for title, of_dataset in by_dataset.items():
        rows = distinguished(of_dataset)
        prefix = f"{title}_" if len(by_dataset) > 1 else ""
        references, notes = _references(rows, sweeps.references)
        notes += unfinished(rows) + mixed_provenance(rows)
        tables = [
            one._replace(name=_file_name(prefix + one.name, taken)) for one in _tables(rows, references)
        ]
        drawn = [
            one._replace(name=_file_name(prefix + one.name, drawings))
            for one in (*chosen_figures(rows, references, sweeps.history), *_of_codes(title, sweeps))
        ]
        parts.append(Part(title, rows, tuple(tables), tuple(drawn), notes))
    return parts


def _of_codes(title: str, sweeps: Sweeps) -> Iterator[CaptionedFigure]:
    """Figures of the codes of a data set, whose title may have the digits of its labels behind its name."""
    for one in sweeps.codes:
        if title == one.dataset or title.startswith(f"{one.dataset} ("):
            yield from code_figures(one)


def _file_name(text: str, taken: set[str]) -> str:
    """A unique name that is valid on every file system; some ignore case, so names are compared without it."""
    name = re.sub(r"[^A-Za-z0-9_.+-]+", "-", text)
    if len(name) > LONGEST or name.lower() in taken:
        name = f"{name[:LONGEST]}-{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:8]}"
    taken.add(name.lower())
    return name


def _references(rows: Sequence[Row], names: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """The reference variants that pairs can be made with, and a note for each that cannot be one."""
    variants = {row["variant"] for row in hashed(rows)}
    several = len(series(hashed(rows))) > 1
    references, notes = [], []
    for name in names:
        if name in variants and several:
            try:
                paired_differences(as_variants(rows, name), reference=name)
            except InputError as error:
                notes.append(f"No table of differences to {name}: {error}.")
            else:
                references.append(name)
    return references, tuple(notes)


def _tables(rows: Sequence[Row], references: Sequence[str]) -> Iterator[Table]:
    for metric in METRICS.values():
        if metric.table and found(rows, metric.name):
            name, title = metric.table
            some = hashed(rows) if metric.of_codes else rows
            yield metric_table(some, metric.name, title, name=name, rank=metric.name == MAP)
    for reference in references:
        yield difference_table(as_variants(rows, reference), reference, name=f"differences_to_{reference}")
    if len({row["unseen"] for row in rows}) > 1:
        yield unseen_class_table(rows, name="unseen_classes")
    for n in cutoffs_of(rows):
        for places, title, name in (
            (f"{PREFIX}{n}", f"Precision among the {n} nearest", f"precision_at_{n}"),
            (f"{MAP_AT}{n}", f"mAP@{n}, normalised by the number of all relevant images", f"map_at_{n}"),
            (f"{MAP_AT}min:{n}", f"mAP@{n}, divided by min({n}, all relevant images)", f"map_at_min_{n}"),
            (f"{MAP_AT}found:{n}", f"mAP@{n}, divided by the relevant images found", f"map_at_found_{n}"),
        ):
            if found(rows, places):
                yield metric_table(rows, places, title, name=name)
    if found(rows, "mean_average_precision_worst") or found(rows, STABLE):
        yield tie_rule_table(hashed(rows), name="tie_rules")
    if searches_there(rows):
        yield search_table(rows, name="searches")
    if found(rows, "mean_average_precision_seen"):
        yield generalised_table(rows, name="generalised")
    if found(rows, "bit_balance"):
        yield bit_table(hashed(rows), name="bit_statistics")
    if found(rows, "seconds"):
        yield cost_table(rows, name="costs")
