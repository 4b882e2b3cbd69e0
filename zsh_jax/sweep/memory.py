"""Formulas for the memory of a batch of cells, used to cut batches before anything is compiled.

`zsh_jax.sweep.engine.footprint` later reads the memory of the compiled programs; a test compares the two.
"""

from typing import NamedTuple

import jax.numpy as jnp

from zsh_jax.core.blocks.stream import BLOCK
from zsh_jax.core.random_signs import CHUNK
from zsh_jax.inputs.load import Inputs
from zsh_jax.methods.protocol import Reads, Shapes
from zsh_jax.sweep.axes import DataSplit, Program
from zsh_jax.sweep.searches import NO_OTHERS, SEARCHES, Searching

EVALUATION_ARRAYS = 48  # of one number a sample
WHOLE_ARRAYS = 8  # of one number a sample, of labels and indices, which do not lie over devices
SEARCH_ARRAYS = 200  # of one number a sample, of a search that sorts: a block of queries has several
EVALUATION_NUMBERS = 2000  # of a query: its weights in the resamples, and its metrics
ENCODING_BLOCK = 1024  # of `encode`
GRAPH_BLOCK = 512  # of `knn_graph`


class Sizes(NamedTuple):
    """Sizes of the data.

    Attributes:
        samples: number of samples of the data set.
        features: length d of a feature vector.
        semantics: length e of a semantic vector.
        item: bytes of a floating-point number.
        devices: over which samples lie; all formulas are of one of them.
        searches: beside the one by Hamming distance.
    """

    samples: int
    features: int
    semantics: int
    item: int = 4
    devices: int = 1
    searches: tuple[str, ...] = ()

    def here(self, samples: int) -> int:
        """Samples of one device."""
        return -(-samples // self.devices)


def sizes_of(inputs: Inputs, devices: int = 1, searching: Searching = NO_OTHERS) -> dict[str, Sizes]:
    """The sizes of a sweep's data for each kind of semantics, in JAX's current precision.

    Args:
        inputs: of the sweep.
        devices: over which samples lie.
        searching: searches beside Hamming distance.

    Returns:
        Sizes by the name of the semantics.
    """
    item = jnp.dtype(jnp.result_type(float)).itemsize
    samples, features = inputs.features.shape
    return {
        kind: Sizes(samples, features, found.vectors.shape[1], item, devices, searching.names)
        for kind, found in inputs.semantics.items()
    }


def fixed_bytes(sizes: Sizes, split: DataSplit, reads: frozenset[Reads]) -> int:
    """Bytes that do not depend on the number of cells: the features, and the work space of the largest stage."""
    here, n = sizes.here(sizes.samples), sizes.here(split.training_samples)
    held = here * sizes.features * sizes.item
    preparing = n * sizes.features
    if Reads.GRAPH in reads:  # distances of a block of samples, and twice the features of their neighbours
        preparing += min(GRAPH_BLOCK, n) * (3 * n + 2 * split.neighbours * sizes.features)
    evaluation = _evaluation_floats(sizes, split)
    if sizes.devices > 1:
        evaluation += WHOLE_ARRAYS * sizes.samples
    # One block of features, preprocessed, with its RBF features.
    encoding = min(ENCODING_BLOCK, here) * 2 * (sizes.features + split.anchors)
    return held + max(preparing, evaluation, encoding) * sizes.item


def split_bytes(sizes: Sizes, split: DataSplit, reads: frozenset[Reads], *, holds_phi: bool = False) -> int:
    """Bytes of one more prepared data split: its stacked features Phi and its two m x m products.

    Args:
        sizes: of the data.
        split: the data split.
        reads: inputs that the methods on it read.
        holds_phi: whether the RBF features of all samples are held too.

    Returns:
        Bytes.
    """
    m, n = split.anchors + 1, sizes.here(split.training_samples)
    floats = n * sizes.semantics
    if Reads.FEATURES in reads:
        floats += 2 * n * sizes.features
    if reads & {Reads.RBF, Reads.GRAPH}:
        floats += 2 * n * m + 3 * m * m + split.anchors * sizes.features
    return floats * sizes.item + (phi_bytes(sizes, split) if holds_phi else 0)


def phi_bytes(sizes: Sizes, split: DataSplit) -> int:
    """Bytes of the RBF features of all samples."""
    return sizes.here(sizes.samples) * (split.anchors + 1) * sizes.item


def cell_bytes(sizes: Sizes, split: DataSplit, program: Program) -> int:
    """Bytes of one more cell: the arrays of its method during the fit, or its codes of all samples."""
    fitting = program.of.floats(_shapes(sizes, split, program), program.options) * sizes.item
    codes = (
        2 * sizes.here(sizes.samples) * -(-program.bits // 8) + 2 * ENCODING_BLOCK * program.bits * sizes.item
    )
    return max(fitting, codes)


def once_bytes(sizes: Sizes, split: DataSplit, program: Program) -> int:
    """Bytes of the cell that a fit or a search is working on, if it takes one after the other."""
    fitting = program.of.floats_once(_shapes(sizes, split, program), program.options)
    signs = sizes.here(sizes.samples) * program.bits if sizes.searches else 0
    return max(fitting, signs) * sizes.item


def in_blocks_bytes(sizes: Sizes, split: DataSplit, program: Program) -> int:
    """Bytes of one cell that trains in blocks of samples: no term has samples times anchors.

    Args:
        sizes: of the data.
        split: the data split.
        program: of the cell.

    Returns:
        Bytes: of the features; two indices and the code of each sample; and of the largest stage: training (a block and
        products of anchors), the draw of the start, encoding, or evaluation.
    """
    m, bits, n = split.anchors + 1, program.bits, split.training_samples
    training = min(BLOCK, n) * (2 * sizes.features + 3 * m + 4 * bits)
    training += 6 * m * m + 8 * m * bits + 3 * split.anchors * sizes.features + 4 * sizes.semantics**2
    drawing = min(CHUNK, n) * bits * 24  # bytes, in either precision
    evaluation = _evaluation_floats(sizes, split)
    encoding = min(ENCODING_BLOCK, sizes.samples) * 2 * (sizes.features + split.anchors)
    code = -(-bits // 8)
    held = sizes.samples * sizes.features * sizes.item + n * (8 + 2 * code)
    largest = max(training, evaluation, encoding) * sizes.item
    return held + max(largest, drawing) + 2 * sizes.samples * code


def fewer_searches(sizes: Sizes) -> str:
    """How a cell that does not fit the memory could be evaluated with less, for the end of a message."""
    return ", or take searches out of --config.evaluation.search" if sizes.searches else ""


def _evaluation_floats(sizes: Sizes, split: DataSplit) -> int:
    """Numbers that the evaluation holds, whatever the number of cells."""
    here, queries = sizes.here(sizes.samples), EVALUATION_NUMBERS * split.queries
    if not sizes.searches:
        return EVALUATION_ARRAYS * here + queries
    copies = sum(SEARCHES[name].copies for name in sizes.searches)
    return (SEARCH_ARRAYS + copies * sizes.features) * here + queries


def _shapes(sizes: Sizes, split: DataSplit, program: Program) -> Shapes:
    rbf = split.anchors + 1 if program.of.reads & {Reads.RBF, Reads.GRAPH} else 0
    n, everything = sizes.here(split.training_samples), sizes.here(sizes.samples)
    return Shapes(n, sizes.features, rbf, sizes.semantics, everything, program.bits)
