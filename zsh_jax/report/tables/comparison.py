"""The tables of a report: a metric by code length, by unseen class, and differences of variants."""

from collections.abc import Sequence
from math import isnan

from zsh_jax.report.chance import SAID, chance_entry
from zsh_jax.report.paired import paired_differences
from zsh_jax.report.series import MAP, Row, hashed, series, statistic, worded
from zsh_jax.report.significance import Pairs, among_the_best, mean_ranks
from zsh_jax.report.summary import metric_of
from zsh_jax.report.table import cell, interval, numbers_of, value_of
from zsh_jax.report.tables.table import Entry, Line, Table

BOLD = "Bold: the best, and those not significantly worse (paired t test over seeds and unseen classes, p >= 0.05)."


def metric_table(rows: Sequence[Row], metric: str, title: str, *, name: str, rank: bool = False) -> Table:
    """A metric of each setting at each code length.

    Args:
        rows: from `read_sweeps`.
        metric: name of a scalar metric; higher is better.
        title: displayed name of the metric.
        name: of the table's files.
        rank: whether to add the mean rank if there are three or more settings.

    Returns:
        A line for each setting, and one for chance; a column for each code length, and one for unhashed bounds.
    """
    settings = series(rows)
    lengths = sorted({row["bits"] for row in rows}, key=lambda bits: (bits == 0, bits))
    columns = [[[row for row in one.rows if row["bits"] == bits] for one in settings] for bits in lengths]
    stated = [entries(column, metric) for column in columns]
    heads = [worded("bits", bits) for bits in lengths]
    ranked = [_pairs(hashed(one.rows), metric, "bits") for one in settings]
    if rank and len([one for one in ranked if one]) > 2:
        ranks = iter(mean_ranks([one for one in ranked if one]))
        found = [next(ranks) if one else float("nan") for one in ranked]
        if not all(map(isnan, found)):
            heads.append("rank")
            stated.append([_number(value, f"{value:.2f}") for value in found])
    lines = [Line((one.label,), tuple(column[i] for column in stated)) for i, one in enumerate(settings)]
    caption = f"{title}, mean and standard deviation over seeds, averaged over unseen classes. {BOLD}"
    chances = [chance_entry([row for row in rows if row["bits"] == bits], metric) for bits in lengths]
    if any(chances):
        lines.append(Line(("chance",), (*chances, *[None] * (len(heads) - len(lengths)))))
        caption += f" {SAID}"
    return Table(name, caption, ("setting",), tuple(heads), tuple(lines))


def unseen_class_table(rows: Sequence[Row], *, name: str) -> Table:
    """Table of mAP of each setting and code length for each set of unseen classes.

    Args:
        rows: from `read_sweeps`.
        name: of the table's files.

    Returns:
        A line for each code length and setting, and one for chance; a column for each set of unseen classes. The
        best are marked among the lines of one code length, with a test over seeds alone.
    """
    classes = list(dict.fromkeys(str(row["unseen"]) for row in rows))
    settings = series(rows)
    lines = []
    for bits in sorted({row["bits"] for row in rows}, key=lambda bits: (bits == 0, bits)):
        there = [one for one in settings if any(row["bits"] == bits for row in one.rows)]
        columns = [
            entries(
                [
                    [row for row in one.rows if row["bits"] == bits and row["unseen"] == unseen]
                    for one in there
                ],
                MAP,
            )
            for unseen in classes
        ]
        lines += [
            Line((worded("bits", bits), one.label), tuple(column[i] for column in columns))
            for i, one in enumerate(there)
        ]
    bold = BOLD.replace(" and unseen classes", "")
    caption = f"mAP of each set of unseen classes, mean and standard deviation over seeds. {bold}"
    chances = [chance_entry([row for row in rows if row["unseen"] == unseen], MAP) for unseen in classes]
    if any(chances):
        lines.append(Line(("all", "chance"), tuple(chances)))
        caption += f" {SAID}"
    return Table(name, caption, ("bits", "setting"), tuple(classes), tuple(lines))


def difference_table(rows: Sequence[Row], reference: str, *, name: str) -> Table:
    """Difference of each variant to the reference in mAP, for image queries and for class names.

    Args:
        rows: from `read_sweeps`.
        reference: name of the reference variant.
        name: of the table's files.

    Returns:
        A line for each other variant and setting.

    Raises:
        InputError: see `paired_differences`.
    """
    columns = {"mAP": MAP, "mAP by name": "mean_average_precision_by_name"}
    found = [paired_differences(rows, reference=reference, metric=metric) for metric in columns.values()]
    axes = list(found[0][0].setting) if found[0] else ["bits"]
    lines = []
    for line in zip(*found, strict=True):
        numbers = [{"mean": one.mean, "low": one.low, "high": one.high, "pairs": one.pairs} for one in line]
        entries = [
            None if isnan(one.mean) else Entry(interval(one), figures)
            for one, figures in zip(line, numbers, strict=True)
        ]
        lines.append(Line((line[0].variant, *map(value_of, line[0].setting.values())), tuple(entries)))
    caption = (
        f"Difference to {reference}, with its 95 % interval, paired over unseen classes and seeds. "
        "A positive difference means better than the reference."
    )
    return Table(name, caption, ("variant", *axes), tuple(columns), tuple(lines))


def entries(column: Sequence[Sequence[Row]], metric: str) -> list[Entry | None]:
    """The entries of one column, the best marked.

    Means over different unseen classes are not comparable: an entry that lacks some says so, and is never the best.

    Args:
        column: rows of each setting.
        metric: name of a scalar metric; higher is better.

    Returns:
        An entry for each setting; None for none.
    """
    found = [statistic(rows, metric) for rows in column]
    classes = [len({row["unseen"] for row in rows}) for rows in column]
    most = max(classes, default=0)
    compared = [
        one.mean if count == most else float("nan") for one, count in zip(found, classes, strict=True)
    ]
    best = among_the_best(compared, [_pairs(rows, metric) for rows in column])
    lacking = ["" if count == most else f" ({count} of {most} classes)" for count in classes]
    return [
        None if isnan(one.mean) else Entry(cell(one) + less, numbers_of(one), bold)
        for one, less, bold in zip(found, lacking, best, strict=True)
    ]


def _number(value: float, text: str) -> Entry | None:
    return None if isnan(value) else Entry(text, {"mean": value})


def _pairs(rows: Sequence[Row], metric: str, *also: str) -> Pairs:
    axes = (*also, "seed", "unseen")
    return {tuple(row[axis] for axis in axes): metric_of(row, metric) for row in rows}
