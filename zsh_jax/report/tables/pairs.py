"""Table of the differences of two sweeps whose cells are paired."""

from math import isnan
from typing import Any

import numpy as np

from zsh_jax.inputs.fingerprint import PREFIX
from zsh_jax.report.cell_pairs import Pairs, listed
from zsh_jax.report.columns import head_of
from zsh_jax.report.paired import Difference, mean_interval
from zsh_jax.report.series import Row
from zsh_jax.report.summary import IDENTITY, metric_of
from zsh_jax.report.table import interval, value_of
from zsh_jax.report.tables.table import Entry, Line, Table

FIRST, SECOND = "A", "B"
OVER = ("unseen", "seed")


def pairs_table(found: Pairs, metric: str) -> Table:
    """Difference in a metric of the second sweep to the first, with its 95 % interval, for each setting.

    Args:
        found: from `pair_cells`.
        metric: name of a scalar metric.

    Returns:
        A line for each method, code length and value of any other axis that varies: the means over its pairs, and
        Student's interval of the mean difference, see `paired_differences`. Pairs without two finite values are
        excluded.
    """
    moved = _moving(found)
    axes = [axis for axis in IDENTITY if axis in found.by and axis not in OVER]
    axes = [axis for axis in axes if axis in ("method", "bits") or axis in moved]
    apart = [axis for axis in found.apart if axis in moved]
    lines: dict[tuple[Any, ...], list[tuple[float, float]]] = {}
    for one, other in found.pairs:
        sides = (row.get(axis) for axis in apart for row in (one, other))
        values = lines.setdefault((*(one.get(axis) for axis in axes), *sides), [])
        pair = metric_of(one, metric), metric_of(other, metric)
        if np.isfinite(pair).all():
            values.append(pair)
    heads = (*axes, *(f"{axis} {side}" for axis in apart for side in (FIRST, SECOND)))
    columns = (*(f"{head_of(metric)} {side}" for side in (FIRST, SECOND)), f"{SECOND} - {FIRST}", "pairs")
    return Table(
        "pairs",
        f"{head_of(metric)} of {SECOND} minus {head_of(metric)} of {FIRST}, mean and 95 % interval over pairs of "
        "unseen classes and seed",
        heads,
        columns,
        tuple(
            Line(tuple(value_of(value) or "-" for value in head), _entries(values))
            for head, values in lines.items()
        ),
    )


def described(found: Pairs) -> list[str]:
    """What the cells were paired by, in what the two sweeps differ, and how many cells have no partner."""
    moved = {"unseen", "seed", "bits", *_moving(found)}
    named = [axis for axis in IDENTITY if axis in found.by and (axis in moved or axis == "method")]
    rest = len([key for key in found.by if key not in named])
    lines = [
        f"paired by {', '.join(named)}, and {rest} other settings and fingerprints that are equal in each pair"
    ]
    prints = [key.removeprefix(PREFIX) for key in found.apart if key.startswith(PREFIX)]
    settings = {key: sides for key, sides in found.apart.items() if not key.startswith(PREFIX)}
    lacking = [key for key, sides in settings.items() if (None,) in sides]
    lines += [
        f"different: {key} is {listed(one)} in {FIRST}, {listed(other)} in {SECOND}"
        for key, (one, other) in settings.items()
        if key not in lacking and one != other  # axes of two methods may have one name and one value
    ]
    lines += [f"in one of the two only: {', '.join(lacking)}"] if lacking else []
    lines += [f"different: fingerprints of {', '.join(prints)}"] if prints else []
    alone = " and ".join(
        f"{count:,} of {side}" for count, side in zip(found.alone, (FIRST, SECOND), strict=True)
    )
    return [*lines, f"cells without a partner: {alone}"]


def not_finite(rows: list[tuple[Row, Row]], metric: str) -> int:
    """Number of pairs in which a value is not finite."""
    return sum(
        not np.isfinite([metric_of(one, metric), metric_of(other, metric)]).all() for one, other in rows
    )


def _moving(found: Pairs) -> set[str]:
    """Axes that take several values within one method, in the pairs; of the others, a line of a method needs none."""
    values: dict[tuple[Any, ...], set[Any]] = {}
    for pair in found.pairs:
        methods = tuple(row["method"] for row in pair)
        for side, row in enumerate(pair):
            for axis in IDENTITY:
                values.setdefault((axis, side, methods), set()).add(row.get(axis))
    moved = {axis for (axis, *_), several in values.items() if len(several) > 1}
    several = {methods for _, _, methods in values}
    return moved | ({"method"} if len(several) > 1 else set())


def _entries(values: list[tuple[float, float]]) -> tuple[Entry | None, ...]:
    if not values:
        return None, None, None, Entry("0", {"": 0})
    means = np.mean(values, axis=0)
    found = Difference("", {}, *mean_interval([other - one for one, other in values]), len(values))
    ends = {} if isnan(found.low) else {"low": found.low, "high": found.high}
    return (
        *(Entry(f"{mean:.4f}", {"": float(mean)}) for mean in means),
        Entry(interval(found), {"mean": found.mean, **ends}),
        Entry(f"{found.pairs}", {"": found.pairs}),
    )
