"""The compiled program that evaluates unhashed bounds: real-valued vectors ranked by cosine."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Shaped, UInt8

from zsh_jax.core.feature_maps import RBF, FeatureMap
from zsh_jax.core.hashing import HashFunction, project
from zsh_jax.core.heads import Vectors
from zsh_jax.core.metrics.bit_statistics import BitStatistics, bit_statistics
from zsh_jax.core.metrics.bootstrap import resampling_weights
from zsh_jax.core.metrics.cosine import cosine_average_precision
from zsh_jax.core.metrics.equal_rows import first_equal_rows
from zsh_jax.core.metrics.evaluate import Metrics, evaluate_queries
from zsh_jax.core.preprocessing import Preprocessing
from zsh_jax.core.sharding import take_rows
from zsh_jax.sweep.chance import Chance
from zsh_jax.sweep.evaluate import Scores
from zsh_jax.sweep.metrics import Evaluation, measure
from zsh_jax.sweep.roles import Roles
from zsh_jax.training.fit import mapped_by


@partial(jax.jit, static_argnames=("feature_map", "cutoffs"))
def evaluate_vectors(  # noqa: PLR0917  the arrays of a batch
    preprocessing: Preprocessing,
    rbf: RBF | None,
    heads: Vectors,
    features: Float[Array, "n_all d"],
    labels: Shaped[Array, "n_all *c"],
    roles: Roles,
    chances: Chance,
    *,
    feature_map: Callable[..., FeatureMap],
    cutoffs: tuple[int, ...],
) -> Scores:
    """Mean average precision of real-valued vectors ranked by cosine; metrics of codes are NaN.

    Args:
        preprocessing: of data splits, stacked.
        rbf: of data splits, stacked; None if the feature map has none.
        heads: of each cell; leaves (splits, cells, ...), if any.
        features: raw features of all samples.
        labels: of all samples.
        roles: of samples in each split.
        chances: chance levels of each split.
        feature_map: kind of the cells' feature map; static.
        cutoffs: the N of precision at N; static.

    Returns:
        Leaves with leading axes (splits, cells).
    """
    same = first_equal_rows(features)  # equal features get equal vectors, whatever the rounding

    def of_split(args: tuple[Preprocessing, RBF | None, Vectors, Roles, Chance]) -> Scores:
        fitted, anchors, cells, role, chance = args
        before = fitted, mapped_by(feature_map, anchors)
        chance = chance._replace(by_name=jnp.full_like(chance.by_name, jnp.nan))  # names are no queries
        nothing = _of_no_codes(labels, role, cutoffs=cutoffs, chance=chance)

        def judge(head: Vectors) -> Scores:
            vectors = project(HashFunction(*before, head), features)
            query, seen = role.queries, role.seen_queries
            database = (take_rows(vectors, same[role.database]), labels[role.database])
            each = cosine_average_precision(vectors[same[query]], labels[query], *database)
            found = nothing._replace(queries=nothing.queries._replace(mean_average_precision=each))
            if seen.size:
                own = jnp.searchsorted(role.database, seen)  # the database is in ascending order
                of_seen = cosine_average_precision(vectors[same[seen]], labels[seen], *database, own)
                found = found._replace(seen=of_seen)
            return measure(found)

        if not jax.tree.leaves(cells):  # a bound that learns nothing has one cell
            return jax.tree.map(lambda value: value[None], judge(cells))
        return lax.map(judge, cells)

    return lax.map(of_split, (preprocessing, rbf, heads, roles, chances))


def _of_no_codes(
    labels: Shaped[Array, "n_all *c"], role: Roles, *, cutoffs: tuple[int, ...], chance: Chance
) -> Evaluation:
    """An evaluation whose metrics of codes are NaN, with the shapes of one-bit codes."""
    codes = jax.ShapeDtypeStruct((len(labels), 1), jnp.uint8)

    def of_codes(code: UInt8[Array, "n_all b"]) -> tuple[Metrics, BitStatistics]:
        database = (code[role.database], labels[role.database])
        query = (code[role.queries], labels[role.queries])
        return evaluate_queries(*query, *database, bits=1, cutoffs=cutoffs), bit_statistics(*database, bits=1)

    shapes = jax.eval_shape(of_codes, codes)
    queries, statistics = jax.tree.map(lambda leaf: jnp.full(leaf.shape, jnp.nan, leaf.dtype), shapes)
    none = jnp.full(1, jnp.nan, queries.mean_average_precision.dtype)
    names = jnp.full(role.unseen.shape, jnp.nan, none.dtype)
    resamples = resampling_weights(role.resamples, size=len(role.queries))
    return Evaluation(queries, names, none, role.unseen, resamples, statistics, chance)
