"""Search with a hash function in three ways, of any method, and what each costs."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Shaped

from zsh_jax.core.hashing import HashFunction, code_length, encode, project
from zsh_jax.core.metrics.query_average_precision import query_average_precision
from zsh_jax.core.metrics.search import (
    SearchCost,
    asymmetric_average_precision,
    rescored_average_precision,
    search_costs,
)
from zsh_jax.core.preprocessing import apply_preprocessing


class Search(NamedTuple):
    """One way to search.

    Attributes:
        mean_average_precision: the exact mean over all orders of ties.
        cost: what it stores and computes.
    """

    mean_average_precision: Float[Array, ""]
    cost: SearchCost


class Searches(NamedTuple):
    """The ways to search.

    Attributes:
        hamming: binary queries and items, by Hamming distance.
        asymmetric: real-valued queries and binary items, by the distance of projections to codes.
        rescored: the nearest by Hamming distance, ranked again by the cosine of preprocessed features.
    """

    hamming: Search
    asymmetric: Search
    rescored: Search


def evaluate_searches(
    hash_function: HashFunction,
    queries: Float[Array, "q d"],
    query_labels: Shaped[Array, "q *c"],
    database: Float[Array, "n d"],
    database_labels: Shaped[Array, "n *c"],
    *,
    first: int = 100,
) -> Searches:
    """Mean average precision and cost of each way to search, with the same codes.

    Args:
        hash_function: of any method with codes.
        queries: raw features, (q, d).
        query_labels: class indices (q,), or multi-hot (q, c).
        database: raw features, (n, d), without the queries.
        database_labels: class indices (n,), or multi-hot (n, c).
        first: number of nearest items that are rescored; the tie that it divides is rescored as a whole.

    Returns:
        The searches. Memory: a few arrays of n x l and n x p.

    Raises:
        ValueError: the hash function is a bound, `first` is less than 1, or a query has no relevant item.

    Examples:
        After the example of `encode`:

        >>> found = zsh.evaluate_searches(model, features[:9], labels[:9], features[9:], labels[9:], first=10)
        >>> found.asymmetric.cost.bytes_per_item == found.hamming.cost.bytes_per_item == 2
        True
    """
    bits = code_length(hash_function)
    if first < 1:
        raise ValueError(f"first must be at least 1; got {first}")
    codes = [encode(hash_function, x) for x in (queries, database)]
    real = [apply_preprocessing(hash_function.preprocessing, x) for x in (queries, database)]
    held = codes[1], database_labels
    each = (
        query_average_precision(codes[0], query_labels, *held, bits=bits),
        asymmetric_average_precision(project(hash_function, queries), query_labels, *held, bits=bits),
        rescored_average_precision(
            codes[0], real[0], query_labels, codes[1], real[1], database_labels, first=first
        ),
    )
    lost = np.flatnonzero(np.isnan(np.asarray(each[0])))
    if lost.size:
        raise ValueError(
            f"{lost.size} of {len(queries)} queries have no relevant item in the database (first: query {lost[0]})"
        )
    costs = search_costs(bits=bits, dimensions=real[1].shape[1], first=first)
    found = (
        Search(jnp.mean(values), costs[name]) for name, values in zip(Searches._fields, each, strict=True)
    )
    return Searches(*found)
