"""The metrics of a cell. To add a metric, add an entry here; nothing else changes.

An entry has the name in the results, a function of an evaluation, and its places in reports.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from zsh_jax.core.metrics.bit_statistics import BitStatistics
from zsh_jax.core.metrics.bootstrap import bootstrap_interval
from zsh_jax.core.metrics.evaluate import Metrics
from zsh_jax.sweep.chance import Chance


class Evaluation(NamedTuple):
    """The evaluation of one cell.

    Attributes:
        queries: metrics of each query of an unseen class.
        names: average precision of each class code as a query; NaN if the method has no class codes.
        seen: average precision of each query of a seen class; NaN for none.
        unseen: whether each class is unseen.
        resamples: weights of the queries in each resample, the same for all cells.
        statistics: of the database codes.
        chance: chance levels.
    """

    queries: Metrics
    names: Float[Array, " c"]
    seen: Float[Array, " k"]
    unseen: Bool[Array, " c"]
    resamples: Float[Array, "resamples q"]
    statistics: BitStatistics
    chance: Chance


class Metric(NamedTuple):
    """One metric.

    Attributes:
        name: in the results.
        of: computes a number, or a list of numbers, from an evaluation.
        head: of its column in the table printed at the end; "" for none.
        table: file name and title of its own table in the report; None for none.
        of_codes: whether it needs codes, which unhashed bounds lack.
        chance: the metric that is its chance level; "" for none.
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
    Metric(f"{_MAP}_worst", _mean(f"{_MAP}_worst"), "mAP worst", of_codes=True),
    Metric(f"{_MAP}_best", _mean(f"{_MAP}_best"), "mAP best", of_codes=True),
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
    Metric(f"{_MAP}_at_min", _mean(f"{_MAP}_at_min"), chance="chance_at_min", is_list=True),
    Metric(f"{_MAP}_at_found", _mean(f"{_MAP}_at_found"), chance="chance_at_found", is_list=True),
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
    Metric("chance_at_min", lambda found: found.chance.at_min, is_list=True),
    Metric("chance_at_found", lambda found: found.chance.at_found, is_list=True),
    Metric("chance_by_name", lambda found: found.chance.by_name),
    Metric("chance_seen", lambda found: found.chance.seen),
    Metric("chance_harmonic", lambda found: harmonic(found.chance.images, found.chance.seen)),
    *(Metric(field, _statistic(field), of_codes=True) for field in BitStatistics._fields),
)
METRICS: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in _ENTRIES})
"""Every metric by its name, in the order of the results."""


def measure(found: Evaluation) -> dict[str, Float[Array, "*values"]]:
    """All metrics of an evaluation, by name."""
    return {metric.name: metric.of(found) for metric in METRICS.values()}
