"""The compiled programs that encode all samples and judge the codes, for many cells at once."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int, Shaped, UInt8

from zsh_jax.core.hashing import HashFunction, encode
from zsh_jax.core.metrics.evaluate import Metrics, evaluate_queries
from zsh_jax.sweep.prepare import Prepared


class Roles(NamedTuple):
    """Who is what in a data split; or in several, stacked.

    Attributes:
        queries: indices of samples.
        database: indices of samples.
        unseen: which classes are.
    """

    queries: Int[Array, "*s q"]
    database: Int[Array, "*s n"]
    unseen: Bool[Array, "*s c"]


class Scores(NamedTuple):
    """What came out of a cell's codes.

    Attributes:
        images: metrics of images as queries.
        by_name: mean tie-aware average precision of the unseen classes' own codes as queries.
    """

    images: Metrics
    by_name: Float[Array, "*cells"]


@jax.jit
def encode_cells(
    prepared: Prepared, projections: Float[Array, "s cells m l"], features: Float[Array, "n_all d"]
) -> UInt8[Array, "s cells n_all bytes"]:
    """Codes of all samples under every cell's hash function; the cells of a split share phi(x).

    Args:
        prepared: data splits, stacked.
        projections: of each cell, (splits, cells, m, l).
        features: raw features of all samples, (n_all, d).

    Returns:
        Packed codes, (splits, cells, n_all, bytes).
    """

    def of_split(args: tuple[Prepared, Float[Array, "cells m l"]]) -> UInt8[Array, "cells n_all bytes"]:
        split, projection = args
        mean, scale, basis, unit = split.preprocessing
        cells = HashFunction(mean, scale, split.anchors, split.bandwidth, projection, basis, unit)
        by_cell = HashFunction(None, None, None, None, 0, None, None)  # type: ignore[arg-type]
        return jax.vmap(encode, in_axes=(by_cell, None))(cells, features)

    return lax.map(of_split, (prepared, projections))


@partial(jax.jit, static_argnames=("bits", "cutoffs", "block"))
def evaluate_cells(
    codes: UInt8[Array, "s cells n_all bytes"],
    class_codes: UInt8[Array, "s cells c bytes"],
    labels: Shaped[Array, "n_all *c"],
    roles: Roles,
    *,
    bits: int,
    cutoffs: tuple[int, ...],
    block: int,
) -> Scores:
    """Mean metrics of every cell, one cell after the other.

    Args:
        codes: packed codes of all samples, (splits, cells, n_all, bytes).
        class_codes: packed codes of all classes, (splits, cells, c, bytes).
        labels: of all samples.
        roles: of samples and classes in each split.
        bits: code length; static.
        cutoffs: the N of precision at N; static.
        block: queries at a time; static.

    Returns:
        Leaves with leading axes (splits, cells).
    """
    class_labels = (
        jnp.arange(class_codes.shape[2]) if labels.ndim == 1 else jnp.eye(labels.shape[1], dtype=bool)
    )

    def of_split(args: tuple[UInt8[Array, "cells n_all b"], UInt8[Array, "cells c b"], Roles]) -> Scores:
        cells, classes, role = args

        def of_cell(args: tuple[UInt8[Array, "n_all b"], UInt8[Array, "c b"]]) -> Scores:
            code, class_code = args
            query = (code[role.queries], labels[role.queries])
            database = (code[role.database], labels[role.database])
            images = evaluate_queries(*query, *database, bits=bits, cutoffs=cutoffs, block=block)
            names = evaluate_queries(class_code, class_labels, *database, bits=bits, block=block)
            by_name = jnp.where(role.unseen, names.mean_average_precision, 0).sum() / role.unseen.sum()
            return Scores(jax.tree.map(lambda values: values.mean(0), images), by_name)

        return lax.map(of_cell, (cells, classes))

    return lax.map(of_split, (codes, class_codes, roles))
