"""The sizes of the benchmarks."""

from typing import NamedTuple


class Sizes(NamedTuple):
    """Sizes of the rows; by default those of the CIFAR-10 protocol.

    Attributes:
        features: d, values of a feature vector.
        classes: c.
        semantics: e, values of a class vector.
        samples: n, training samples.
        anchors: RBF anchors; m is one more.
        neighbours: of each sample in the kNN graph.
        bits: l, code length of the training rows.
        lengths: code lengths of encoding and evaluation.
        seeds: of the row of many cells.
        alphas: of the row of many cells.
        queries: of the evaluation.
        database: of the evaluation; queries and database are encoded.
        passes: limit of iterations.
        timed_cells: cells that the NumPy loop is timed on, at most; its time is scaled to all of them.
    """

    features: int = 1024
    classes: int = 10
    semantics: int = 300
    samples: int = 10_000
    anchors: int = 1000
    neighbours: int = 10
    bits: int = 64
    lengths: tuple[int, ...] = (16, 32, 64, 128)
    seeds: int = 8
    alphas: int = 8
    queries: int = 1000
    database: int = 59_000
    passes: int = 10
    timed_cells: int = 8


FULL = Sizes()
SMALL = Sizes(
    features=24,
    semantics=12,
    samples=160,
    anchors=30,
    neighbours=5,
    bits=16,
    lengths=(8, 16),
    seeds=2,
    alphas=2,
    queries=20,
    database=300,
    passes=4,
    timed_cells=2,
)
"""For a quick check of the programs; the times mean nothing."""
