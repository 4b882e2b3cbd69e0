"""Tables of several metrics beside each other: each code length and setting a line, each metric a column."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite, isnan

from zsh_jax.report.chance import CHANCE, SAID, is_chance
from zsh_jax.report.series import Row, series, statistic, worded
from zsh_jax.report.summary import Statistic, metric_of
from zsh_jax.report.table import cell, level_of, numbers_of, plain
from zsh_jax.report.tables.comparison import BOLD, entries
from zsh_jax.report.tables.table import Entry, Line, Table

OVER = "mean and standard deviation over seeds, averaged over unseen classes"


def side_by_side(
    rows: Sequence[Row],
    columns: Mapping[str, str],
    caption: str,
    *,
    name: str,
    best: bool = False,
    text: Callable[[Statistic], str] = cell,
) -> Table:
    """Several metrics of each code length and setting.

    Args:
        rows: as `read_sweeps` gives them.
        columns: by the head of a column, the name of its scalar metric.
        caption: a sentence on what is seen; which are bold is added.
        name: of the table's files.
        best: whether a higher value is the better, and the best of each code length are marked.
        text: how a figure is stated.

    Returns:
        A line for each code length and setting; columns without any finite value are left out, and so are lines.
    """
    there = {head: metric for head, metric in columns.items() if found(rows, metric)}
    lines = []
    for bits in sorted({row["bits"] for row in rows}, key=lambda bits: (bits == 0, bits)):
        settings = {one.label: [row for row in one.rows if row["bits"] == bits] for one in series(rows)}
        groups = {label: few for label, few in settings.items() if few}
        if best:
            stated = [
                _stated(groups.values(), metric, level_of)
                if is_chance(metric)
                else entries(list(groups.values()), metric)
                for metric in there.values()
            ]
        else:
            stated = [_stated(groups.values(), metric, text) for metric in there.values()]
        for label, line in zip(groups, zip(*stated, strict=True), strict=True):
            if any(line):
                lines.append(Line((worded("bits", bits), label), line))
    told = " ".join(
        [caption, *([BOLD] if best else []), *([SAID] if any(map(is_chance, there.values())) else [])]
    )
    return Table(name, told, ("bits", "setting"), tuple(there), tuple(lines))


def tie_rule_table(rows: Sequence[Row], *, name: str) -> Table:
    """mAP under both rules for items at equal distance."""
    columns = {
        "tie-aware": "mean_average_precision",
        "stable": "mean_average_precision_stable",
        "chance": CHANCE,
    }
    caption = (
        "mAP under two rules for images at equal distance: tie-aware, the exact mean over their orders; and stable, "
        "the order of the database, over the first 10,000 places, divided by what is relevant among them; "
        f"{OVER}."
    )
    return side_by_side(rows, columns, caption, name=name, best=True)


def generalised_table(rows: Sequence[Row], *, name: str) -> Table:
    """mAP of queries of unseen and of seen classes, and their harmonic mean."""
    columns = {}
    for head, ending in (("unseen", ""), ("seen", "_seen"), ("harmonic", "_harmonic")):
        columns[head] = f"mean_average_precision{ending}"
        columns[f"chance of {head}"] = f"{CHANCE}{ending}"
    caption = (
        "Generalised setting: mAP of queries of unseen classes, of queries of seen classes that were not learnt from, "
        f"each searching the same database without itself, and the harmonic mean of a cell's two; {OVER}."
    )
    some = [row for row in rows if isfinite(metric_of(row, "mean_average_precision_seen"))]
    return side_by_side(some, columns, caption, name=name, best=True)


def bit_table(rows: Sequence[Row], *, name: str) -> Table:
    """Statistics of the codes of the database."""
    columns = {
        "balance": "bit_balance",
        "correlation": "bit_correlation",
        "distinct": "distinct_codes",
        "codes a class": "codes_per_class",
    }
    caption = (
        "Codes of the database: mean |mean of a bit in -1, +1|; mean |correlation| of two bits, a bit that never "
        "changes counting as 0; share of distinct codes among all; distinct codes of a class, mean over the classes "
        "that occur; averaged over seeds and unseen classes."
    )
    return side_by_side(rows, columns, caption, name=name, text=plain)


def cost_table(rows: Sequence[Row], *, name: str) -> Table:
    """What training, encoding and evaluation cost."""
    columns = {
        "training s": "seconds",
        "encoding µs an image": "encode_microseconds",
        "search and evaluation µs a query": "query_microseconds",
    }
    caption = (
        "Time, a batch's shared out over the cells that ran with it. Training: seconds a cell. Encoding: all images; "
        "the kernel features are computed once for the cells of a data split and shared by them, so that a hash "
        "function alone takes longer. Search and evaluation: every query against the whole database, the metrics "
        "and the statistics of the codes included, so that a search alone takes less."
    )
    return side_by_side([_with_costs(row) for row in rows], columns, caption, name=name, text=plain)


def found(rows: Sequence[Row], metric: str) -> bool:
    """Whether any row has a finite value of a metric."""
    return any(isfinite(metric_of(row, metric)) for row in rows)


def _with_costs(row: Row) -> Row:
    def each(seconds: str, count: str) -> float:
        return 1e6 * metric_of(row, seconds) / (metric_of(row, count) or float("nan"))

    return {
        **row,
        "encode_microseconds": each("encode_seconds", "encoded_samples"),
        "query_microseconds": each("evaluate_seconds", "evaluated_queries"),
    }


def _stated(
    groups: Iterable[Sequence[Row]], metric: str, text: Callable[[Statistic], str]
) -> list[Entry | None]:
    found = [statistic(few, metric) for few in groups]
    return [None if isnan(one.mean) else Entry(text(one), numbers_of(one)) for one in found]
