"""The compiled programs that encode all samples and judge the codes, for many cells at once."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int, Shaped, UInt8

from zsh_jax.baselines.hash_functions import Kernel, Linear, LinearHashFunction, encode_linear
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
    prepared: Prepared, maps: Kernel | Linear, features: Float[Array, "n_all d"]
) -> UInt8[Array, "s cells n_all bytes"]:
    """Codes of all samples under every cell's hash function; the cells of a split share phi(x).

    Args:
        prepared: data splits, stacked.
        maps: of each cell; leaves (splits, cells, ...).
        features: raw features of all samples, (n_all, d).

    Returns:
        Packed codes, (splits, cells, n_all, bytes).
    """

    def of_split(args: tuple[Prepared, Kernel | Linear]) -> UInt8[Array, "cells n_all bytes"]:
        split, cells = args
        mean, scale, basis, unit = split.preprocessing
        if isinstance(cells, Linear):
            linear = LinearHashFunction(mean, scale, *cells, basis, unit)
            by_cell = LinearHashFunction(None, None, 0, 0, None, None)  # type: ignore[arg-type]
            return jax.vmap(encode_linear, in_axes=(by_cell, None))(linear, features)
        kernel = HashFunction(mean, scale, split.anchors, split.bandwidth, *cells, basis, unit)
        by_cell = HashFunction(None, None, None, None, 0, None, None)  # type: ignore[arg-type, assignment]
        return jax.vmap(encode, in_axes=(by_cell, None))(kernel, features)

    return lax.map(of_split, (prepared, maps))


@partial(jax.jit, static_argnames=("bits", "cutoffs", "block"))
def evaluate_cells(
    codes: UInt8[Array, "s cells n_all bytes"],
    class_codes: UInt8[Array, "s cells c bytes"] | None,
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
        class_codes: packed codes of all classes, (splits, cells, c, bytes); None for a method that has none.
        labels: of all samples.
        roles: of samples and classes in each split.
        bits: code length; static.
        cutoffs: the N of precision at N; static.
        block: queries at a time; static.

    Returns:
        Leaves with leading axes (splits, cells).
    """

    def of_split(
        args: tuple[UInt8[Array, "cells n_all b"], UInt8[Array, "cells c b"] | None, Roles],
    ) -> Scores:
        cells, classes, role = args

        def of_cell(args: tuple[UInt8[Array, "n_all b"], UInt8[Array, "c b"] | None]) -> Scores:
            code, class_code = args
            query = (code[role.queries], labels[role.queries])
            database = (code[role.database], labels[role.database])
            images = evaluate_queries(*query, *database, bits=bits, cutoffs=cutoffs, block=block)
            by_name = jnp.full((), jnp.nan, images.mean_average_precision.dtype)
            if class_code is not None:
                class_labels = (
                    jnp.arange(len(class_code)) if labels.ndim == 1 else jnp.eye(len(class_code), dtype=bool)
                )
                names = evaluate_queries(class_code, class_labels, *database, bits=bits, block=block)
                by_name = jnp.where(role.unseen, names.mean_average_precision, 0).sum() / role.unseen.sum()
            return Scores(jax.tree.map(lambda values: values.mean(0), images), by_name)

        return lax.map(of_cell, (cells, classes))

    return lax.map(of_split, (codes, class_codes, roles))
