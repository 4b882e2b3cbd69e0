"""Prepare a data split whose training samples are read in blocks; see `zsh_jax.training.prepare`."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from zsh_jax.core.blocks.products import products_in_blocks
from zsh_jax.core.blocks.statistics import choose_bandwidth_in_blocks, fit_preprocessing_in_blocks
from zsh_jax.core.blocks.stream import BLOCK, Mapped, Stream
from zsh_jax.core.feature_maps import RBF
from zsh_jax.core.kernel import draw_anchor_rows
from zsh_jax.core.preprocessing import Preprocessing, apply_preprocessing
from zsh_jax.core.semantic_basis import semantic_basis
from zsh_jax.data.semantics.targets import semantic_targets
from zsh_jax.methods.protocol import Reads, TrainingData
from zsh_jax.training.prepare import Preparation, Prepared
from zsh_jax.training.streams import Streams


class Supervision(NamedTuple):
    """The supervision of the training samples, each different target once.

    Attributes:
        targets: the different rows of Y: the class vectors; with several labels a sample, one row a set of labels.
        target: which of them each training sample has.
        vectors: of all classes.
        used: whether a class has training samples.
    """

    targets: Float[Array, "u e"]
    target: Int[Array, " n"]
    vectors: Float[Array, "c e"]
    used: Bool[Array, " c"]


def supervision(
    labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"], vectors: Float[np.ndarray, "c e"]
) -> Supervision:
    """The supervision of training samples, in JAX's current precision.

    Args:
        labels: class indices, or multi-hot rows.
        vectors: class vectors S, rows of unit length.

    Returns:
        The supervision.

    Raises:
        InputError: as `semantic_targets`.
    """
    classes = len(vectors)
    if labels.ndim == 1:
        sets, which = np.arange(classes), labels
        used = np.isin(sets, labels)
    else:
        packed, which = np.unique(np.packbits(labels, axis=1), axis=0, return_inverse=True)
        sets = np.unpackbits(packed, axis=1, count=classes).astype(bool)
        used = np.asarray(sets.any(0))
    dtype = jnp.result_type(float)
    return Supervision(
        jnp.asarray(semantic_targets(sets, vectors), dtype),
        jnp.asarray(which.reshape(-1), jnp.int32),
        jnp.asarray(vectors, dtype),
        jnp.asarray(used),
    )


def _call(function: Any, *args: Any, **static: Any) -> Any:
    return function(*args, **static)


def prepare_in_blocks(
    features: Float[Array, "n_all d"],
    rows: Int[Array, " n"],
    taught: Supervision,
    keys: Streams,
    bandwidth_scale: Float[Array, ""] | float,
    *,
    how: Preparation,
    reads: frozenset[Reads],
    block: int = BLOCK,
    call: Callable[..., Any] = _call,
) -> tuple[Prepared, Stream]:
    """Compute what the cells of one data split share, without an array of samples by features.

    Args:
        features: raw features of all samples of the data set, (n_all, d); read where they are.
        rows: of the training samples.
        taught: their supervision.
        keys: of the split's seed.
        bandwidth_scale: sigma^2 in multiples of the published rule.
        how: preparation; the graph is the anchor graph.
        reads: inputs of the method.
        block: samples of a block.
        call: calls a jitted function with arguments, and static ones by keyword.

    Returns:
        The prepared split, without arrays of samples, and the training samples.
    """
    stream = Stream(features, rows, taught.targets, taught.target)
    dimensions = how.pca_dimensions if how.preprocessing == "pca" else 0
    fitted = call(
        fit_preprocessing_in_blocks,
        stream,
        kind=how.preprocessing,
        dimensions=dimensions or None,
        block=block,
    )
    anchors = call(_draw, stream, fitted, keys, count=how.anchors)
    published = call(choose_bandwidth_in_blocks, stream, fitted, anchors, block=block)
    rbf = RBF(anchors, bandwidth_scale * published)
    nearest = how.graph.neighbours if Reads.GRAPH in reads else 0
    products = call(products_in_blocks, Mapped(stream, fitted, rbf), nearest=nearest, block=block)
    data = TrainingData(
        gram=products.gram,
        locality=products.locality,
        semantic_locality=products.semantic_locality,
        basis=semantic_basis(taught.vectors, taught.used),
    )
    return Prepared(data, taught.vectors, fitted, rbf, keys.start), stream


@partial(jax.jit, static_argnames="count")
def _draw(stream: Stream, preprocessing: Preprocessing, keys: Streams, *, count: int) -> Float[Array, "k p"]:
    """The anchors that `prepare` draws."""
    chosen = draw_anchor_rows(keys.anchors, samples=stream.samples, count=count)
    return apply_preprocessing(preprocessing, stream.features[stream.rows[chosen]])
