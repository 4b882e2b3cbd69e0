"""One query against the database: relevance, distance histograms, and the stable ranking by counting."""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int, Shaped

PARTS = 32
"""Parts of the database processed in parallel; with 16 queries at a time the counts fit a core's cache."""


def relevance(query_label: Shaped[Array, "*c"], database_labels: Shaped[Array, "n *c"]) -> Bool[Array, " n"]:
    """Which items are relevant: same class, or at least one common label.

    Args:
        query_label: a class index, or the query's multi-hot row.
        database_labels: class indices (n,), or a multi-hot matrix (n, c).

    Returns:
        (n,) booleans.
    """
    if database_labels.ndim == 1:
        return database_labels == query_label
    return jnp.any(has_label(database_labels) & has_label(query_label)[None], axis=-1)


def has_label(multi_hot: Shaped[Array, "*s"]) -> Bool[Array, "*s"]:
    """Which entries of multi-hot labels, of any number type or bool, are set."""
    return multi_hot > jnp.zeros((), multi_hot.dtype)


def distance_histograms(
    distances: Int[Array, " n"], relevant: Bool[Array, " n"], *, bits: int
) -> tuple[Int[Array, " radii"], Int[Array, " radii"]]:
    """Number of items and of relevant items at each distance. One scatter-add, no sort.

    Args:
        distances: of the database items from the query, in bits.
        relevant: whether each is relevant.
        bits: code length l.

    Returns:
        Counts of items and of relevant items at the distances 0..l, each (l + 1,).
    """
    both = (
        jnp.zeros(2 * (bits + 1), jnp.int32)
        .at[2 * distances + relevant.astype(jnp.int32)]
        .add(1)
        .reshape(-1, 2)
    )
    return both.sum(1, dtype=jnp.int32), both[:, 1]


def stable_average_precision(
    distances: Int[Array, " n"],
    relevant: Bool[Array, " n"],
    items_at: Int[Array, " radii"],
    relevant_at: Int[Array, " radii"],
    *,
    cutoff: int,
    dtype: jnp.dtype | type = jnp.float32,
) -> Float[Array, ""]:
    """Average precision of the stable ranking: items at equal distance keep the order of the database.

    As in the authors' released evaluation: the sum of precisions at the relevant items among the first `cutoff`,
    divided by their number. This is a counting sort: the histograms give the first rank of each distance, and one pass
    over the database assigns the ranks. Parts of the database are processed in parallel, with their first ranks from
    histograms of the parts.

    Args:
        distances: of the database items from the query, in bits.
        relevant: whether each is relevant.
        items_at: items at each distance.
        relevant_at: relevant items at each distance.
        cutoff: ranks that count.
        dtype: of the result.

    Returns:
        A scalar in [0, 1]; 0 if none of the first `cutoff` is relevant.
    """
    radii, part = items_at.shape[0], jnp.arange(PARTS, dtype=jnp.int32)
    missing = -distances.shape[0] % PARTS
    # Padding comes last and is irrelevant: it does not change other ranks.
    distance = jnp.pad(distances, (0, missing), constant_values=radii - 1).reshape(PARTS, -1)
    is_relevant = jnp.pad(relevant.astype(jnp.int32), (0, missing)).reshape(PARTS, -1)
    key = 2 * (radii * part[:, None] + distance) + is_relevant
    both = jnp.zeros(2 * radii * PARTS, jnp.int32).at[key.reshape(-1)].add(1).reshape(PARTS, radii, 2)
    counts = jnp.stack([both.sum(-1, dtype=jnp.int32), both[..., 1]], axis=-1)
    every = jnp.stack([items_at, relevant_at], axis=-1)
    taken = (jnp.cumsum(every, 0) - every)[None] + jnp.cumsum(counts, 0) - counts

    def place(
        carry: tuple[Int[Array, "parts radii 2"], Float[Array, " parts"], Int[Array, " parts"]],
        items: tuple[Int[Array, " parts"], Int[Array, " parts"]],
    ) -> tuple[tuple[Int[Array, "parts radii 2"], Float[Array, " parts"], Int[Array, " parts"]], None]:
        taken, total, found = carry
        distance, is_relevant = items
        now = taken[part, distance] + jnp.stack([jnp.ones_like(is_relevant), is_relevant], axis=-1)
        counts = (is_relevant > 0) & (now[:, 0] <= cutoff)
        total += jnp.where(counts, now[:, 1].astype(dtype) / now[:, 0].astype(dtype), 0)
        return (taken.at[part, distance].set(now), total, found + counts.astype(jnp.int32)), None

    start = (taken, jnp.zeros(PARTS, dtype), jnp.zeros(PARTS, jnp.int32))
    (_, total, found), _ = lax.scan(place, start, (distance.T, is_relevant.T))
    return total.sum() / jnp.maximum(found.sum(), 1).astype(dtype)
