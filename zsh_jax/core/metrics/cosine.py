"""Average precision of real-valued vectors ranked by cosine; equal cosines are ties."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int, Shaped

from zsh_jax.core.metrics.equal_rows import first_equal_rows
from zsh_jax.core.metrics.quotient import equal_quotients
from zsh_jax.core.metrics.relevance import label_words, relevance
from zsh_jax.core.metrics.score_ranking import score_average_precision
from zsh_jax.core.precision import full_precision
from zsh_jax.core.sharding import rows_together

WHOLE = 4096  # rows of whole numbers up to this are not scaled: squares of sums stay exact


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
    """Average precision of each query for a ranking by cosine, the exact mean over all orders of equal cosines.

    Cosines are compared as floats, so equal cosines must not differ by rounding. The score is the sign of the dot
    product times its square over the item's squared length, which has the order of the cosine and needs no root. Scores
    are equal, to the bit, for

    - items with the same row, or a row times a power of two;
    - items without a common nonzero entry with the query, zero rows among them: exactly 0;
    - whole numbers (counts, and binary features, each row with its own scale) with equal cosines, if the dot product
      with the query is at most 4,096: every operation before the last division is exact then.

    Other real-valued rows with equal cosines, such as a row and three times itself, may differ by rounding and then
    count as different.

    Args:
        queries: (q, f), raw or standardised features, or predictions; a zero row has cosine 0 with everything.
        query_labels: class indices (q,), or multi-hot (q, c).
        database: (n, f).
        database_labels: class indices (n,), or multi-hot (n, c). An item is relevant if it shares a label with the
            query.
        own: for queries that are items of the database, their indices; a query is excluded from its own ranking.
        block: queries at a time; static. Memory: block x n.

    Returns:
        One value a query, in [0, 1]; NaN if nothing is relevant, or if a vector is not finite.
    """
    asking, score = scaled(queries), cosine_scores(database)
    asked, labels = label_words(query_labels), label_words(database_labels)
    known = jnp.isfinite(database).all() & jnp.isfinite(queries).all(1)

    def of_query(
        args: tuple[Float[Array, " f"], Shaped[Array, "*words"], Int[Array, ""] | None],
    ) -> Float[Array, ""]:
        vector, label, itself = args
        scores, shares = score(vector), relevance(label, labels)
        if itself is not None:  # last rank, irrelevant
            scores, shares = scores.at[itself].set(-jnp.inf), shares.at[itself].set(False)
        return score_average_precision(scores, shares)

    found = lax.map(of_query, (asking, asked, own), batch_size=min(block, queries.shape[0]))
    return jnp.where(known, found, jnp.nan)


def cosine_scores(database: Float[Array, "n f"]) -> Callable[[Float[Array, " f"]], Float[Array, " n"]]:
    """A function from a query, of `scaled`, to scores in the order of the cosines; see `cosine_average_precision`."""
    items = scaled(database)
    first = first_equal_rows(items)
    squared = jnp.sum(items**2, axis=1)
    divisor = jnp.where(squared > 0, squared, 1)

    def score(vector: Float[Array, " f"]) -> Float[Array, " n"]:
        product = items @ vector
        return rows_together(equal_quotients(product * jnp.abs(product), divisor))[first]

    return score


def scaled(rows: Float[Array, "n f"]) -> Float[Array, "n f"]:
    """Keep rows of whole numbers, and scale other rows to a largest entry of 1; zero rows stay zero.

    Squares then do not overflow, and binary features of any scale become 0 and 1.
    """
    size = jnp.abs(rows)
    largest = jnp.max(size, axis=1, keepdims=True)
    whole = (rows == jnp.round(rows)).all(1, keepdims=True) & (largest <= WHOLE)
    shrunk = rows / jnp.where(largest > 0, largest, 1)
    # XLA may multiply by the inverse instead of dividing, so x / x may be less than 1.
    return jnp.where(whole, rows, jnp.where(size == largest, jnp.sign(rows), shrunk))
