"""The classes among the nearest images of queries: which classes codes confuse."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from zsh_jax.core.packing import hamming_distances

BLOCK = 64  # queries at a time: distances to the whole database are in memory


def class_shares(
    queries: UInt8[np.ndarray, "q bytes"],
    of: Bool[np.ndarray, "q r"],
    database: UInt8[np.ndarray, "n bytes"],
    labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"],
    *,
    classes: int,
    nearest: int,
) -> Float[np.ndarray, "r c"]:
    """Share of the nearest images of the queries of a class that have each class.

    Images at equal distance count alike: the share is the mean over all their orders.

    Args:
        queries: packed codes.
        of: whether each query has each of r classes.
        database: packed codes.
        labels: class of each image, or whether it has each class.
        classes: number of classes c.
        nearest: number of images that count for each query; all if the database has fewer.

    Returns:
        Means over the queries of a class; NaN for a class without queries. A row sums to one where each image has one
        class.
    """
    found = np.zeros((len(queries), classes))
    distances = jax.jit(hamming_distances)
    codes = jnp.asarray(database)
    for start in range(0, len(queries), BLOCK):
        block = np.asarray(distances(jnp.asarray(queries[start : start + BLOCK]), codes))
        for place, row in enumerate(block):
            found[start + place] = _shares(row, labels, classes, min(nearest, len(database)))
    with np.errstate(invalid="ignore"):
        return (of.T.astype(float) @ found) / of.sum(0)[:, None]


def _shares(
    distances: Int[np.ndarray, " n"],
    labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"],
    classes: int,
    nearest: int,
) -> Float[np.ndarray, " c"]:
    counts = np.bincount(distances)
    before = np.cumsum(counts) - counts
    # An image of the distance that straddles the last place counts by the chance that it stands within.
    weights = np.clip((nearest - before) / np.maximum(counts, 1), 0, 1)
    near = np.flatnonzero(weights[distances])
    each = weights[distances[near]] / nearest
    if labels.ndim == 1:
        return np.bincount(labels[near], each, classes)
    return each @ labels[near]


def evenly(of: Bool[np.ndarray, "q r"], most: int) -> Int[np.ndarray, " k"]:
    """The first `most` rows of each class, each row once, in their order."""
    first = [np.flatnonzero(column)[:most] for column in of.T]
    return np.unique(np.concatenate([*first, np.zeros(0, int)])).astype(int)


def members(
    labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"], classes: Sequence[int]
) -> Bool[np.ndarray, "n r"]:
    """Whether each image has each of some classes."""
    return labels[:, list(classes)] if labels.ndim == 2 else labels[:, None] == np.array(classes, int)
