"""Tables of several metrics: a line for each code length and setting, a column for each metric."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite, isnan

from zsh_jax.report.chance import CHANCE, SAID, is_chance
from zsh_jax.report.series import Row, series, statistic, worded
from zsh_jax.report.summary import Statistic, metric_of
from zsh_jax.report.table import cell, level_of, numbers_of, plain
from zsh_jax.report.tables.comparison import BOLD, entries
from zsh_jax.report.tables.table import Entry, Line, Table

STABLE = "mean_average_precision_stable"  # of results of older versions
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
        rows: from `read_sweeps`.
        columns: name of the scalar metric of each column head.
        caption: a sentence on the content; the meaning of bold is added.
        name: of the table's files.
        best: whether higher is better, and the best of each code length are marked.
        text: turns a statistic into text.

    Returns:
        A line for each code length and setting; lines and columns without a finite value are omitted.
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
    whole_caption = " ".join(
        [caption, *([BOLD] if best else []), *([SAID] if any(map(is_chance, there.values())) else [])]
    )
    return Table(name, whole_caption, ("bits", "setting"), tuple(there), tuple(lines))


def tie_rule_table(rows: Sequence[Row], *, name: str) -> Table:
    """Table of mAP under each rule for images at equal distance."""
    columns = {
        "tie-aware": "mean_average_precision",
        "worst order": "mean_average_precision_worst",
        "best order": "mean_average_precision_best",
        "stable": STABLE,
        "chance": CHANCE,
    }
    stable = "Stable: mAP@10,000 in the order of the database, normalised by the relevant images among the 10,000; "
    caption = (
        "mAP under each rule for images at equal distance. Tie-aware: the exact mean over all their orders. Worst and "
        "best order: relevant images last and first; "
        f"{stable if found(rows, STABLE) else ''}{OVER}."
    )
    return side_by_side(rows, columns, caption, name=name, best=True)


def generalised_table(rows: Sequence[Row], *, name: str) -> Table:
    """Table of mAP of queries of unseen and of seen classes, and their harmonic mean."""
    columns = {}
    for head, ending in (("unseen", ""), ("seen", "_seen"), ("harmonic", "_harmonic")):
        columns[head] = f"mean_average_precision{ending}"
        columns[f"chance of {head}"] = f"{CHANCE}{ending}"
    caption = (
        "Generalised setting: mAP of queries of unseen classes, mAP of queries of seen classes outside the training "
        f"data (same database, without the query itself), and the harmonic mean of both in each cell; {OVER}."
    )
    some = [row for row in rows if isfinite(metric_of(row, "mean_average_precision_seen"))]
    return side_by_side(some, columns, caption, name=name, best=True)


def bit_table(rows: Sequence[Row], *, name: str) -> Table:
    """Table of statistics of the database codes."""
    columns = {
        "balance": "bit_balance",
        "correlation": "bit_correlation",
        "distinct": "distinct_codes",
        "codes a class": "codes_per_class",
    }
    caption = (
        "Database codes. Balance: mean absolute mean of a bit (-1 or +1). Correlation: mean absolute correlation of "
        "two bits, 0 for a constant bit. Distinct: share of distinct codes. Codes a class: distinct codes of a class, "
        "mean over the classes present. Averaged over seeds and unseen classes."
    )
    return side_by_side(rows, columns, caption, name=name, text=plain)


def cost_table(rows: Sequence[Row], *, name: str) -> Table:
    """Table of the time of training, encoding and evaluation."""
    columns = {
        "training s": "seconds",
        "encoding µs an image": "encode_microseconds",
        "search and evaluation µs a query": "query_microseconds",
    }
    caption = (
        "Time of a batch, divided by its number of cells. Training: seconds a cell. Encoding: all images; the cells "
        "of a data split share the kernel features, so a single hash function takes longer. Search and evaluation: "
        "every query against the whole database, with the metrics and code statistics, so search alone takes less."
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
