"""Encoding in blocks, and evaluation by a sort of the database for each query."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt8, UInt64

from benchmarks.reference import features as plain


class Encoder(NamedTuple):
    """A hash function: mean and scale of the features, anchors, bandwidth, and a projection a code length."""

    mean: Float[np.ndarray, " d"]
    scale: Float[np.ndarray, " d"]
    anchors: Float[np.ndarray, "k d"]
    bandwidth: float
    projections: Sequence[Float[np.ndarray, "m l"]]


def encode(encoder: Encoder, x: Float[np.ndarray, "n d"]) -> list[UInt8[np.ndarray, "n bytes"]]:
    """Packed codes of raw features at each code length; Phi is computed once."""
    packed: list[list[np.ndarray]] = [[] for _ in encoder.projections]
    for start in range(0, len(x), plain.ROWS):
        rows = (x[start : start + plain.ROWS] - encoder.mean) / encoder.scale
        phi = plain.rbf(rows, encoder.anchors, encoder.bandwidth)
        for parts, projection in zip(packed, encoder.projections, strict=True):
            parts.append(np.packbits(phi @ projection > 0, axis=1))
    return [np.concatenate(parts) for parts in packed]


def average_precisions(
    queries: UInt8[np.ndarray, "q bytes"],
    query_labels: Int[np.ndarray, " q"],
    database: UInt8[np.ndarray, "n bytes"],
    database_labels: Int[np.ndarray, " n"],
    *,
    dtype: type[np.floating] = np.float64,
) -> Float[np.ndarray, " q"]:
    """Average precision of each query for a stable sort: equal distances stay in database order.

    If the relevant items are stored last, this is the worst order of ties.

    Args:
        queries: packed codes.
        query_labels: class of each query.
        database: packed codes.
        database_labels: class of each item.
        dtype: of the precisions.

    Returns:
        One value a query.
    """
    asked, stored = _words(queries), np.ascontiguousarray(_words(database).T)
    ranks = np.arange(1, len(database) + 1, dtype=dtype)
    found = np.empty(len(queries), dtype)
    for query, (code, label) in enumerate(zip(asked, query_labels, strict=True)):
        distances = np.zeros(len(database), np.uint8)
        for word, other in zip(code, stored, strict=True):
            distances += np.bitwise_count(other ^ word)
        order = np.argsort(distances, kind="stable")  # of bytes: a radix sort
        relevant = database_labels[order] == label
        precision = np.cumsum(relevant, dtype=dtype) / ranks
        found[query] = precision[relevant].mean()
    return found


def _words(packed: UInt8[np.ndarray, "n bytes"]) -> UInt64[np.ndarray, "n words"]:
    padded = np.pad(packed, ((0, 0), (0, -packed.shape[1] % 8)))
    return np.ascontiguousarray(padded).view(np.uint64)
