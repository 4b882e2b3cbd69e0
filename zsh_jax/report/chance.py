"""Chance level: the mAP of a database in random order, stated beside each mAP."""

from collections.abc import Sequence
from math import isfinite
from typing import NamedTuple

from zsh_jax.report.series import Row, series, statistic
from zsh_jax.report.tables.table import Entry
from zsh_jax.sweep.metrics import METRICS

CHANCE = "chance"
MAP_AT, CHANCE_AT = "map@", "chance@"
DIVISORS = {"": "", "min:": "_min", "found:": "_found"}  # of mAP@N: part of the key, and of the metric's name
SAID = "Chance: the mAP of a database in random order."


class Level(NamedTuple):
    """Chance level over some settings.

    Attributes:
        mean: over the settings.
        low: minimum.
        high: maximum; it differs from the minimum if data splits differ.
    """

    mean: float
    low: float
    high: float


def chance_of(metric: str) -> str:
    """Name of the metric that holds the chance level of `metric`.

    Args:
        metric: as reports name it.

    Returns:
        The name; empty if the metric is not an mAP, or is normalised by the number of relevant images retrieved.
    """
    if metric.startswith(MAP_AT):
        return CHANCE_AT + metric.removeprefix(MAP_AT)
    known = METRICS.get(metric)
    return known.chance if known is not None and not known.is_list else ""


def is_chance(metric: str) -> bool:
    """Whether a metric is a chance level rather than a result of a method."""
    return metric.startswith(CHANCE)


def level(rows: Sequence[Row], metric: str) -> Level | None:
    """Chance level of each setting, averaged over seeds and unseen classes like any metric.

    Args:
        rows: from `read_sweeps`.
        metric: the mAP that the chance level belongs to.

    Returns:
        The level; None if the rows lack it (those of older versions do).
    """
    name = chance_of(metric)
    if not name:
        return None
    means = [statistic(one.rows, name).mean for one in series(rows, apart_from=())]
    found = [mean for mean in means if isfinite(mean)]
    return Level(sum(found) / len(found), min(found), max(found)) if found else None


def chance_entry(rows: Sequence[Row], metric: str) -> Entry | None:
    """Table entry of the chance level of a metric: one number, or a range if data splits differ."""
    found = level(rows, metric)
    return None if found is None else Entry(worded_level(found), {"mean": found.mean})


def worded_level(found: Level) -> str:
    """A level with four decimals."""
    ends = [f"{end:.4f}" for end in (found.low, found.high)]
    return f"{found.mean:.4f}" if ends[0] == ends[1] else " to ".join(ends)
