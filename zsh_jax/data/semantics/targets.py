"""Class vectors that need no file, and the semantic target of each sample."""

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from zsh_jax.errors import InputError


def attribute_vectors(attributes: Float[np.ndarray, "c a"], *, where: str = "") -> Float32[np.ndarray, "c a"]:
    """Class vectors from class attributes.

    Args:
        attributes: one row a class, any real numbers.
        where: their source, placed before an error message.

    Returns:
        The rows at unit length.

    Raises:
        InputError: a row is zero or not finite.
    """
    rows = np.asarray(attributes, np.float64)
    damaged = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if damaged.size:
        raise InputError(
            f"{where}attributes of {damaged.size} of {len(rows)} classes are not finite (first: class {damaged[0]}); "
            "fix: correct the table"
        )
    return _unit_rows(rows, f"{where}attributes of class", "give each class at least one attribute")


def one_hot(classes: int) -> Float32[np.ndarray, "c c"]:
    """Class vectors without meaning: the identity matrix."""
    if classes < 1:
        raise InputError(f"one-hot semantics need at least 1 class; got {classes}")
    return np.eye(classes, dtype=np.float32)


def semantic_targets(
    labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"], vectors: Float[np.ndarray, "c e"]
) -> Float32[np.ndarray, "n e"]:
    """The target of each sample, Y: the vector of its class; for several labels their mean, at unit length.

    Args:
        labels: class indices, or multi-hot rows.
        vectors: class vectors S, rows of unit length.

    Returns:
        One unit row a sample.

    Raises:
        InputError: a label is out of range, a sample has no label, or the vectors of its labels cancel out.
    """
    if labels.ndim == 1:
        outside = np.flatnonzero((labels < 0) | (labels >= len(vectors)))
        if outside.size:
            raise InputError(
                f"{outside.size} of {len(labels)} labels are out of range (first: row {outside[0]}, label "
                f"{labels[outside[0]]}); class vectors exist for classes 0 to {len(vectors) - 1}"
            )
        return np.asarray(vectors, np.float32)[labels]
    if labels.shape[1] != len(vectors):
        raise InputError(f"labels have {labels.shape[1]} columns and there are {len(vectors)} class vectors")
    bare = np.flatnonzero(~labels.any(axis=1))
    if bare.size:
        raise InputError(
            f"{bare.size} of {len(labels)} samples have no label (first: row {bare[0]}) and so no target; "
            "fix: leave them out"
        )
    sums = labels.astype(np.float64) @ np.asarray(
        vectors, np.float64
    )  # a sum suffices: rows are normalised next
    return _unit_rows(sums, "class vectors cancel out in row", "use other semantics")


def _unit_rows(rows: Float[np.ndarray, "n e"], what: str, fix: str) -> Float32[np.ndarray, "n e"]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    # Vectors that cancel leave only rounding errors, whose direction means nothing.
    zero = np.flatnonzero(lengths[:, 0] <= 1e-6 * max(1e-30, float(lengths.max(initial=0.0))))
    if zero.size:
        raise InputError(f"{what} {zero[0]} (and {zero.size - 1} others) are zero; fix: {fix}")
    return (rows / lengths).astype(np.float32)
