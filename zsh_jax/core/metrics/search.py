"""Average precision of searches that read more than Hamming distances: real-valued queries, or rescoring."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int, Shaped, UInt8, UInt32

from zsh_jax.core.metrics.cosine import cosine_scores, scaled
from zsh_jax.core.metrics.equal_codes import an_equal_row
from zsh_jax.core.metrics.relevance import label_words, relevance
from zsh_jax.core.metrics.score_ranking import score_average_precision
from zsh_jax.core.packing import code_words, unpack_codes
from zsh_jax.core.precision import full_precision
from zsh_jax.core.rabitq import Quantised, RaBitQ, estimated_squared_distances
from zsh_jax.core.sharding import rows_together


class SearchCost(NamedTuple):
    """What a search stores and computes.

    Attributes:
        bytes_per_item: of the database.
        operations_per_item: of each query, for each item of the database: word operations (exclusive or, and count) for
            Hamming distances, additions for asymmetric ones.
        operations_per_query: multiplications and additions that do not depend on the size of the database, beside those
            of the hash function.
    """

    bytes_per_item: int
    operations_per_item: int
    operations_per_query: int


def search_costs(*, bits: int, dimensions: int, first: int) -> dict[str, SearchCost]:
    """Costs of the searches, by name.

    Args:
        bits: code length l.
        dimensions: real values of an item, float32, for rescoring.
        first: number of items that are rescored.

    Returns:
        Of "hamming", "asymmetric", "rescored" and "rabitq"; the last has two factors beside each code.
    """
    packed, words = -(-bits // 8), -(-bits // 32)
    return {
        "hamming": SearchCost(packed, 2 * words, 0),
        "asymmetric": SearchCost(packed, bits, 0),
        "rescored": SearchCost(packed + 4 * dimensions, 2 * words, 2 * dimensions * first),
        "rabitq": SearchCost(packed + 8, bits + 3, 2 * dimensions * bits),
    }


@partial(jax.jit, static_argnames=("bits", "block"))
@full_precision
def asymmetric_average_precision(
    projections: Float[Array, "q l"],
    query_labels: Shaped[Array, "q *c"],
    database_codes: UInt8[Array, "n bytes"],
    database_labels: Shaped[Array, "n *c"],
    own: Int[Array, " q"] | None = None,
    *,
    bits: int,
    block: int = 32,
) -> Float[Array, " q"]:
    """Average precision of each query by asymmetric distance: real-valued query, binary database.

    The squared distance of a query's projections p to a code b in {-1, +1} is |p|^2 + l - 2 <p, b>, so items rank by
    <p, b> (Gordo et al., "Asymmetric distances for binary embeddings", PAMI 2014). Equal codes tie exactly, and a tie
    counts as the mean over its orders.

    Args:
        projections: of `project`, (q, l).
        query_labels: class indices (q,), or multi-hot (q, c).
        database_codes: packed codes, (n, ceil(l / 8)).
        database_labels: class indices (n,), or multi-hot (n, c).
        own: for queries that are items of the database, their indices; a query is excluded from its own ranking.
        bits: code length l; static.
        block: queries at a time; static. Memory: n x l and block x n.

    Returns:
        One value a query, in [0, 1]; NaN if nothing is relevant.
    """
    signs = unpack_codes(database_codes, bits=bits).astype(projections.dtype)
    same = an_equal_row(rows_together(code_words(database_codes)))
    labels = label_words(database_labels)

    def of_query(
        args: tuple[Float[Array, " l"], Shaped[Array, "*words"], Int[Array, ""] | None],
    ) -> Float[Array, ""]:
        vector, label, itself = args
        return _ranked(rows_together(signs @ vector)[same], label, labels, itself)

    asked = (projections, label_words(query_labels), own)
    return lax.map(of_query, asked, batch_size=min(block, len(projections)))


@partial(jax.jit, static_argnames=("first", "block"))
@full_precision
def rescored_average_precision(  # noqa: PLR0917  codes, vectors and labels of both sides
    query_codes: UInt8[Array, "q bytes"],
    queries: Float[Array, "q f"],
    query_labels: Shaped[Array, "q *c"],
    database_codes: UInt8[Array, "n bytes"],
    database: Float[Array, "n f"],
    database_labels: Shaped[Array, "n *c"],
    own: Int[Array, " q"] | None = None,
    *,
    first: int,
    block: int = 32,
) -> Float[Array, " q"]:
    """Average precision if the nearest items by Hamming distance are ranked again by the cosine of real vectors.

    Rescored are all items within the smallest Hamming radius that holds at least `first`: a tie is rescored as a whole,
    so that no rule for ties is needed. All others follow by Hamming distance. Ties of both kinds count as the mean
    over their orders.

    Args:
        query_codes: packed codes, (q, ceil(l / 8)).
        queries: real-valued vectors of the queries, (q, f).
        query_labels: class indices (q,), or multi-hot (q, c).
        database_codes: packed codes, (n, ceil(l / 8)).
        database: real-valued vectors of the items, (n, f).
        database_labels: class indices (n,), or multi-hot (n, c).
        own: for queries that are items of the database, their indices; a query is excluded from its own ranking.
        first: number of items to rescore, at least; static.
        block: queries at a time; static. Memory: block x n.

    Returns:
        One value a query, in [0, 1]; NaN if nothing is relevant.
    """
    columns, radii = rows_together(code_words(database_codes)).T, 8 * database_codes.shape[1] + 1
    score, labels = cosine_scores(database), label_words(database_labels)

    def of_query(
        args: tuple[UInt32[Array, " w"], Float[Array, " f"], Shaped[Array, "*words"], Int[Array, ""] | None],
    ) -> Float[Array, ""]:
        words, vector, label, itself = args
        distance = jnp.zeros(columns.shape[1], jnp.int32)
        for word, column in zip(words, columns, strict=True):
            distance += lax.population_count(word ^ column).astype(jnp.int32)
        if itself is not None:
            distance = distance.at[itself].set(radii)  # beyond all: it takes no place among the first
        counts = jnp.zeros(radii, jnp.int32).at[distance].add(1, mode="drop")
        radius = jnp.sum(jnp.cumsum(counts) < first, dtype=jnp.int32)
        below = 1 + 2 * jnp.sum(vector**2)  # a score is at least minus the squared length
        far = -below * (2 + distance).astype(vector.dtype)
        return _ranked(jnp.where(distance <= radius, score(vector), far), label, labels, itself)

    asked = (code_words(query_codes), scaled(queries), label_words(query_labels), own)
    return lax.map(of_query, asked, batch_size=min(block, len(queries)))


@partial(jax.jit, static_argnames="block")
@full_precision
def rabitq_average_precision(
    quantiser: RaBitQ,
    queries: Float[Array, "q d"],
    query_labels: Shaped[Array, "q *c"],
    items: Quantised,
    database_labels: Shaped[Array, "n *c"],
    *,
    block: int = 32,
) -> Float[Array, " q"]:
    """Average precision of each query by RaBitQ's estimate of the Euclidean distance.

    Items with equal codes and factors tie exactly, and a tie counts as the mean over its orders.

    Args:
        quantiser: that quantised the items.
        queries: (q, d), in the space of the items.
        query_labels: class indices (q,), or multi-hot (q, c).
        items: of `quantise`.
        database_labels: class indices (n,), or multi-hot (n, c).
        block: queries at a time; static. Memory: n x l for each of them.

    Returns:
        One value a query, in [0, 1]; NaN if nothing is relevant.
    """
    labels = label_words(database_labels)
    factors = lax.bitcast_convert_type(jnp.stack([items.length, items.agreement], axis=1), jnp.uint32)
    words = jnp.concatenate([code_words(items.codes), factors.reshape(len(factors), -1)], axis=1)
    same = an_equal_row(rows_together(words))

    def of_query(args: tuple[Float[Array, " d"], Shaped[Array, "*words"]]) -> Float[Array, ""]:
        vector, label = args
        estimate = estimated_squared_distances(quantiser, items, vector[None])[0]
        return _ranked(-rows_together(estimate)[same], label, labels, None)

    asked = (queries, label_words(query_labels))
    return lax.map(of_query, asked, batch_size=min(block, len(queries)))


def _ranked(
    scores: Float[Array, " n"],
    label: Shaped[Array, "*words"],
    labels: Shaped[Array, "n *words"],
    itself: Int[Array, ""] | None,
) -> Float[Array, ""]:
    relevant = relevance(label, labels)
    if itself is not None:  # last rank, irrelevant
        scores, relevant = scores.at[itself].set(-jnp.inf), relevant.at[itself].set(False)
    return score_average_precision(scores, relevant)
