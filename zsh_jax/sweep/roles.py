"""What each sample and each class is in a data split."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, PRNGKeyArray, Shaped


class Roles(NamedTuple):
    """Roles of samples and classes in a data split, or in several stacked splits.

    Attributes:
        queries: indices of samples.
        database: indices of samples.
        seen_queries: indices of database samples that are queries too, each without itself; may be empty.
        unseen: whether each class is unseen.
        resamples: key of the bootstrap over queries, the same for all cells.
    """

    queries: Int[Array, "*s q"]
    database: Int[Array, "*s n"]
    seen_queries: Int[Array, "*s k"]
    unseen: Bool[Array, "*s c"]
    resamples: Shaped[PRNGKeyArray, "*s"]


def class_labels(labels: Shaped[Array, "n_all *c"], count: int) -> Shaped[Array, "count *c"]:
    """The label of each class name as a query, in the form of the samples' labels."""
    return jnp.arange(count, dtype=labels.dtype) if labels.ndim == 1 else jnp.eye(count, dtype=bool)
