"""The training samples as blocks, and sums over the blocks."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from zsh_jax.core.feature_maps import RBF
from zsh_jax.core.preprocessing import Preprocessing, apply_preprocessing

Sum = TypeVar("Sum")
BLOCK = 2048
"""Samples of a block."""


class Stream(NamedTuple):
    """The training samples of a data split, where they are: nothing of them is copied.

    Attributes:
        features: raw features of all samples of the data set.
        rows: of the training samples among them.
        targets: the distinct rows of Y: of each class, or of each set of labels.
        target: which of them each training sample has.
    """

    features: Float[Array, "n_all d"]
    rows: Int[Array, " n"]
    targets: Float[Array, "u e"]
    target: Int[Array, " n"]

    @property
    def samples(self) -> int:
        """Number of training samples n."""
        return self.rows.shape[0]


class Mapped(NamedTuple):
    """Training samples, and the map from their raw features to Phi."""

    stream: Stream
    preprocessing: Preprocessing
    rbf: RBF


class Block(NamedTuple):
    """A block of training samples. All blocks have one size: the last one overlaps the one before.

    Attributes:
        places: of its samples among the training samples; consecutive.
        new: whether a sample is in no earlier block.
    """

    places: Int[Array, " b"]
    new: Bool[Array, " b"]


def blocks_of(samples: int, block: int) -> int:
    """Number of blocks."""
    return -(-samples // min(block, samples))


def block_at(index: Int[Array, ""] | int, samples: int, block: int) -> Block:
    """The block of an index.

    Args:
        index: from 0 to `blocks_of(samples, block) - 1`.
        samples: n.
        block: samples of a block; static.

    Returns:
        The block, of min(block, n) samples.
    """
    size = min(block, samples)
    first = jnp.asarray(index, jnp.int32) * size
    places = jnp.minimum(first, samples - size) + jnp.arange(size, dtype=jnp.int32)
    return Block(places, places >= first)


def features_of(stream: Stream, block: Block) -> Float[Array, "b d"]:
    """Raw features of the samples of a block."""
    rows = stream.rows.at[block.places].get(mode="promise_in_bounds")
    return stream.features.at[rows].get(mode="promise_in_bounds")


def phi_of(mapped: Mapped, block: Block) -> Float[Array, "b m"]:
    """RBF features of the samples of a block."""
    return mapped.rbf(apply_preprocessing(mapped.preprocessing, features_of(mapped.stream, block)))


def targets_of(stream: Stream, block: Block, targets: Float[Array, "u e"]) -> Float[Array, "b e"]:
    """Semantic targets of the samples of a block, among the distinct targets, in any basis."""
    which = stream.target.at[block.places].get(mode="promise_in_bounds")
    return targets.at[which].get(mode="promise_in_bounds")


def only_new(block: Block, rows: Float[Array, "b k"]) -> Float[Array, "b k"]:
    """The rows of a block; zero for samples of an earlier block, so that a sum counts each sample once."""
    return jnp.where(block.new[:, None], rows, 0)


def sum_of_blocks(of_block: Callable[[Block], Sum], samples: int, block: int) -> Sum:
    """Sum arrays over blocks.

    Args:
        of_block: from a block to a pytree of arrays, the same shapes for each.
        samples: n.
        block: samples of a block; static.

    Returns:
        The sums.
    """

    def add(index: Int[Array, ""], total: Sum) -> Sum:
        summed: Sum = jax.tree.map(jnp.add, total, of_block(block_at(index, samples, block)))
        return summed

    shapes = jax.eval_shape(lambda: of_block(block_at(0, samples, block)))
    zero = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
    total: Sum = lax.fori_loop(0, blocks_of(samples, block), add, zero)
    return total
