"""Average precision of a random ranking, the chance level."""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Shaped

from zsh_jax.core.metrics.average_precision import tie_aware_average_precision
from zsh_jax.core.metrics.ranking import relevance


@partial(jax.jit, static_argnames=("leave_one_out", "cutoffs", "block"))
def chance_average_precision(
    query_labels: Shaped[Array, "q *c"],
    database_labels: Shaped[Array, "n *c"],
    *,
    leave_one_out: bool = False,
    cutoffs: Sequence[int | None] = (None,),
    block: int = 128,
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
        block: queries at a time; static. Memory: block x n.

    Returns:
        (q, cutoffs), in [0, 1]; NaN if no (other) item is relevant.
    """
    size = database_labels.shape[0]

    def relevant_items(label: Shaped[Array, "*c"]) -> Shaped[Array, ""]:
        return jnp.sum(relevance(label, database_labels), dtype=jnp.int32)

    relevant = lax.map(relevant_items, query_labels, batch_size=min(block, query_labels.shape[0]))
    items = jnp.full_like(relevant, size)
    if leave_one_out:
        items, relevant = items - 1, relevant - 1
    dtype = jnp.result_type(float)
    every = [
        tie_aware_average_precision(items[:, None], relevant[:, None], cutoff=cutoff, dtype=dtype)
        for cutoff in cutoffs
    ]
    return jnp.stack(every, axis=1)
