"""Average precision of real-valued vectors ranked by cosine, equal cosines counted as ties."""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int, Shaped

from zsh_jax.core.metrics.equal_rows import first_equal_rows
from zsh_jax.core.metrics.ranking import relevance
from zsh_jax.core.metrics.score_ranking import score_average_precision
from zsh_jax.core.precision import full_precision

WHOLE = 4096  # the largest entry of a row of whole numbers that is left as it is: squares of sums stay exact


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
    """Average precision of each query, the database ranked by cosine; its exact mean over all orders of equal cosines.

    Cosines are compared as floats, so what is equal must not differ by rounding. The score is the sign of the dot
    product times its square over the item's squared length, which orders items as the cosine does and takes no root.
    It is equal, to the bit, for

    - items that are the same row, or one times a power of two;
    - items without anything in common with the query, zero rows among them: exactly 0;
    - whole numbers (counts, and binary features, each row scaled as it may be) whose cosines are equal, as long as
      the dot product with the query is at most 4,096: every operation before the last division is exact then.

    Other real-valued rows whose cosines are equal in theory alone, such as a row and three times itself, may differ
    by rounding, and count as different then.

    Args:
        queries: (q, f), raw or standardised features, or predictions; a zero row has cosine 0 with everything.
        query_labels: class indices (q,), or multi-hot (q, c).
        database: (n, f).
        database_labels: class indices (n,), or multi-hot (n, c). Relevant is what shares a label with the query.
        own: of queries that are items of the database themselves, where each stands in it, and is not found.
        block: queries at a time; static. The memory needed is block x n.

    Returns:
        One value a query, in [0, 1]; NaN where nothing is relevant, or where a vector is not finite.
    """
    asking, items = _scaled(queries), _scaled(database)
    first = first_equal_rows(items)
    squared = jnp.sum(items**2, axis=1)
    divisor = jnp.where(squared > 0, squared, 1)
    known = jnp.isfinite(database).all() & jnp.isfinite(queries).all(1)

    def of_query(
        args: tuple[Float[Array, " f"], Shaped[Array, "*c"], Int[Array, ""] | None],
    ) -> Float[Array, ""]:
        vector, label, itself = args
        product = items @ vector
        scores, shares = (product * jnp.abs(product) / divisor)[first], relevance(label, database_labels)
        if itself is not None:  # last of all, and irrelevant
            scores, shares = scores.at[itself].set(-jnp.inf), shares.at[itself].set(False)
        return score_average_precision(scores, shares)

    found = lax.map(of_query, (asking, query_labels, own), batch_size=min(block, queries.shape[0]))
    return jnp.where(known, found, jnp.nan)


def _scaled(rows: Float[Array, "n f"]) -> Float[Array, "n f"]:
    """Rows of whole numbers as they are, others with 1 as their largest entry; zero rows stay zero.

    Squares of the entries can be held then, and binary features of any length are 0 and 1 again.
    """
    size = jnp.abs(rows)
    largest = jnp.max(size, axis=1, keepdims=True)
    whole = (rows == jnp.round(rows)).all(1, keepdims=True) & (largest <= WHOLE)
    shrunk = rows / jnp.where(largest > 0, largest, 1)
    # XLA may divide by multiplying with the inverse, which makes less than 1 of x / x.
    return jnp.where(whole, rows, jnp.where(size == largest, jnp.sign(rows), shrunk))
