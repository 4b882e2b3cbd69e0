"""Tables for the terminal."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite, isnan
from typing import Any

from rich.table import Table
from rich.text import Text

from zsh_jax.report.chance import CHANCE, chance_entry
from zsh_jax.report.columns import COST
from zsh_jax.report.paired import Difference, paired_differences
from zsh_jax.report.series import MAP, as_variants
from zsh_jax.report.summary import Statistic, by_unseen, metric_of, summarise, varied
from zsh_jax.report.tables.table import Table as Contents
from zsh_jax.sweep.metrics import METRICS
from zsh_jax.sweep.searches import SEARCHES, map_of
from zsh_jax.tracking.results import ID

COLUMNS = {metric.name: metric.head for metric in METRICS.values() if metric.head}


def results_table(rows: Iterable[Mapping[str, Any]], cutoffs: Sequence[int] = ()) -> Table:
    """Mean and standard deviation over seeds of the metrics of each setting, averaged over unseen classes.

    Args:
        rows: flat rows of `results.jsonl`.
        cutoffs: the N of precision at N, as in the rows.

    Returns:
        One line a setting, with mean and sample standard deviation over seeds, and the number of seeds.
    """
    rows = list(rows)
    searches = {map_of(name): search.head for name, search in SEARCHES.items()}
    there = {
        name: head for name, head in searches.items() if any(isfinite(metric_of(row, name)) for row in rows)
    }
    places = {f"precision_at[{i}]": f"P@{cutoff}" for i, cutoff in enumerate(cutoffs)}
    columns = COLUMNS | there | places
    summaries = summarise(rows, [*columns, *COST, CHANCE])
    axes = varied(summaries)
    table = Table(
        title="mean and standard deviation over seeds, averaged over unseen classes", title_justify="left"
    )
    first, *others = columns
    chance_columns = [CHANCE] if any(isfinite(one.statistics[CHANCE].mean) for one in summaries) else []
    add_columns(
        table,
        axes,
        (columns[first], *chance_columns, *(columns[name] for name in others), *COST.values(), "seeds"),
    )
    for summary in summaries:
        figures = [cell(summary.statistics[first])]
        figures += [level_of(summary.statistics[CHANCE]) for _ in chance_columns]
        figures += [cell(summary.statistics[name]) for name in others]
        cost = [plain(summary.statistics[name]) for name in COST]
        setting = [Text(value_of(summary.setting[axis])) for axis in axes]
        table.add_row(*setting, *figures, *cost, str(summary.seeds))
    return table


def unseen_table(rows: Iterable[Mapping[str, Any]]) -> Table:
    """Table of mAP with a line for each set of unseen classes and a column for each setting."""
    rows = list(rows)
    by_class = by_unseen(rows, [MAP])
    every = [summary for summaries in by_class.values() for summary in summaries]
    axes = varied(every)
    settings = list(dict.fromkeys(tuple(summary.setting[axis] for axis in axes) for summary in every))
    table = Table(
        title="mAP of each unseen class, mean and standard deviation over seeds", title_justify="left"
    )
    chances = {
        unseen: chance_entry([row for row in rows if row["unseen"] == unseen], MAP) for unseen in by_class
    }
    chance_columns = [CHANCE] if any(chances.values()) else []
    add_columns(
        table,
        ["unseen"],
        (
            *chance_columns,
            *(" ".join(str(one) for one in setting if one is not None) for setting in settings),
        ),
    )
    for unseen, summaries in by_class.items():
        found = {tuple(s.setting[axis] for axis in axes): s.statistics[MAP] for s in summaries}
        chance = chances[unseen]
        figures = [chance.text if chance else "-" for _ in chance_columns]
        figures += [cell(found[setting]) if setting in found else "-" for setting in settings]
        table.add_row(Text(unseen), *figures)
    return table


def paired_table(rows: Sequence[Mapping[str, Any]], reference: str) -> Table:
    """Difference of each variant to the reference in mAP, for image queries and for class names.

    Args:
        rows: flat rows of `results.jsonl`, with a `variant`.
        reference: name of the reference variant.

    Returns:
        One line for each other variant and setting: mean difference and 95 % confidence interval over pairs. A variant
        with its own grid has a line for each point of it.
    """
    if any(row["bits"] for row in rows if row["variant"] == reference):  # else it is an unhashed bound
        rows = as_variants(rows, reference)
    columns = {name: COLUMNS[name] for name in ("mean_average_precision", "mean_average_precision_by_name")}
    differences = [paired_differences(rows, reference=reference, metric=name) for name in columns]
    axes = list(differences[0][0].setting) if differences[0] else []
    title = Text(f"difference to {reference!r}, 95 % interval, paired over unseen classes and seeds")
    table = Table(title=title, title_justify="left")
    add_columns(table, ["variant", *axes], (*columns.values(), "pairs"))
    for line in zip(*differences, strict=True):
        setting = [Text(value_of(line[0].setting[axis])) for axis in axes]
        table.add_row(Text(line[0].variant), *setting, *map(interval, line), str(line[0].pairs))
    return table


def as_rich(table: Contents, head: Callable[[str], str]) -> Table:
    """A table of a report for the terminal.

    Args:
        table: its caption becomes the title.
        head: the head to print for the name of a column.

    Returns:
        The table; identifiers of cells are never folded, so that they can be copied.
    """
    printed = Table(title=Text(table.caption), title_justify="left")
    for name in table.heads:
        printed.add_column(Text(head(name)), overflow="fold", no_wrap=name == ID)
    add_columns(printed, (), [head(name) for name in table.columns])
    for line in table.lines:
        figures = (Text("-" if entry is None else entry.text) for entry in line.entries)
        printed.add_row(*map(Text, line.head), *figures)
    return printed


def value_of(value: object) -> str:
    """The value of an axis; a dash if the method lacks the axis."""
    return "-" if value is None else str(value)


def add_columns(table: Table, names: Sequence[str], figures: Sequence[str]) -> None:
    """Add columns of names, which may be folded, and columns of numbers, which may not.

    Args:
        table: to add to.
        names: heads of the first.
        figures: heads of the others.
    """
    for name in names:
        table.add_column(Text(name), overflow="fold")
    for name in figures:
        table.add_column(Text(name), justify="right", no_wrap=True)


def level_of(statistic: Statistic) -> str:
    """Chance level as text. Without standard deviation: it depends on the labels alone."""
    return "-" if isnan(statistic.mean) else f"{statistic.mean:.4f}"


def interval(difference: Difference) -> str:
    """A difference and its interval as text."""
    if isnan(difference.mean):
        return "-"
    if isnan(difference.low):
        return f"{difference.mean:+.4f}"
    return f"{difference.mean:+.4f} [{difference.low:+.4f}, {difference.high:+.4f}]"


def cell(statistic: Statistic) -> str:
    """Mean and standard deviation as text; a dash if nothing was measured."""
    if isnan(statistic.mean):
        return "-"
    if isnan(statistic.deviation):
        return f"{statistic.mean:.4f}"
    return f"{statistic.mean:.4f} ± {statistic.deviation:.4f}"


def numbers_of(statistic: Statistic) -> dict[str, float]:
    """Mean and standard deviation in full precision, by name."""
    return {"mean": statistic.mean, "standard deviation": statistic.deviation}


def plain(statistic: Statistic) -> str:
    """The mean with three digits, as text."""
    return "-" if isnan(statistic.mean) else f"{statistic.mean:.3g}"
