"""What real-valued vectors reach where codes are compared: two bounds that are not hashing.

The features themselves, and the semantic vectors predicted from them by ridge regression, both ranked by cosine.
No code of any length is to be expected above the better one, though nothing forbids it.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int, Shaped

from zsh_jax.core.hashing import HashFunction
from zsh_jax.core.kernel import rbf_features
from zsh_jax.core.metrics.ranking import relevance
from zsh_jax.core.precision import full_precision
from zsh_jax.core.preprocessing import apply_preprocessing, unit_rows


@partial(jax.jit, static_argnames="block")
@full_precision
def cosine_average_precision(
    queries: Float[Array, "q f"],
    query_labels: Shaped[Array, "q *c"],
    database: Float[Array, "n f"],
    database_labels: Shaped[Array, "n *c"],
    own: Int[Array, " q"] | None = None,
    *,
    block: int = 32,
) -> Float[Array, " q"]:
    """Average precision of each query, the database ranked by cosine.

    Cosines are real numbers and hardly ever equal, so that ties are not shared out as those of codes are: of items
    whose cosines differ in the last digit alone, the relevant ones come last.

    Args:
        queries: (q, f), raw or standardised features, or predictions; a zero row has cosine 0 with everything.
        query_labels: class indices (q,), or multi-hot (q, c).
        database: (n, f).
        database_labels: class indices (n,), or multi-hot (n, c). Relevant is what shares a label with the query.
        own: of queries that are items of the database themselves, where each stands in it, and is not found.
        block: queries at a time; static. The memory needed is block x n.

    Returns:
        One value a query, in [0, 1]; NaN where nothing is relevant.
    """
    unit_queries, unit_database = unit_rows(queries), unit_rows(database)
    place = jnp.arange(1, database.shape[0] + 1, dtype=database.dtype)

    def of_query(
        args: tuple[Float[Array, " f"], Shaped[Array, "*c"], Int[Array, ""] | None],
    ) -> Float[Array, ""]:
        vector, label, itself = args
        scores, shares = unit_database @ vector, relevance(label, database_labels)
        if itself is not None:  # last of all, and irrelevant
            scores, shares = scores.at[itself].set(-2), shares.at[itself].set(False)
        relevant = _ranked(scores, shares)
        found = jnp.cumsum(relevant, dtype=jnp.int32).astype(database.dtype)
        return jnp.sum(jnp.where(relevant, found / place, 0)) / found[-1]

    return lax.map(of_query, (unit_queries, query_labels, own), batch_size=min(block, queries.shape[0]))


@partial(jax.jit, static_argnames="block")
@full_precision
def predictions(function: HashFunction, x: Float[Array, "n d"], *, block: int = 1024) -> Float[Array, "n e"]:
    """phi(x) C, not reduced to signs: the predicted semantic vectors where C is `semantic_regression`'s.

    Args:
        function: its `projection` is C.
        x: raw features, (n, d), as they were before preprocessing.
        block: samples at a time; static. The memory needed is block x m.

    Returns:
        (n, e).
    """

    def predict_one(row: Float[Array, " d"]) -> Float[Array, " e"]:
        features = apply_preprocessing(function.preprocessing, row[None])
        phi = rbf_features(features, function.anchors, function.bandwidth)
        return (phi @ function.projection)[0]

    return lax.map(predict_one, x, batch_size=min(block, x.shape[0]))


def _ranked(scores: Float[Array, " n"], relevant: Bool[Array, " n"]) -> Bool[Array, " n"]:
    """Relevance in falling order of the scores.

    XLA sorts integers four times as fast as floats or pairs. The bits of a float, read as an integer, keep its order
    once those of negative numbers are reversed; and the last one has room for the relevance.
    """
    integer = jnp.int32 if scores.dtype == jnp.float32 else jnp.int64
    bits = lax.bitcast_convert_type(-scores, integer)
    ordered = jnp.where(bits < 0, bits ^ jnp.iinfo(integer).max, bits)
    return (lax.sort((ordered & ~1) | relevant, is_stable=False) & 1) > 0
