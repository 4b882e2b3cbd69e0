"""The metrics of a cell: one entry each, and nothing else to change for a new one.

An entry has a name, by which results state it; a function of what an evaluation has; and where reports show it.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from zsh_jax.core.metrics.bit_statistics import BitStatistics
from zsh_jax.core.metrics.bootstrap import bootstrap_interval
from zsh_jax.core.metrics.evaluate import Metrics


class Chance(NamedTuple):
    """What each mean average precision of a cell would be, had the database been ranked in random order.

    Attributes:
        images: of images as queries.
        at: of the first N places, for each cut-off N.
        by_name: of the unseen classes' names as queries; NaN where these are not asked with.
        seen: of images of seen classes as queries; NaN where there are none.
    """

    images: Float[Array, ""]
    at: Float[Array, " cutoffs"]
    by_name: Float[Array, ""]
    seen: Float[Array, ""]


class Evaluation(NamedTuple):
    """What an evaluation of one cell has.

    Attributes:
        queries: metrics of each image of an unseen class as a query.
        names: average precision of each class's own code as a query; NaN where the method gives classes no codes.
        seen: average precision of each image of a seen class as a query; NaN where there are none.
        unseen: which classes are.
        resamples: key by which the bootstrap draws queries, the same for all cells.
        statistics: of the database's codes.
        chance: what a random order would have given.
    """

    queries: Metrics
    names: Float[Array, " c"]
    seen: Float[Array, " k"]
    unseen: Bool[Array, " c"]
    resamples: PRNGKeyArray
    statistics: BitStatistics
    chance: Chance


class Metric(NamedTuple):
    """One metric.

    Attributes:
        name: by which results state it.
        of: from an evaluation to a number, or to a list of them.
        head: of its column in the table that is printed at the end; "" for none.
        table: file name and title of a table of its own in the report; None for none.
        of_codes: whether bounds, which have no codes, cannot have it.
        chance: the metric that is chance for it; "" for none.
        is_list: whether it is a list.
    """

    name: str
    of: Callable[[Evaluation], Float[Array, "*values"]]
    head: str = ""
    table: tuple[str, str] | None = None
    of_codes: bool = False
    chance: str = ""
    is_list: bool = False


def by_name(found: Evaluation) -> Float[Array, ""]:
    """Mean over the unseen classes."""
    return jnp.where(found.unseen, found.names, 0).sum() / found.unseen.sum()


def harmonic(one: Float[Array, ""], other: Float[Array, ""]) -> Float[Array, ""]:
    """Harmonic mean of two values."""
    return 2 * one * other / (one + other)


def _interval(end: int) -> Callable[[Evaluation], Float[Array, ""]]:
    return lambda found: bootstrap_interval(found.resamples, found.queries.mean_average_precision)[end]


def _mean(field: str) -> Callable[[Evaluation], Float[Array, "*values"]]:
    return lambda found: getattr(found.queries, field).mean(0)


def _statistic(field: str) -> Callable[[Evaluation], Float[Array, ""]]:
    return lambda found: getattr(found.statistics, field)


_MAP = "mean_average_precision"
_RADIUS = "within Hamming radius 2"
_ENTRIES = (
    Metric(_MAP, _mean(_MAP), "mAP", ("map", "mAP"), chance="chance"),
    Metric(f"{_MAP}_stable", _mean(f"{_MAP}_stable"), "mAP stable", of_codes=True),
    Metric(
        f"{_MAP}_by_name",
        by_name,
        "mAP by name",
        ("map_by_name", "mAP of queries by class name"),
        chance="chance_by_name",
    ),
    Metric(
        "precision_radius2",
        _mean("precision_radius2"),
        "P r<=2",
        ("precision_radius2", f"Precision {_RADIUS}"),
        of_codes=True,
    ),
    Metric(
        "recall_radius2", _mean("recall_radius2"), "", ("recall_radius2", f"Recall {_RADIUS}"), of_codes=True
    ),
    Metric("empty_radius2", _mean("empty_radius2"), of_codes=True),
    Metric(f"{_MAP}_at", _mean(f"{_MAP}_at"), chance="chance_at", is_list=True),
    Metric("precision_at", _mean("precision_at"), is_list=True),
    Metric("precision_curve", _mean("precision_curve"), of_codes=True, is_list=True),
    Metric("recall_curve", _mean("recall_curve"), of_codes=True, is_list=True),
    Metric(f"{_MAP}_seen", lambda found: found.seen.mean(), chance="chance_seen"),
    Metric(
        f"{_MAP}_harmonic",
        lambda found: harmonic(found.queries.mean_average_precision.mean(), found.seen.mean()),
        chance="chance_harmonic",
    ),
    Metric(f"{_MAP}_low", _interval(0)),
    Metric(f"{_MAP}_high", _interval(1)),
    Metric("chance", lambda found: found.chance.images),
    Metric("chance_at", lambda found: found.chance.at, is_list=True),
    Metric("chance_by_name", lambda found: found.chance.by_name),
    Metric("chance_seen", lambda found: found.chance.seen),
    Metric("chance_harmonic", lambda found: harmonic(found.chance.images, found.chance.seen)),
    *(Metric(field, _statistic(field), of_codes=True) for field in BitStatistics._fields),
)
METRICS: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in _ENTRIES})
"""Every metric by its name, in the order in which results state them."""


def measure(found: Evaluation) -> dict[str, Float[Array, "*values"]]:
    """All metrics of an evaluation.

    Args:
        found: what it has.

    Returns:
        By name.
    """
    return {metric.name: metric.of(found) for metric in METRICS.values()}
