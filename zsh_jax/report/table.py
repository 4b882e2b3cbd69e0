"""Tables for the terminal."""

from collections.abc import Iterable, Mapping, Sequence
from math import isnan
from typing import Any

from rich.table import Table

from zsh_jax.report.paired import Difference, paired_differences
from zsh_jax.report.series import as_variants
from zsh_jax.report.summary import Statistic, by_unseen, summarise, varied

COLUMNS = {
    "mean_average_precision": "MAP",
    "mean_average_precision_stable": "MAP stable",
    "mean_average_precision_by_name": "MAP by name",
    "precision_radius2": "P r<=2",
}
COST = {"seconds": "train s"}


def results_table(rows: Iterable[Mapping[str, Any]], cutoffs: Sequence[int] = ()) -> Table:
    """Mean and deviation over seeds of the metrics of each setting, averaged over unseen classes.

    Args:
        rows: flat, as `results.jsonl` holds them.
        cutoffs: the N of precision at N, as the rows have them.

    Returns:
        One line a setting; each figure is mean and sample deviation over seeds, and `seeds` their number.
    """
    places = {f"precision_at[{i}]": f"P@{cutoff}" for i, cutoff in enumerate(cutoffs)}
    columns = COLUMNS | places
    summaries = summarise(rows, [*columns, *COST])
    axes = varied(summaries)
    table = Table(title="mean and deviation over seeds, averaged over unseen classes", title_justify="left")
    for name in (*axes, *columns.values(), *COST.values(), "seeds"):
        table.add_column(name, justify="left" if name in axes else "right")
    for summary in summaries:
        figures = [cell(summary.statistics[name]) for name in columns]
        cost = [plain(summary.statistics[name]) for name in COST]
        setting = [str(summary.setting[axis]) for axis in axes]
        table.add_row(*setting, *figures, *cost, str(summary.seeds))
    return table


def unseen_table(rows: Iterable[Mapping[str, Any]]) -> Table:
    """MAP of each set of unseen classes.

    Args:
        rows: flat, as `results.jsonl` holds them.

    Returns:
        One line for each set of unseen classes, one column a setting.
    """
    by_class = by_unseen(rows, ["mean_average_precision"])
    every = [summary for summaries in by_class.values() for summary in summaries]
    axes = varied(every)
    settings = list(dict.fromkeys(tuple(summary.setting[axis] for axis in axes) for summary in every))
    table = Table(title="MAP of each unseen class, mean and deviation over seeds", title_justify="left")
    table.add_column("unseen")
    for setting in settings:
        table.add_column(" ".join(map(str, setting)), justify="right")
    for unseen, summaries in by_class.items():
        found = {
            tuple(s.setting[axis] for axis in axes): s.statistics["mean_average_precision"] for s in summaries
        }
        table.add_row(unseen, *(cell(found[setting]) if setting in found else "-" for setting in settings))
    return table


def paired_table(rows: Sequence[Mapping[str, Any]], reference: str) -> Table:
    """What each variant changes in MAP, by images and by name.

    Args:
        rows: flat, as `results.jsonl` holds them, with a `variant`.
        reference: name of the variant that the others are compared with.

    Returns:
        One line for each other variant and setting: mean difference and 95 % confidence interval over pairs. A variant
        with a grid of its own has a line for each point of it.
    """
    if any(
        row["bits"] for row in rows if row["variant"] == reference
    ):  # else it is a bound that is not hashing
        rows = as_variants(rows, reference)
    columns = {name: COLUMNS[name] for name in ("mean_average_precision", "mean_average_precision_by_name")}
    differences = [paired_differences(rows, reference=reference, metric=name) for name in columns]
    axes = list(differences[0][0].setting) if differences[0] else []
    table = Table(
        title=f"difference to {reference!r}, 95 % interval, paired over unseen classes and seeds",
        title_justify="left",
    )
    for name in ("variant", *axes, *columns.values(), "pairs"):
        table.add_column(name, justify="left" if name == "variant" or name in axes else "right")
    for line in zip(*differences, strict=True):
        setting = [str(line[0].setting[axis]) for axis in axes]
        table.add_row(line[0].variant, *setting, *map(interval, line), str(line[0].pairs))
    return table


def interval(difference: Difference) -> str:
    """A difference as tables state it."""
    if isnan(difference.mean):
        return "-"
    if isnan(difference.low):
        return f"{difference.mean:+.4f}"
    return f"{difference.mean:+.4f} [{difference.low:+.4f}, {difference.high:+.4f}]"


def cell(statistic: Statistic) -> str:
    """A figure as tables state it: mean and deviation, or a dash where nothing was measured."""
    if isnan(statistic.mean):
        return "-"
    if isnan(statistic.deviation):
        return f"{statistic.mean:.4f}"
    return f"{statistic.mean:.4f} ± {statistic.deviation:.4f}"


def plain(statistic: Statistic) -> str:
    """A cost as tables state it: its mean, three digits."""
    return "-" if isnan(statistic.mean) else f"{statistic.mean:.3g}"
