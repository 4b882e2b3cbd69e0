"""Histograms of Hamming distances: all that the metrics of a query need to know about the database."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Int, Shaped, UInt8, UInt32

from zsh_jax.core.metrics.histograms_by_planes import count_by_planes
from zsh_jax.core.metrics.item_blocks import sum_over_blocks
from zsh_jax.core.metrics.relevance import label_words, relevance
from zsh_jax.core.packing import code_words, unpack_codes
from zsh_jax.core.sharding import are_rows, by_share, data_devices

PAIRS = 2**22
"""Pairs of a query and an item at a time where they are counted by comparison."""

BY_PLANES = 256
"""Longest codes that accelerators count by planes: the program has some ten operations for each bit."""


class Histograms(NamedTuple):
    """Counts for each query.

    Attributes:
        items: number of database items at each distance 0..l.
        relevant: number of relevant ones among them.
    """

    items: Int[Array, "*q radii"]
    relevant: Int[Array, "*q radii"]


@partial(jax.jit, static_argnames="bits")
def distance_histograms(
    query_codes: UInt8[Array, "q bytes"],
    query_labels: Shaped[Array, "q *c"],
    database_codes: UInt8[Array, "n bytes"],
    database_labels: Shaped[Array, "n *c"],
    *,
    bits: int,
) -> Histograms:
    """Number of items and of relevant items at each distance from each query.

    On the CPU one scatter-add counts the distances of two queries at once; elsewhere 32 items are counted by one
    operation on words, or, if codes are long, one by one by comparison. All forms are exact.

    Args:
        query_codes: packed codes, (q, ceil(bits / 8)).
        query_labels: class indices (q,), or multi-hot (q, c).
        database_codes: packed codes, (n, ceil(bits / 8)).
        database_labels: class indices (n,), or multi-hot (n, c).
        bits: code length l; static.

    Returns:
        Leaves of (q, l + 1). Memory: a few arrays of n on the CPU, of a block of pairs or n elsewhere; never q x n.
    """
    items: tuple[Array, ...] = (database_codes, label_words(database_labels))
    if data_devices() > 1:
        items = (*items, are_rows(database_codes))
    queries = (query_codes, label_words(query_labels))
    counts = by_share(partial(_count, bits=bits), items, (queries,), gives="sums")
    counts = counts.reshape(-1, bits + 1, 2)
    return Histograms(items=counts.sum(-1), relevant=counts[..., 1])


def without_itself(histograms: Histograms) -> Histograms:
    """The histograms of queries that are items of the database, without each query itself: relevant, at distance 0."""
    return Histograms(*(counts.at[:, 0].add(-1) for counts in histograms))


def _count(
    codes: UInt8[Array, "n bytes"],
    labels: Shaped[Array, "n *words"],
    *others: Any,
    bits: int,
) -> Int[Array, "q bins"]:
    """Counts of the items of one device; of those that are items, where that is said."""
    *is_item, queries = others
    on_accelerators = count_by_planes if bits <= BY_PLANES else count_by_comparison
    counts: Array = lax.platform_dependent(
        *queries,
        codes,
        labels,
        *is_item,
        cpu=partial(count_by_scatter, bits=bits),
        default=partial(on_accelerators, bits=bits),
    )
    return counts


def count_by_scatter(
    query_codes: UInt8[Array, "q bytes"],
    query_labels: Shaped[Array, "q *words"],
    database_codes: UInt8[Array, "n bytes"],
    database_labels: Shaped[Array, "n *words"],
    is_item: Bool[Array, " n"] | None = None,
    *,
    bits: int,
) -> Int[Array, "q bins"]:
    """Count keys (2 x distance + relevant) with scatter-adds, which take most of the time on a CPU.

    One scatter-add over the database counts the pairs of keys of two queries, if there are fewer bins of pairs than
    items; the sums over rows and over columns are the two histograms.

    Args:
        query_codes: as in `distance_histograms`.
        query_labels: of `label_words`.
        database_codes: as in `distance_histograms`.
        database_labels: of `label_words`.
        is_item: whether to count each row; None for all.
        bits: code length l.

    Returns:
        (q, 2 (l + 1)): irrelevant and relevant items at distance 0, then at distance 1, ...
    """
    bins, queries = 2 * (bits + 1), query_codes.shape[0]
    asked, columns = code_words(query_codes), code_words(database_codes).T

    def keys(words: UInt32[Array, " w"], label: Shaped[Array, "*words"]) -> Int[Array, " n"]:
        distance = jnp.zeros(columns.shape[1], jnp.int32)
        for word, column in zip(words, columns, strict=True):
            distance += lax.population_count(word ^ column).astype(jnp.int32)
        key = 2 * distance + relevance(label, database_labels).astype(jnp.int32)
        return key if is_item is None else jnp.where(is_item, key, bins)  # no bin: dropped

    if bins**2 > 2 * database_codes.shape[0]:

        def count_one(
            query: tuple[UInt32[Array, " w"], Shaped[Array, "*words"]],
        ) -> Int[Array, " bins"]:
            return jnp.zeros(bins, jnp.int32).at[keys(*query)].add(1, mode="drop")

        return lax.map(count_one, (asked, query_labels))

    def count_two(
        query: tuple[UInt32[Array, "2 w"], Shaped[Array, "2 *words"]],
    ) -> Int[Array, "2 bins"]:
        words, labels = query
        pair = bins * keys(words[0], labels[0]) + keys(words[1], labels[1])
        joint = jnp.zeros(bins**2, jnp.int32).at[pair].add(1, mode="drop").reshape(bins, bins)
        return jnp.stack([joint.sum(1, dtype=jnp.int32), joint.sum(0, dtype=jnp.int32)])

    def in_twos(rows: Shaped[Array, "q *s"]) -> Shaped[Array, "pairs 2 *s"]:
        even = jnp.concatenate([rows, rows[:1]]) if queries % 2 else rows
        return even.reshape(-1, 2, *rows.shape[1:])

    counts = lax.map(count_two, (in_twos(asked), in_twos(query_labels)))
    return counts.reshape(-1, bins)[:queries]


def count_by_comparison(
    query_codes: UInt8[Array, "q bytes"],
    query_labels: Shaped[Array, "q *words"],
    database_codes: UInt8[Array, "n bytes"],
    database_labels: Shaped[Array, "n *words"],
    is_item: Bool[Array, " n"] | None = None,
    *,
    bits: int,
) -> Int[Array, "q bins"]:
    """Count keys by comparison with each bin, in blocks of the database: few steps, no scatter, no atomic addition.

    The dot product of codes in {-1, +1} is l - 2 x distance, exact with inputs in bfloat16 and sums in float32.
    A compiler fuses comparison and sum, so that no array of queries x items x bins is made.

    Args:
        query_codes: as in `distance_histograms`.
        query_labels: of `label_words`.
        database_codes: as in `distance_histograms`.
        database_labels: of `label_words`.
        is_item: whether to count each row; None for all.
        bits: code length l.

    Returns:
        (q, 2 (l + 1)), as `count_by_scatter`.
    """
    (queries, _), size = query_codes.shape, database_codes.shape[0]
    block = min(size, max(1, PAIRS // queries))
    bins = jnp.arange(2 * (bits + 1), dtype=jnp.int32)
    signs = unpack_codes(query_codes, bits=bits).astype(jnp.bfloat16)

    def count(
        codes: UInt8[Array, "block bytes"],
        labels: Shaped[Array, "block *words"],
        is_item: Bool[Array, " block"],
    ) -> Int[Array, "q bins"]:
        items = unpack_codes(codes, bits=bits).astype(jnp.bfloat16)
        product = jnp.einsum("ql,nl->qn", signs, items, preferred_element_type=jnp.float32)
        relevant = jax.vmap(relevance, in_axes=(0, None))(query_labels, labels)
        key = (bits - product.astype(jnp.int32)) + relevant.astype(jnp.int32)
        key = jnp.where(is_item[None], key, -1)  # padding is in no bin
        return (key[:, :, None] == bins[None, None]).sum(1, dtype=jnp.int32)

    shape = queries, len(bins)
    return sum_over_blocks(count, database_codes, database_labels, is_item, block=block, shape=shape)
