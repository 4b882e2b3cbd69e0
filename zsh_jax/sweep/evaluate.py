"""The compiled programs that encode all samples and evaluate the codes of many cells at once."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, Shaped, UInt8

from zsh_jax.core.feature_maps import RBF, FeatureMap
from zsh_jax.core.hashing import HashFunction, encode_each, mapped_rbf
from zsh_jax.core.heads import Head
from zsh_jax.core.metrics.bit_statistics import bit_statistics
from zsh_jax.core.metrics.bootstrap import resampling_weights
from zsh_jax.core.metrics.chance import chance_average_precision, random_order
from zsh_jax.core.metrics.evaluate import evaluate_queries, metrics_of
from zsh_jax.core.metrics.query_average_precision import query_average_precision
from zsh_jax.core.preprocessing import Preprocessing
from zsh_jax.core.sharding import take_rows
from zsh_jax.sweep.metrics import Chance, Evaluation, measure
from zsh_jax.training.fit import mapped_by


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


Scores = Mapping[str, Float[Array, "s cells *values"]]
"""Every metric of every cell, by its name."""


@jax.jit
def map_samples(
    preprocessing: Preprocessing, rbf: RBF, features: Float[Array, "n_all d"]
) -> Float[Array, "s n_all m"]:
    """RBF features of all samples in each data split.

    Args:
        preprocessing: of data splits, stacked.
        rbf: of data splits, stacked.
        features: raw features of all samples.

    Returns:
        phi(x), which all code lengths and methods of a split share.
    """
    return lax.map(lambda split: mapped_rbf(*split, features), (preprocessing, rbf))


def samples_of_phi(shape: Any) -> int:
    """The axis of samples in the result of `map_samples`."""
    del shape
    return 1


@partial(jax.jit, static_argnames="feature_map")
def encode_cells(
    preprocessing: Preprocessing,
    rbf: RBF | None,
    heads: Head,
    features: Float[Array, "n_all d"],
    phi: Float[Array, "s n_all m"] | None,
    *,
    feature_map: Callable[..., FeatureMap],
) -> UInt8[Array, "s cells n_all bytes"]:
    """Codes of all samples under every cell's hash function; the cells of a split share phi(x).

    Args:
        preprocessing: of data splits, stacked.
        rbf: of data splits, stacked; None if the feature map has none.
        heads: of each cell; leaves (splits, cells, ...).
        features: raw features of all samples.
        phi: of `map_samples`; None to compute them in blocks.
        feature_map: kind of the cells' feature map; static.

    Returns:
        Packed codes.
    """

    def of_split(
        args: tuple[Preprocessing, RBF | None, Head, Float[Array, "n_all m"] | None],
    ) -> UInt8[Array, "cells n_all bytes"]:
        fitted, anchors, cells, mapped = args
        return encode_each(HashFunction(fitted, mapped_by(feature_map, anchors), cells), features, mapped)

    return lax.map(of_split, (preprocessing, rbf, heads, phi))


def samples_of_codes(shape: Any) -> int:
    """The axis of samples in the result of `encode_cells`."""
    del shape
    return 2


@partial(jax.jit, static_argnames=("bits", "cutoffs"))
def evaluate_cells(
    codes: UInt8[Array, "s cells n_all bytes"],
    class_codes: UInt8[Array, "s cells c bytes"] | None,
    labels: Shaped[Array, "n_all *c"],
    roles: Roles,
    *,
    bits: int,
    cutoffs: tuple[int, ...],
) -> Scores:
    """Mean metrics of every cell, computed one cell after the other.

    Args:
        codes: packed codes of all samples.
        class_codes: packed codes of all classes; None if the method has none.
        labels: of all samples.
        roles: of samples and classes in each split.
        bits: code length; static.
        cutoffs: the N of precision at N; static.

    Returns:
        Leaves with leading axes (splits, cells).
    """

    def of_split(
        args: tuple[UInt8[Array, "cells n_all b"], UInt8[Array, "cells c b"] | None, Roles],
    ) -> Scores:
        cells, classes, role = args
        chance = chance_of(labels, role, cutoffs=cutoffs, by_name=classes is not None)
        resamples = resampling_weights(role.resamples, size=len(role.queries))
        query_labels, database_labels = labels[role.queries], labels[role.database]

        def of_cell(args: tuple[UInt8[Array, "n_all b"], UInt8[Array, "c b"] | None]) -> Scores:
            code, class_code = args
            database = (take_rows(code, role.database), database_labels)
            images = evaluate_queries(code[role.queries], query_labels, *database, bits=bits, cutoffs=cutoffs)
            names = jnp.full(role.unseen.shape, jnp.nan, images.mean_average_precision.dtype)
            if class_code is not None:
                name_labels = class_labels(labels, len(class_code))
                names = query_average_precision(class_code, name_labels, *database, bits=bits)
            seen = jnp.full(1, jnp.nan, names.dtype)
            if role.seen_queries.size:
                query = (code[role.seen_queries], labels[role.seen_queries])
                seen = query_average_precision(*query, *database, bits=bits, leave_one_out=True)
            statistics = bit_statistics(*database, bits=bits)
            return measure(Evaluation(images, names, seen, role.unseen, resamples, statistics, chance))

        return lax.map(of_cell, (cells, classes))

    return lax.map(of_split, (codes, class_codes, roles))


def chance_of(
    labels: Shaped[Array, "n_all *c"], role: Roles, *, cutoffs: tuple[int, ...], by_name: bool
) -> Chance:
    """Chance levels of a data split: mAP of a random order, which depends on the labels alone.

    Args:
        labels: of all samples.
        role: of samples and classes in the split.
        cutoffs: the N of mAP@N.
        by_name: whether class names are queries.

    Returns:
        Means over queries.
    """
    database = labels[role.database]
    each = metrics_of(random_order(labels[role.queries], database), cutoffs=cutoffs)
    images = jax.tree.map(lambda values: values.mean(0), each)
    names = seen = jnp.full((), jnp.nan, images.mean_average_precision.dtype)
    if by_name:
        name_labels = class_labels(labels, len(role.unseen))
        of_names = chance_average_precision(name_labels, database)[:, 0]
        names = jnp.where(role.unseen, of_names, 0).sum() / role.unseen.sum()
    if role.seen_queries.size:
        seen = chance_average_precision(labels[role.seen_queries], database, leave_one_out=True).mean()
    return Chance(
        images.mean_average_precision,
        images.mean_average_precision_at,
        images.mean_average_precision_at_min,
        images.mean_average_precision_at_found,
        names,
        seen,
    )


def class_labels(labels: Shaped[Array, "n_all *c"], count: int) -> Shaped[Array, "count *c"]:
    """The label of each class name as a query, in the form of the samples' labels."""
    return jnp.arange(count) if labels.ndim == 1 else jnp.eye(count, dtype=bool)
