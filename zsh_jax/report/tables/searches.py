"""Table of searches with the same codes: mAP beside bytes and operations."""

from collections.abc import Sequence
from math import isnan

from zsh_jax.core.metrics.search import SearchCost
from zsh_jax.report.series import Row, series, statistic, worded
from zsh_jax.report.table import cell, numbers_of
from zsh_jax.report.tables.side_by_side import OVER, found
from zsh_jax.report.tables.table import Entry, Line, Table
from zsh_jax.sweep.searches import HAMMING, SEARCHES, map_of

WORDS = {HAMMING: "Hamming"} | {name: search.words for name, search in SEARCHES.items()}
SAID = {
    "asymmetric": "Asymmetric: real-valued queries, by the distance of projections to codes.",
    "rescored": "Rescored: the nearest by Hamming distance, ranked again by the cosine of preprocessed features.",
    "rabitq": "RaBitQ: its estimate of the Euclidean distance.",
}
COSTS = dict(
    zip(SearchCost._fields, ("bytes an item", "operations an item", "operations a query"), strict=True)
)


def searches_there(rows: Sequence[Row]) -> tuple[str, ...]:
    """The searches beside Hamming distance that any row has a finite mAP of."""
    return tuple(name for name in SEARCHES if found(rows, map_of(name)))


def search_table(rows: Sequence[Row], *, name: str) -> Table:
    """Table of the mAP and the costs of each search.

    Args:
        rows: from `read_sweeps`.
        name: of the table's files.

    Returns:
        A line for each code length, setting and search that is defined for it.
    """
    there = searches_there(rows)
    some = [row for row in rows if any(map_of(search) in row for search in there)]
    lines = []
    for bits in sorted({row["bits"] for row in some if row["bits"]}):
        for one in series(some):
            few = [row for row in one.rows if row["bits"] == bits]
            for search in (HAMMING, *there):
                mean = statistic(few, map_of(search))
                if isnan(mean.mean):
                    continue
                costs = [statistic(few, f"{field}_{search}") for field in COSTS]
                entries = [Entry(f"{cost.mean:,.0f}", numbers_of(cost)) for cost in costs]
                head = worded("bits", bits), one.label, WORDS[search]
                lines.append(Line(head, (Entry(cell(mean), numbers_of(mean)), *entries)))
    said = " ".join(SAID[search] for search in there)
    caption = f"Searches with the same codes, {OVER}. {said} Costs do not include the hash function."
    heads = ("bits", "setting", "search")
    return Table(name, caption, heads, ("mAP", *COSTS.values()), tuple(lines))
