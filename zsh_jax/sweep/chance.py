"""Chance levels of data splits: the mAP of a database in random order, which depends on the labels alone.

They have a program of their own, so that all methods and code lengths of a sweep share it.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Shaped

from zsh_jax.core.metrics.chance import chance_average_precision, random_order
from zsh_jax.core.metrics.evaluate import metrics_of
from zsh_jax.sweep.roles import Roles, class_labels


class Chance(NamedTuple):
    """Chance levels of a data split, or of several stacked splits.

    Attributes:
        images: mAP of queries of unseen classes.
        at: mAP@N for each cut-off N, divided by all relevant items.
        at_min: the same, divided by min(N, all relevant items).
        at_found: the same, divided by the relevant items found.
        by_name: mAP of the unseen classes' names.
        seen: mAP of queries of seen classes; NaN for none.
    """

    images: Float[Array, "*s"]
    at: Float[Array, "*s cutoffs"]
    at_min: Float[Array, "*s cutoffs"]
    at_found: Float[Array, "*s cutoffs"]
    by_name: Float[Array, "*s"]
    seen: Float[Array, "*s"]


@partial(jax.jit, static_argnames="cutoffs")
def chance_levels(labels: Shaped[Array, "n_all *c"], roles: Roles, *, cutoffs: tuple[int, ...]) -> Chance:
    """Chance levels of each data split.

    Args:
        labels: of all samples.
        roles: of samples and classes in each split.
        cutoffs: the N of mAP@N; static.

    Returns:
        Means over queries; leaves with a leading axis of splits.
    """
    return lax.map(partial(_of_split, labels, cutoffs=cutoffs), roles)


def _of_split(labels: Shaped[Array, "n_all *c"], role: Roles, *, cutoffs: tuple[int, ...]) -> Chance:
    database = labels[role.database]
    each = metrics_of(random_order(labels[role.queries], database), cutoffs=cutoffs)
    images = jax.tree.map(lambda values: values.mean(0), each)
    of_names = chance_average_precision(class_labels(labels, len(role.unseen)), database)[:, 0]
    seen = jnp.full((), jnp.nan, of_names.dtype)
    if role.seen_queries.size:
        seen = chance_average_precision(labels[role.seen_queries], database, leave_one_out=True).mean()
    return Chance(
        images=images.mean_average_precision,
        at=images.mean_average_precision_at,
        at_min=images.mean_average_precision_at_min,
        at_found=images.mean_average_precision_at_found,
        by_name=jnp.where(role.unseen, of_names, 0).sum() / role.unseen.sum(),
        seen=seen,
    )
