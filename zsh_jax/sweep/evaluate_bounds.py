"""The compiled program that judges what is not hashed: cosine on features, and on predicted semantics."""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Shaped

from zsh_jax.baselines.bounds import cosine_average_precision, predictions
from zsh_jax.baselines.semantic_ridge import SemanticRidgeOptions, semantic_regression
from zsh_jax.core.hashing import HashFunction
from zsh_jax.core.metrics.bit_statistics import BitStatistics
from zsh_jax.core.metrics.bootstrap import bootstrap_interval
from zsh_jax.core.metrics.equal_rows import first_equal_rows
from zsh_jax.core.metrics.evaluate import Metrics
from zsh_jax.sweep.evaluate import Chance, Roles, Scores, chance_of
from zsh_jax.sweep.prepare import Prepared


@partial(jax.jit, static_argnames=("method", "cutoffs"))
def evaluate_bounds(
    prepared: Prepared,
    multiples: Float[Array, " lams"],
    features: Float[Array, "n_all d"],
    labels: Shaped[Array, "n_all *c"],
    roles: Roles,
    *,
    method: str,
    cutoffs: tuple[int, ...],
) -> Scores:
    """Mean average precision of real-valued vectors ranked by cosine; all other metrics are of codes, and NaN.

    Args:
        prepared: data splits with their samples, stacked.
        multiples: of the ridge of the predictions, 1.
        features: raw features of all samples, (n_all, d).
        labels: of all samples.
        roles: of samples in each split.
        method: "cosine_features" or "cosine_predictions"; static.
        cutoffs: as for codes; static.

    Returns:
        Leaves with leading axes (splits, lams).
    """
    same = first_equal_rows(features)  # equal features have equal predictions, however these are rounded

    def of_split(args: tuple[Prepared, Roles]) -> Float[Array, "4 lams"]:
        split, role = args

        def judge(vectors: Float[Array, "n_all f"]) -> Float[Array, " 4"]:
            query, seen = role.queries, role.seen_queries
            database = (vectors[role.database], labels[role.database])
            each = cosine_average_precision(vectors[query], labels[query], *database)
            of_seen = jnp.full(1, jnp.nan, each.dtype)
            if seen.size:
                own = jnp.searchsorted(role.database, seen)  # it is ascending
                of_seen = cosine_average_precision(vectors[seen], labels[seen], *database, own)
            return jnp.stack([each.mean(), of_seen.mean(), *bootstrap_interval(role.resamples, each)])

        if method == "cosine_features":
            return jnp.broadcast_to(judge(features)[:, None], (4, *multiples.shape))
        mean, scale, basis, unit = split.preprocessing

        def with_ridge(multiple: Float[Array, ""]) -> Float[Array, " 4"]:
            regression = semantic_regression(split.training_data, SemanticRidgeOptions(ridge=multiple))
            function = HashFunction(mean, scale, split.anchors, split.bandwidth, regression, basis, unit)
            return judge(predictions(function, features)[same])

        return lax.map(with_ridge, multiples).T

    found, seen, low, high = jnp.moveaxis(lax.map(of_split, (prepared, roles)), 1, 0)
    chance = lax.map(lambda role: chance_of(labels, role, cutoffs=cutoffs, by_name=False), roles)

    def of_each(value: Float[Array, "s *rest"]) -> Float[Array, "s lams *rest"]:
        return jnp.repeat(value[:, None], multiples.size, axis=1)

    none = jnp.full(found.shape, jnp.nan, found.dtype)
    at, curve = (jnp.broadcast_to(none[..., None], (*found.shape, size)) for size in (len(cutoffs), 1))
    metrics = Metrics(found, none, none, none, none, at, at, curve, curve)
    bits = BitStatistics(none, none, none, none)
    return Scores(metrics, none, seen, low, high, bits, Chance(*map(of_each, chance)))
