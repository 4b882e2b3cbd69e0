"""The compiled programs that encode all samples and evaluate the codes of many cells at once."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Shaped, UInt8

from zsh_jax.core.feature_maps import RBF, FeatureMap
from zsh_jax.core.hashing import HashFunction, encode_each, mapped_rbf
from zsh_jax.core.heads import Head
from zsh_jax.core.metrics.average_precision import tie_aware_average_precision
from zsh_jax.core.metrics.bit_statistics import bit_statistics
from zsh_jax.core.metrics.bootstrap import resampling_weights
from zsh_jax.core.metrics.evaluate import metrics_of
from zsh_jax.core.metrics.histograms import Histograms, distance_histograms, without_itself
from zsh_jax.core.preprocessing import Preprocessing
from zsh_jax.core.sharding import take_rows
from zsh_jax.sweep.chance import Chance
from zsh_jax.sweep.metrics import Evaluation, measure
from zsh_jax.sweep.roles import Roles, class_labels
from zsh_jax.training.fit import mapped_by

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
    chances: Chance,
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
        chances: chance levels of each split.
        bits: code length; static.
        cutoffs: the N of precision at N; static.

    Returns:
        Leaves with leading axes (splits, cells).
    """

    def of_split(
        args: tuple[UInt8[Array, "cells n_all b"], UInt8[Array, "cells c b"] | None, Roles, Chance],
    ) -> Scores:
        cells, classes, role, chance = args
        if classes is None:  # names are no queries
            chance = chance._replace(by_name=jnp.full_like(chance.by_name, jnp.nan))
        resamples = resampling_weights(role.resamples, size=len(role.queries))
        names_asked = labels[:0] if classes is None else class_labels(labels, classes.shape[1])
        asked = jnp.concatenate([labels[role.queries], names_asked, labels[role.seen_queries]])
        ends = len(role.queries), len(role.queries) + len(names_asked)
        database_labels = labels[role.database]

        def of_cell(args: tuple[UInt8[Array, "n_all b"], UInt8[Array, "c b"] | None]) -> Scores:
            code, class_code = args
            class_code = code[:0] if class_code is None else class_code
            database = (take_rows(code, role.database), database_labels)
            # Queries of all kinds at once: one program counts their distances.
            query = jnp.concatenate([code[role.queries], class_code, code[role.seen_queries]])
            counts = distance_histograms(query, asked, *database, bits=bits)
            of_images, of_names, of_seen = (
                Histograms(*kind) for kind in zip(*(jnp.split(each, ends) for each in counts), strict=True)
            )
            images = metrics_of(of_images, cutoffs=cutoffs)
            none = jnp.array(jnp.nan, images.mean_average_precision.dtype)
            rest = Histograms(*map(jnp.concatenate, zip(of_names, without_itself(of_seen), strict=True)))
            names, seen = jnp.split(tie_aware_average_precision(*rest, dtype=none.dtype), [len(names_asked)])
            names = names if len(names_asked) else jnp.full(role.unseen.shape, none)
            seen = seen if role.seen_queries.size else none[None]
            statistics = bit_statistics(*database, bits=bits)
            return measure(Evaluation(images, names, seen, role.unseen, resamples, statistics, chance))

        return lax.map(of_cell, (cells, classes))

    return lax.map(of_split, (codes, class_codes, roles, chances))
