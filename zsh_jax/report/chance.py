"""What a database in random order would have got, to be stated beside each mean average precision."""

from collections.abc import Sequence
from math import isfinite
from typing import NamedTuple

from zsh_jax.report.series import Row, series, statistic
from zsh_jax.report.tables.table import Entry
from zsh_jax.sweep.metrics import METRICS

CHANCE = "chance"
MAP_AT, CHANCE_AT = "map@", "chance@"
SAID = "Chance: the mAP of a database in random order."


class Level(NamedTuple):
    """Chance of some settings.

    Attributes:
        mean: over them.
        low: the least.
        high: the greatest; other data splits have another chance.
    """

    mean: float
    low: float
    high: float


def chance_of(metric: str) -> str:
    """The metric that is chance for another.

    Args:
        metric: of a row, as reports name them.

    Returns:
        Its name; empty where the metric is no mean average precision, or is divided by what was found.
    """
    if metric.startswith(MAP_AT):
        return CHANCE_AT + metric.removeprefix(MAP_AT)
    known = METRICS.get(metric)
    return known.chance if known is not None and not known.is_list else ""


def is_chance(metric: str) -> bool:
    """Whether a metric is chance rather than a figure of a method."""
    return metric.startswith(CHANCE)


def level(rows: Sequence[Row], metric: str) -> Level | None:
    """Chance of the rows' settings, seeds and unseen classes averaged as for any metric.

    Args:
        rows: as `read_sweeps` gives them.
        metric: the mean average precision that it is chance of.

    Returns:
        The level; None where the rows do not state it, as those of earlier versions do not.
    """
    name = chance_of(metric)
    if not name:
        return None
    means = [statistic(one.rows, name).mean for one in series(rows, apart_from=())]
    found = [mean for mean in means if isfinite(mean)]
    return Level(sum(found) / len(found), min(found), max(found)) if found else None


def chance_entry(rows: Sequence[Row], metric: str) -> Entry | None:
    """Chance as tables state it.

    Args:
        rows: as `read_sweeps` gives them.
        metric: the mean average precision that it is chance of.

    Returns:
        One figure, or the range that settings with different data splits have.
    """
    found = level(rows, metric)
    return None if found is None else Entry(worded_level(found), {"mean": found.mean})


def worded_level(found: Level) -> str:
    """A level with four decimals."""
    ends = [f"{end:.4f}" for end in (found.low, found.high)]
    return f"{found.mean:.4f}" if ends[0] == ends[1] else " to ".join(ends)
