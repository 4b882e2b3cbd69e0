"""Judge the codes of any program by every published rule."""

from contextlib import suppress
from functools import partial
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Shaped, UInt8

from zsh_jax.core.code_formats import Codes, aligned, read_codes
from zsh_jax.core.metrics.average_precision import (
    best_average_precision,
    worst_average_precision,
)
from zsh_jax.core.metrics.evaluate import at_each, metrics_of, over_least
from zsh_jax.core.metrics.found_average_precision import average_precision_of_found
from zsh_jax.core.metrics.histograms import Histograms, distance_histograms
from zsh_jax.core.metrics.relevance import has_label

WITHOUT = ("refuse", "drop", "zero")


class Retrieval(NamedTuple):
    """Means over queries. Without a suffix, a value is the exact mean over all orders of items at equal distance.

    `_worst` and `_best` are the least and the largest value over these orders, each query by itself. `_at` has one
    value for each cut-off N; the sum of precisions at the relevant items within the first N ranks is divided by the
    number of all relevant items (`_at`), by the smaller of it and N (`_at_min`), or by the number of relevant items
    within the first N ranks (`_at_found`; 0 if there is none).

    Attributes:
        mean_average_precision: over all ranks.
        mean_average_precision_worst: its least value.
        mean_average_precision_best: its largest value.
        precision_radius2: share of relevant items within Hamming radius 2; 0 for an empty ball.
        precision_radius2_of_nonempty: the same over the queries whose ball is not empty; NaN if all are.
        recall_radius2: share of the relevant items that lie within Hamming radius 2.
        empty_radius2: share of queries with no item within Hamming radius 2.
        mean_average_precision_at: divided by all relevant items.
        mean_average_precision_at_worst: its least value.
        mean_average_precision_at_best: its largest value.
        mean_average_precision_at_min: divided by min(N, all relevant items).
        mean_average_precision_at_min_worst: its least value.
        mean_average_precision_at_min_best: its largest value.
        mean_average_precision_at_found: divided by the relevant items found.
        mean_average_precision_at_found_worst: its least value.
        mean_average_precision_at_found_best: its largest value.
        precision_at: precision of the first N ranks.
        recall_at: share of the relevant items within the first N ranks.
        nothing_found_at: share of queries with no relevant item within the first N ranks.
        precision_curve: share of relevant items within each radius 0..l; 0 for an empty ball.
        recall_curve: share of the relevant items that lie within each radius 0..l.
        chance: `mean_average_precision` of a database in random order.
        chance_at: `mean_average_precision_at` of one.
        chance_at_min: `mean_average_precision_at_min` of one.
        chance_at_found: `mean_average_precision_at_found` of one.
        chance_precision_at: `precision_at` of one: the share of relevant items, if there are N items.
        queries: number of queries that the means are of.
    """

    mean_average_precision: Float[Array, ""]
    mean_average_precision_worst: Float[Array, ""]
    mean_average_precision_best: Float[Array, ""]
    precision_radius2: Float[Array, ""]
    precision_radius2_of_nonempty: Float[Array, ""]
    recall_radius2: Float[Array, ""]
    empty_radius2: Float[Array, ""]
    mean_average_precision_at: Float[Array, " cutoffs"]
    mean_average_precision_at_worst: Float[Array, " cutoffs"]
    mean_average_precision_at_best: Float[Array, " cutoffs"]
    mean_average_precision_at_min: Float[Array, " cutoffs"]
    mean_average_precision_at_min_worst: Float[Array, " cutoffs"]
    mean_average_precision_at_min_best: Float[Array, " cutoffs"]
    mean_average_precision_at_found: Float[Array, " cutoffs"]
    mean_average_precision_at_found_worst: Float[Array, " cutoffs"]
    mean_average_precision_at_found_best: Float[Array, " cutoffs"]
    precision_at: Float[Array, " cutoffs"]
    recall_at: Float[Array, " cutoffs"]
    nothing_found_at: Float[Array, " cutoffs"]
    precision_curve: Float[Array, " radii"]
    recall_curve: Float[Array, " radii"]
    chance: Float[Array, ""]
    chance_at: Float[Array, " cutoffs"]
    chance_at_min: Float[Array, " cutoffs"]
    chance_at_found: Float[Array, " cutoffs"]
    chance_precision_at: Float[Array, " cutoffs"]
    queries: Int[Array, ""]


def evaluate(
    query_codes: Shaped[Array | np.ndarray, "q columns"],
    query_labels: Shaped[Array | np.ndarray, "q *c"],
    database_codes: Shaped[Array | np.ndarray, "n columns2"],
    database_labels: Shaped[Array | np.ndarray, "n *c2"],
    *,
    bits: int | None = None,
    cutoffs: tuple[int, ...] = (),
    leave_one_out: bool = False,
    without_relevant: Literal["refuse", "drop", "zero"] = "refuse",
) -> Retrieval:
    """Retrieval metrics of codes of any program, by every published rule; ties are handled exactly.

    Codes may be packed bytes (uint8, 8 bits each), signs -1 and +1, zeros and ones, or booleans; `read_codes` has the
    rule that tells them apart, and says which it found. All metrics come from histograms of Hamming distance, so the
    order of the database changes nothing and no array of queries x database is made.

    Args:
        query_codes: (q, ceil(l / 8)) packed bytes, or (q, l) values.
        query_labels: class indices (q,), or multi-hot (q, c).
        database_codes: (n, ceil(l / 8)) packed bytes, or (n, l) values.
        database_labels: class indices (n,), or multi-hot (n, c). An item is relevant if it shares a label with the
            query.
        bits: code length l; static. Packed bytes need it unless l is a multiple of 8; always give it inside a
            transformation, with packed bytes.
        cutoffs: the N of the metrics of the first N ranks; static.
        leave_one_out: whether each query is an item of the database and is excluded from its own ranking; static.
        without_relevant: what to do with queries that have no relevant item: "refuse" raises, "drop" leaves them out of
            all means, "zero" counts them with 0 where a metric is not defined; static.

    Returns:
        Means over the queries; the curves have l + 1 points. Inside a transformation nothing can be raised, and with
        "refuse" a query with no relevant item makes its metrics NaN.

    Raises:
        ValueError: codes are not of one of these formats or lengths, labels do not match, there are no queries or no
            database, or queries have no relevant item in the database.

    Examples:
        >>> import numpy as np, zsh_jax as zsh
        >>> codes, labels = np.array([[-1, 1, 1], [-1, 1, -1], [1, -1, -1]]), np.array([0, 0, 1])
        >>> found = zsh.evaluate(codes[:1], labels[:1], codes[1:], labels[1:], cutoffs=(1,))
        >>> float(found.mean_average_precision), float(found.mean_average_precision_at_found[0])
        (1.0, 1.0)
    """
    asked = read_codes(query_codes, bits=bits, name="query codes")
    held = read_codes(database_codes, bits=bits, name="database codes")
    _check(asked, query_labels, held, database_labels)
    if any(cutoff < 1 for cutoff in cutoffs):
        raise ValueError(f"cut-offs must be at least 1; got {cutoffs}")
    if without_relevant not in WITHOUT:
        raise ValueError(f"without_relevant takes {', '.join(WITHOUT)}, not {without_relevant!r}")
    codes = (asked.packed, held.packed)
    if asked.bits % 8:
        with suppress(
            jax.errors.TracerArrayConversionError
        ):  # inside a transformation the padding is trusted
            codes = aligned(np.asarray(codes[0]), np.asarray(codes[1]), bits=asked.bits)
    labels = jnp.asarray(query_labels), jnp.asarray(database_labels)
    each, is_itself = _each(
        jnp.asarray(codes[0]),
        labels[0],
        jnp.asarray(codes[1]),
        labels[1],
        bits=asked.bits,
        cutoffs=tuple(cutoffs),
        leave_one_out=leave_one_out,
    )
    has_relevant = ~jnp.isnan(each.mean_average_precision)
    with suppress(jax.errors.TracerArrayConversionError):  # inside a transformation there are no values yet
        _refuse(np.asarray(has_relevant), np.asarray(is_itself), refuse=without_relevant == "refuse")
    return _mean(each, has_relevant if without_relevant == "drop" else None, zero=without_relevant == "zero")


def _check(
    asked: Codes,
    query_labels: Shaped[Array | np.ndarray, "..."],
    held: Codes,
    database_labels: Shaped[Array | np.ndarray, "..."],
) -> None:
    for name, codes, labels in (("query", asked, query_labels), ("database", held, database_labels)):
        if codes.packed.shape[0] != labels.shape[0]:
            raise ValueError(f"{codes.packed.shape[0]} {name} codes but {labels.shape[0]} {name} labels")
        if np.dtype(labels.dtype).kind in "OSU":
            raise ValueError(f"{name} labels are {labels.dtype}; fix: number the classes")
        if labels.shape[1:] == (1,) and isinstance(labels, np.ndarray) and (labels > 1).any():
            raise ValueError(
                f"{name} labels are class indices in one column; fix: give a vector, labels[:, 0]"
            )
    if asked.bits != held.bits:
        raise ValueError(
            f"query codes have {asked.bits} bits ({asked.form}), database codes {held.bits} ({held.form})"
        )
    if query_labels.ndim > 2 or query_labels.shape[1:] != database_labels.shape[1:]:
        raise ValueError(
            "query and database labels must both be class indices, or multi-hot over the same classes; got "
            f"{query_labels.shape} and {database_labels.shape}"
        )


def _refuse(has_relevant: Bool[np.ndarray, " q"], is_itself: Bool[np.ndarray, " q"], *, refuse: bool) -> None:
    if not is_itself.all():
        raise ValueError(
            f"leave_one_out: query {np.argmin(is_itself)} is not in the database, no item has its code; fix: give "
            "a database that contains the queries"
        )
    lost = np.flatnonzero(~has_relevant)
    if lost.size and (refuse or lost.size == len(has_relevant)):
        raise ValueError(
            f"{lost.size} of {len(has_relevant)} queries have no relevant item in the database "
            f"(first: query {lost[0]}); fix: drop them, or add their classes to the database"
        )


@partial(jax.jit, static_argnames=("bits", "cutoffs", "leave_one_out"))
def _each(
    query_codes: UInt8[Array, "q bytes"],
    query_labels: Shaped[Array, "q *c"],
    database_codes: UInt8[Array, "n bytes"],
    database_labels: Shaped[Array, "n *c"],
    *,
    bits: int,
    cutoffs: tuple[int, ...],
    leave_one_out: bool,
) -> tuple[Retrieval, Bool[Array, " q"]]:
    """All metrics of each query, and whether its own item can be left out. Leaves have a leading axis of q."""
    found = distance_histograms(query_codes, query_labels, database_codes, database_labels, bits=bits)
    if leave_one_out:
        of_query = jnp.ones(len(query_codes), bool)
        if query_labels.ndim == 2:  # without a label, a query is not relevant to itself
            of_query = has_label(query_labels).any(-1)
        items = found.items.at[:, 0].add(-1)
        found = Histograms(items, found.relevant.at[:, 0].add(-of_query.astype(jnp.int32)))
    return by_every_rule(found, cutoffs=cutoffs), (found.items >= 0).all(1) & (found.relevant >= 0).all(1)


def by_every_rule(histograms: Histograms, *, cutoffs: tuple[int, ...] = ()) -> Retrieval:
    """All metrics of each query, from its histograms alone; leaves have a leading axis of q.

    Args:
        histograms: of the queries.
        cutoffs: the N of the metrics of the first N ranks.

    Returns:
        Metrics; a query with no relevant item gets NaN, one with an empty ball a NaN for `_of_nonempty`.
    """
    dtype = jnp.result_type(float)
    metrics = metrics_of(histograms, cutoffs=cutoffs)
    single = Histograms(
        *(counts.sum(-1, keepdims=True) for counts in histograms)
    )  # a random order is one tie
    shuffled = metrics_of(single, cutoffs=cutoffs)
    found = average_precision_of_found(*histograms, cutoffs=cutoffs, dtype=dtype)
    at = partial(at_each, histograms=histograms, cutoffs=cutoffs)
    least, worst, best = (
        over_least(histograms, cutoffs),
        at(worst_average_precision),
        at(best_average_precision),
    )
    total = single.relevant.astype(dtype)
    places = jnp.array(cutoffs, dtype)[None]
    empty = metrics.empty_radius2 > 0
    return Retrieval(
        **metrics._asdict(),
        precision_radius2_of_nonempty=jnp.where(empty, jnp.nan, metrics.precision_radius2),
        mean_average_precision_at_worst=worst,
        mean_average_precision_at_best=best,
        mean_average_precision_at_min_worst=worst * least,
        mean_average_precision_at_min_best=best * least,
        mean_average_precision_at_found_worst=found.worst,
        mean_average_precision_at_found_best=found.best,
        recall_at=metrics.precision_at * places / total,
        nothing_found_at=found.nothing,
        chance=shuffled.mean_average_precision,
        chance_at=shuffled.mean_average_precision_at,
        chance_at_min=shuffled.mean_average_precision_at_min,
        chance_at_found=shuffled.mean_average_precision_at_found,
        chance_precision_at=shuffled.precision_at,
        queries=jnp.ones(len(histograms.items), jnp.int32),
    )


def _mean(each: Retrieval, counted: Bool[Array, " q"] | None, *, zero: bool) -> Retrieval:
    """Means over the queries: over those that are counted, or with 0 for what is not defined."""
    counted = jnp.ones(len(each.queries), bool) if counted is None else counted

    def mean(values: Float[Array, "q *s"], counted: Bool[Array, " q"] = counted) -> Float[Array, "*s"]:
        values = jnp.where(jnp.isnan(values), 0, values) if zero else values
        shape = (-1,) + (1,) * (values.ndim - 1)
        number = counted.sum(dtype=jnp.int32).astype(values.dtype)
        return jnp.where(counted.reshape(shape), values, 0).sum(0) / number

    nonempty = counted & ~(each.empty_radius2 > 0)
    fields = {name: mean(values) for name, values in each._asdict().items() if name != "queries"}
    return Retrieval(
        **fields
        | {
            "precision_radius2_of_nonempty": mean(each.precision_radius2, nonempty),
            "queries": counted.sum(dtype=jnp.int32),
        }
    )
