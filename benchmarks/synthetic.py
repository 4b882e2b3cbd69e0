"""Synthetic data: Gaussian class clusters from a fixed seed, so that no data set is needed."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt8

from benchmarks.sizes import Sizes

SPREAD = 3.0  # standard deviation within a class, that of the class centres being 1: classes overlap
FLIPPED = 0.25  # share of bits in which a code differs from the code of its class


class Training(NamedTuple):
    """Training samples.

    Attributes:
        features: raw.
        labels: class of each.
        vectors: class vectors, rows of unit length.
    """

    features: Float[np.ndarray, "n d"]
    labels: Int[np.ndarray, " n"]
    vectors: Float[np.ndarray, "c e"]


class Retrieval(NamedTuple):
    """Codes to evaluate. The queries are of the last class, whose database items are stored last.

    Attributes:
        queries: packed codes.
        database: packed codes.
        names: packed code of each class vector.
        query_labels: class of each query.
        database_labels: class of each database item, ascending.
    """

    queries: UInt8[np.ndarray, "q bytes"]
    database: UInt8[np.ndarray, "n bytes"]
    names: UInt8[np.ndarray, "c bytes"]
    query_labels: Int[np.ndarray, " q"]
    database_labels: Int[np.ndarray, " n"]


def training(sizes: Sizes) -> Training:
    """Draw training samples of all classes, in float32."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, sizes.classes, sizes.samples)
    vectors = rng.normal(size=(sizes.classes, sizes.semantics)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Training(_clusters(rng, labels, sizes), labels, vectors)


def samples(sizes: Sizes) -> Float[np.ndarray, "n d"]:
    """Draw the raw features of all samples that are encoded, in float32."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, sizes.classes, sizes.queries + sizes.database)
    return _clusters(rng, labels, sizes)


def retrieval(sizes: Sizes, bits: int) -> Retrieval:
    """Draw codes around a random code of each class."""
    rng = np.random.default_rng(bits)
    centres = rng.integers(0, 2, (sizes.classes, bits), dtype=np.uint8)

    def near(labels: Int[np.ndarray, " n"]) -> UInt8[np.ndarray, "n bytes"]:
        return np.packbits(centres[labels] ^ (rng.random((len(labels), bits)) < FLIPPED), axis=1)

    asked = np.full(sizes.queries, sizes.classes - 1)
    stored = np.sort(rng.integers(0, sizes.classes, sizes.database))
    return Retrieval(near(asked), near(stored), np.packbits(centres, axis=1), asked, stored)


def _clusters(
    rng: np.random.Generator, labels: Int[np.ndarray, " n"], sizes: Sizes
) -> Float[np.ndarray, "n d"]:
    centres = np.random.default_rng(2).normal(size=(sizes.classes, sizes.features)).astype(np.float32)
    noise = rng.standard_normal((len(labels), sizes.features), dtype=np.float32)
    return centres[labels] + np.float32(SPREAD) * noise
