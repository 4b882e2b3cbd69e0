"""Average precision of a random ranking, the chance level."""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int, Shaped

from zsh_jax.core.metrics.average_precision import tie_aware_average_precision
from zsh_jax.core.metrics.histograms import Histograms
from zsh_jax.core.metrics.relevance import label_words, relevance


@partial(jax.jit, static_argnames=("leave_one_out", "cutoffs", "block"))
def chance_average_precision(
    query_labels: Shaped[Array, "q *c"],
    database_labels: Shaped[Array, "n *c"],
    *,
    leave_one_out: bool = False,
    cutoffs: Sequence[int | None] = (None,),
    block: int = 32,
) -> Float[Array, "q cutoffs"]:
    """Expected average precision of each query for a random order of the database.

    A random order is a single tie: with n items, r of them relevant, and m = (r - 1) / (n - 1), the mean over all
    orders is m + (1 - m) H(n) / n, H the harmonic numbers. This is about the share r / n of relevant items if many are
    relevant, and more if few are: 0.052 for one item of a hundred.

    Args:
        query_labels: class indices (q,), or multi-hot (q, c).
        database_labels: class indices (n,), or multi-hot (n, c).
        leave_one_out: whether each query is an item of the database and is excluded from its own ranking; static.
        cutoffs: ranks that count, as for `tie_aware_average_precision`; None counts all; static.
        block: multi-hot queries at a time; static. Memory: block x n.

    Returns:
        (q, cutoffs), in [0, 1]; NaN if no (other) item is relevant.
    """
    tie = random_order(query_labels, database_labels, leave_one_out=leave_one_out, block=block)
    dtype = jnp.result_type(float)
    every = [tie_aware_average_precision(*tie, cutoff=cutoff, dtype=dtype) for cutoff in cutoffs]
    return jnp.stack(every, axis=1)


def random_order(
    query_labels: Shaped[Array, "q *c"],
    database_labels: Shaped[Array, "n *c"],
    *,
    leave_one_out: bool = False,
    block: int = 32,
) -> Histograms:
    """The histograms of a database in random order: all items are at one distance.

    Args:
        query_labels: class indices (q,), or multi-hot (q, c).
        database_labels: class indices (n,), or multi-hot (n, c).
        leave_one_out: whether each query is an item of the database and is excluded from its own ranking.
        block: multi-hot queries at a time. Memory: block x n.

    Returns:
        Leaves of (q, 1).
    """
    relevant = _relevant_items(query_labels, database_labels, block)[:, None]
    items = jnp.full_like(relevant, database_labels.shape[0])
    if leave_one_out:
        items, relevant = items - 1, relevant - 1
    return Histograms(items, relevant)


def _relevant_items(
    query_labels: Shaped[Array, "q *c"], database_labels: Shaped[Array, "n *c"], block: int
) -> Int[Array, " q"]:
    """Number of relevant items of each query."""
    if database_labels.ndim == 1:  # one sort, and where a query's label would begin and end in it
        ends = jnp.stack([query_labels, query_labels + 1])
        begin, end = jnp.searchsorted(jnp.sort(database_labels), ends)
        return (end - begin).astype(jnp.int32)
    items = label_words(database_labels)

    def relevant_items(label: Shaped[Array, " words"]) -> Int[Array, ""]:
        return jnp.sum(relevance(label, items), dtype=jnp.int32)

    return lax.map(relevant_items, label_words(query_labels), batch_size=min(block, query_labels.shape[0]))
