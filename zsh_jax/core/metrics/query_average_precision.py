"""Average precision of queries without other metrics."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Shaped, UInt8

from zsh_jax.core.metrics.average_precision import tie_aware_average_precision
from zsh_jax.core.metrics.histograms import distance_histograms, without_itself


@partial(jax.jit, static_argnames=("bits", "leave_one_out"))
def query_average_precision(
    query_codes: UInt8[Array, "q bytes"],
    query_labels: Shaped[Array, "q *c"],
    database_codes: UInt8[Array, "n bytes"],
    database_labels: Shaped[Array, "n *c"],
    *,
    bits: int,
    leave_one_out: bool = False,
) -> Float[Array, " q"]:
    """Tie-aware average precision of each query.

    Args:
        query_codes: packed codes, (q, ceil(bits / 8)).
        query_labels: class indices (q,), or multi-hot (q, c), each with a label.
        database_codes: packed codes, (n, ceil(bits / 8)).
        database_labels: class indices (n,), or multi-hot (n, c).
        bits: code length l; static.
        leave_one_out: whether each query is an item of the database and is excluded from its own ranking: the
            histograms lose one relevant item at distance 0; static.

    Returns:
        One value a query, in [0, 1]; NaN if no (other) item is relevant.
    """
    found = distance_histograms(query_codes, query_labels, database_codes, database_labels, bits=bits)
    found = without_itself(found) if leave_one_out else found
    return tie_aware_average_precision(*found, dtype=jnp.result_type(float))
