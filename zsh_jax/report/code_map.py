"""Codes in two dimensions, by principal component analysis."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt8


class CodeMap(NamedTuple):
    """Codes along their two leading principal directions, or as t-SNE lays them out.

    Attributes:
        points: a row for each distinct code of a class.
        classes: class of each.
        counts: number of images of the class that have this code.
        explained: share of the variance along each of the two directions; 0 for t-SNE.
    """

    points: Float[np.ndarray, "p 2"]
    classes: Int[np.ndarray, " p"]
    counts: Int[np.ndarray, " p"]
    explained: Float[np.ndarray, " 2"]


class DistinctCodes(NamedTuple):
    """The distinct codes of each class, packed, and how many images of the class have each."""

    codes: UInt8[np.ndarray, "p bytes"]
    classes: Int[np.ndarray, " p"]
    counts: Int[np.ndarray, " p"]


def distinct_codes(codes: UInt8[np.ndarray, "n bytes"], classes: Int[np.ndarray, " n"]) -> DistinctCodes:
    """Find equal codes of one class; in the order of classes, then of codes."""
    rows, counts = np.unique(np.column_stack([classes, codes.astype(np.int64)]), axis=0, return_counts=True)
    return DistinctCodes(rows[:, 1:].astype(np.uint8), rows[:, 0], counts)


def code_map(codes: UInt8[np.ndarray, "n bytes"], classes: Int[np.ndarray, " n"], bits: int) -> CodeMap:
    """Project codes, as vectors of -1 and +1, on their two leading principal directions.

    Args:
        codes: packed.
        classes: class of each.
        bits: code length.

    Returns:
        The map. The sign of a direction is such that its largest entry is positive.
    """
    distinct, kinds, counts = distinct_codes(codes, classes)
    signs = 2.0 * np.unpackbits(distinct, axis=1, count=bits) - 1
    centred = signs - np.average(signs, axis=0, weights=counts)
    values, directions = np.linalg.eigh((centred * counts[:, None]).T @ centred / counts.sum())
    leading = directions[:, : -min(2, bits) - 1 : -1]
    leading = leading * np.sign(leading[np.abs(leading).argmax(0), np.arange(leading.shape[1])])
    points, explained = np.zeros((len(counts), 2)), np.zeros(2)  # a code of one bit has one direction
    points[:, : leading.shape[1]] = centred @ leading
    if values.sum() > 0:
        explained[: leading.shape[1]] = values[::-1][:2] / values.sum()
    return CodeMap(points, kinds, counts, explained)
