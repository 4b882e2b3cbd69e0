"""How much memory a batch of cells takes, by formula: what batches are cut by before anything is compiled.

What the compiler says of the programs is read later, by `zsh_jax.sweep.engine.footprint`; a test compares the two.
"""

from typing import NamedTuple

import jax.numpy as jnp

from zsh_jax.inputs.load import Inputs
from zsh_jax.methods.protocol import Reads, Shapes
from zsh_jax.sweep.axes import DataSplit, Program

EVALUATION_BLOCK = 16
ENCODING_BLOCK = 1024  # of `encode`
GRAPH_BLOCK = 512  # of `knn_graph`


class Sizes(NamedTuple):
    """What the estimate needs to know of the data.

    Attributes:
        samples: all samples of the data set.
        features: length d of a feature vector.
        semantics: length e of a semantic vector.
        item: bytes of a floating-point number.
    """

    samples: int
    features: int
    semantics: int
    item: int = 4


def sizes_of(inputs: Inputs) -> dict[str, Sizes]:
    """The sizes of a sweep's data for each kind of semantics, in the precision that is set."""
    item = jnp.dtype(jnp.result_type(float)).itemsize
    samples, features = inputs.features.shape
    return {
        kind: Sizes(samples, features, found.vectors.shape[1], item)
        for kind, found in inputs.semantics.items()
    }


def fixed_bytes(sizes: Sizes, split: DataSplit, reads: frozenset[Reads]) -> int:
    """What is held whatever the number of cells: the features, and the work space of the largest stage."""
    held = sizes.samples * sizes.features * sizes.item
    preparing = split.training_samples * sizes.features
    if Reads.GRAPH in reads:  # distances of a block of samples, and the features of their neighbours, twice
        preparing += min(GRAPH_BLOCK, split.training_samples) * (
            3 * split.training_samples + 2 * split.neighbours * sizes.features
        )
    evaluation = 6 * EVALUATION_BLOCK * sizes.samples
    # All features laid out in blocks, and one block preprocessed, with its RBF features.
    block = min(ENCODING_BLOCK, sizes.samples)
    encoding = sizes.samples * sizes.features + block * 2 * (sizes.features + split.anchors)
    return held + max(preparing, evaluation, encoding) * sizes.item


def split_bytes(sizes: Sizes, split: DataSplit, reads: frozenset[Reads]) -> int:
    """What one more prepared data split takes: its features Phi while stacked, and its two m x m products."""
    m, n = split.anchors + 1, split.training_samples
    floats = n * sizes.semantics
    if Reads.FEATURES in reads:
        floats += 2 * n * sizes.features
    if reads & {Reads.RBF, Reads.GRAPH}:
        floats += 2 * n * m + 3 * m * m + split.anchors * sizes.features
    return floats * sizes.item


def cell_bytes(sizes: Sizes, split: DataSplit, program: Program) -> int:
    """What one more cell takes: what its method holds while it is fitted, or its codes of all samples."""
    rbf = split.anchors + 1 if program.of.reads & {Reads.RBF, Reads.GRAPH} else 0
    shapes = Shapes(split.training_samples, sizes.features, rbf, sizes.semantics, sizes.samples, program.bits)
    fitting = program.of.floats(shapes, program.options) * sizes.item
    codes = 2 * sizes.samples * -(-program.bits // 8) + 2 * ENCODING_BLOCK * program.bits * sizes.item
    return max(fitting, codes)
