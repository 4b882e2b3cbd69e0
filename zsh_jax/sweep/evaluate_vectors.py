"""The compiled program that judges bounds, which are not hashing: real-valued vectors ranked by cosine."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Shaped

from zsh_jax.core.feature_maps import RBF, FeatureMap
from zsh_jax.core.hashing import HashFunction, project
from zsh_jax.core.heads import Vectors
from zsh_jax.core.metrics.bit_statistics import BitStatistics
from zsh_jax.core.metrics.bootstrap import bootstrap_interval
from zsh_jax.core.metrics.cosine import cosine_average_precision
from zsh_jax.core.metrics.equal_rows import first_equal_rows
from zsh_jax.core.metrics.evaluate import Metrics
from zsh_jax.core.preprocessing import Preprocessing
from zsh_jax.sweep.evaluate import Chance, Roles, Scores, chance_of
from zsh_jax.training.fit import mapped_by


@partial(jax.jit, static_argnames=("feature_map", "cutoffs"))
def evaluate_vectors(  # noqa: PLR0917  the arrays of a batch
    preprocessing: Preprocessing,
    rbf: RBF | None,
    heads: Vectors,
    features: Float[Array, "n_all d"],
    labels: Shaped[Array, "n_all *c"],
    roles: Roles,
    *,
    feature_map: Callable[..., FeatureMap],
    cutoffs: tuple[int, ...],
) -> Scores:
    """Mean average precision of real-valued vectors ranked by cosine; all other metrics are of codes, and NaN.

    Args:
        preprocessing: of data splits, stacked.
        rbf: of the same; None where the feature map has none.
        heads: of each cell; leaves (splits, cells, ...), if there are any.
        features: raw features of all samples, (n_all, d).
        labels: of all samples.
        roles: of samples in each split.
        feature_map: kind of the cells' feature map; static.
        cutoffs: as for codes; static.

    Returns:
        Leaves with leading axes (splits, cells).
    """
    same = first_equal_rows(features)  # equal features have equal vectors, however these are rounded

    def of_split(args: tuple[Preprocessing, RBF | None, Vectors, Roles]) -> Float[Array, "cells 4"]:
        fitted, anchors, cells, role = args
        before = fitted, mapped_by(feature_map, anchors)

        def judge(head: Vectors) -> Float[Array, " 4"]:
            vectors = project(HashFunction(*before, head), features)[same]
            query, seen = role.queries, role.seen_queries
            database = (vectors[role.database], labels[role.database])
            each = cosine_average_precision(vectors[query], labels[query], *database)
            of_seen = jnp.full(1, jnp.nan, each.dtype)
            if seen.size:
                own = jnp.searchsorted(role.database, seen)  # it is ascending
                of_seen = cosine_average_precision(vectors[seen], labels[seen], *database, own)
            return jnp.stack([each.mean(), of_seen.mean(), *bootstrap_interval(role.resamples, each)])

        if not jax.tree.leaves(cells):  # of a bound that learns nothing, and has one cell
            return judge(cells)[None]
        return lax.map(judge, cells)

    found, seen, low, high = jnp.moveaxis(lax.map(of_split, (preprocessing, rbf, heads, roles)), 2, 0)
    chance = lax.map(lambda role: chance_of(labels, role, cutoffs=cutoffs, by_name=False), roles)

    def of_each(value: Float[Array, "s *rest"]) -> Float[Array, "s cells *rest"]:
        return jnp.repeat(value[:, None], found.shape[1], axis=1)

    none = jnp.full(found.shape, jnp.nan, found.dtype)
    at, curve = (jnp.broadcast_to(none[..., None], (*found.shape, size)) for size in (len(cutoffs), 1))
    metrics = Metrics(found, none, none, none, none, at, at, curve, curve)
    bits = BitStatistics(none, none, none, none)
    return Scores(metrics, none, seen, low, high, bits, Chance(*map(of_each, chance)))
