"""One query against the database: relevance, histograms over distance, and the stable ranking by counting."""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int, Shaped


def relevance(query_label: Shaped[Array, "*c"], database_labels: Shaped[Array, "n *c"]) -> Bool[Array, " n"]:
    """Which items are relevant: of the same class, or with at least one label in common.

    Args:
        query_label: a class index, or the query's multi-hot row.
        database_labels: class indices (n,), or a multi-hot matrix (n, c).

    Returns:
        (n,) booleans.
    """
    if database_labels.ndim == 1:
        return database_labels == query_label
    return jnp.any((database_labels > 0) & (query_label[None] > 0), axis=-1)


def distance_histograms(
    distances: Int[Array, " n"], relevant: Bool[Array, " n"], *, bits: int
) -> tuple[Int[Array, " radii"], Int[Array, " radii"]]:
    """How many items, and how many relevant ones, lie at each distance. One scatter-add, no sort.

    Args:
        distances: of the database items from the query, in bits.
        relevant: whether each is relevant.
        bits: code length l.

    Returns:
        Counts of items and of relevant items at the distances 0..l, each (l + 1,).
    """
    both = jnp.zeros(2 * (bits + 1), jnp.int32).at[2 * distances + relevant].add(1).reshape(-1, 2)
    return both.sum(1), both[:, 1]


def stable_average_precision(
    distances: Int[Array, " n"],
    relevant: Bool[Array, " n"],
    items_at: Int[Array, " radii"],
    relevant_at: Int[Array, " radii"],
    *,
    cutoff: int,
    dtype: jnp.dtype | type = jnp.float32,
) -> Float[Array, ""]:
    """Average precision of the stable ranking: items at equal distance keep the database's order.

    The form of the authors' released evaluation: the sum of precisions at the relevant items among the first
    `cutoff`, divided by their number. A counting sort: the histograms tell where each distance's run begins, and
    one pass over the database hands out the places.

    Args:
        distances: of the database items from the query, in bits.
        relevant: whether each is relevant.
        items_at: items at each distance.
        relevant_at: relevant items at each distance.
        cutoff: places of the ranking that count.
        dtype: of the result.

    Returns:
        A scalar in [0, 1]; 0 if none of the first `cutoff` is relevant.
    """
    taken = jnp.stack([jnp.cumsum(items_at) - items_at, jnp.cumsum(relevant_at) - relevant_at], axis=-1)

    def place(
        carry: tuple[Int[Array, "radii 2"], Float[Array, ""], Int[Array, ""]],
        item: tuple[Int[Array, ""], Int[Array, ""]],
    ) -> tuple[tuple[Int[Array, "radii 2"], Float[Array, ""], Int[Array, ""]], None]:
        taken, total, found = carry
        distance, is_relevant = item
        now = taken[distance] + jnp.stack([jnp.ones_like(is_relevant), is_relevant])
        counts = (is_relevant > 0) & (now[0] <= cutoff)
        total += jnp.where(counts, now[1].astype(dtype) / now[0], 0)
        return (taken.at[distance].set(now), total, found + counts), None

    start = (taken, jnp.zeros((), dtype), jnp.zeros((), jnp.int32))
    (_, total, found), _ = lax.scan(place, start, (distances, relevant.astype(jnp.int32)))
    return total / jnp.maximum(found, 1)
