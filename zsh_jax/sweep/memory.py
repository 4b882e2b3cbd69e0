"""How much memory a batch of cells takes, by formula: what batches are cut by before anything is compiled.

What the compiler says of the programs is read later, by `zsh_jax.sweep.engine.footprint`; a test compares the two.
"""

from typing import NamedTuple

import jax.numpy as jnp

from zsh_jax.sweep.axes import BOUNDS, DataSplit, Program
from zsh_jax.sweep.inputs import Inputs

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


def fixed_bytes(sizes: Sizes, split: DataSplit, *, has_locality: bool = True) -> int:
    """What is held whatever the number of cells: the features, and the work space of the largest stage."""
    held = sizes.samples * sizes.features * sizes.item
    preparing = split.training_samples * sizes.features
    if has_locality:  # distances of a block of samples, and the features of their neighbours, twice
        preparing += min(GRAPH_BLOCK, split.training_samples) * (
            3 * split.training_samples + 2 * split.neighbours * sizes.features
        )
    evaluation = 6 * EVALUATION_BLOCK * sizes.samples
    # All features laid out in blocks, and one block preprocessed, with its RBF features.
    block = min(ENCODING_BLOCK, sizes.samples)
    encoding = sizes.samples * sizes.features + block * 2 * (sizes.features + split.anchors)
    return held + max(preparing, evaluation, encoding) * sizes.item


def split_bytes(sizes: Sizes, split: DataSplit, *, has_samples: bool = False) -> int:
    """What one more prepared data split takes: its features Phi while stacked, and its two m x m products."""
    m = split.anchors + 1
    phi = 2 * split.training_samples * m
    samples = 2 * split.training_samples * sizes.features if has_samples else 0
    targets = split.training_samples * sizes.semantics
    return (phi + samples + 3 * m * m + targets + split.anchors * sizes.features) * sizes.item


def cell_bytes(sizes: Sizes, split: DataSplit, program: Program) -> int:
    """What one more cell takes: the solver's arrays of samples by bits, or its codes of all samples."""
    if program.method in BOUNDS:
        return 3 * sizes.samples * sizes.features * sizes.item  # queries and database, again at unit length
    if program.method != "zsh":
        wide = max(sizes.features, split.anchors + 1)
        # A covariance or Gram matrix, its eigenvectors, and two copies.
        fitting = (6 * split.training_samples * program.bits + 4 * wide**2) * sizes.item
        return max(fitting, 2 * sizes.samples * -(-program.bits // 8))
    arrays = 8 if program.codes == "discrete" else 12  # logits, their gradient, and Adam's two moments
    m = split.anchors + 1
    solver = arrays * split.training_samples * program.bits
    solver = (solver + 3 * program.bits * m + 4 * sizes.semantics**2 + m**2) * sizes.item
    solver *= program.restarts
    if program.alpha_growth != 1:
        solver += program.max_iterations * m**2 * sizes.item  # a factor for each iteration
    codes = 2 * sizes.samples * -(-program.bits // 8) + 2 * 1024 * program.bits * sizes.item
    return max(solver, codes)
