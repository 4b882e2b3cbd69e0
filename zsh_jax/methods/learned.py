"""What the learned heads share: the form of their hash function, its start, and its training.

Papers on deep hashing train a network from images to real values u, whose signs are the code. Here the features are
given, and the head alone is learned, u = f P + o or with one hidden layer, by the loss of each paper.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float, PRNGKeyArray

from zsh_jax.core.heads import MLP, Linear
from zsh_jax.core.minibatches import Loss, Rates, minimise
from zsh_jax.core.precision import full_precision
from zsh_jax.methods.protocol import Fit, Fitted, Shapes, TrainingData
from zsh_jax.takes import number, whole

START = 0.01
"""Standard deviation of the weights at the start, as in the released code of HashNet and OrthoHash."""


@dataclass(frozen=True)
class Options:
    """Options of a learned head.

    Attributes:
        epochs: passes over the training samples.
        batch_size: samples of a batch.
        hidden: units of the hidden layer; 0 for a linear head.
    """

    epochs: int = 20
    batch_size: int = 128
    hidden: int = 0


RANGES = {
    "weight_decay": number(zero=True),
    "batch_size": whole(2, 100_000),
    "hidden": whole(0, 100_000),
}
"""Accepted values of the weights and options that learned heads have in common."""

QUANTISED = {**RANGES, "quantisation": number(zero=True)}
"""The same, with the weight of a penalty on outputs far from their signs."""


def start_head(
    key: PRNGKeyArray, features: int, *, bits: int, hidden: int, dtype: DTypeLike, offset: bool = True
) -> Linear | MLP:
    """A random head, the start of training.

    Args:
        key: of the draw.
        features: length p of a feature vector.
        bits: code length l.
        hidden: units of the hidden layer; 0 for a linear head.
        dtype: of its arrays.
        offset: whether the l values have an offset; it starts at zero.

    Returns:
        A head of (n, p) features. The weights of a hidden layer have variance 2 / p (He et al., ICCV 2015).
    """
    of_hidden, of_projection = jax.random.split(key)
    projection = START * jax.random.normal(of_projection, (hidden or features, bits), dtype)
    zeros = jnp.zeros(bits, dtype) if offset else None
    if not hidden:
        return Linear(projection, zeros)
    first = jnp.sqrt(jnp.asarray(2 / features, dtype)) * jax.random.normal(
        of_hidden, (features, hidden), dtype
    )
    return MLP(first, jnp.zeros(hidden, dtype), projection, zeros)


def train_head(
    key: PRNGKeyArray, x: Float[Array, "n p"], rows: Any, shared: Any, *, loss: Loss, options: Any, bits: int
) -> Linear | MLP:
    """Draw a head and train it by a loss of its outputs alone.

    Args:
        key: of the start, the batches and the draws of the loss.
        x: preprocessed features of the training samples, (n, p).
        rows: what the loss reads of each sample, a pytree of arrays with n rows.
        shared: what it reads in all batches; a `NamedTuple` with the rates of the optimiser among its fields.
        loss: of (outputs u, rows, shared, moment).
        options: with `epochs`, `batch_size` and `hidden`; static.
        bits: code length l; static.

    Returns:
        The trained head.
    """
    of_start, of_training = jax.random.split(key)
    head = start_head(of_start, x.shape[1], bits=bits, hidden=options.hidden, dtype=x.dtype)
    return minimise(
        of_training,
        head,
        (x, rows),
        shared,
        Rates(shared.learning_rate, shared.weight_decay),
        loss=partial(_of_outputs, loss),
        epochs=options.epochs,
        batch_size=options.batch_size,
    )


def fit_by_labels(loss_of: Callable[[Any], Loss]) -> Fit:
    """The fit of a method whose loss reads the labels of the samples of a batch, and nothing else of them.

    Args:
        loss_of: from the options to the loss of (outputs u, multi-hot labels, weights, moment).

    Returns:
        A fit of the method protocol; its head is linear (p, l), or has a hidden layer. Its key is of the start, the
        batches and the draws of the loss.
    """

    @partial(jax.jit, static_argnames=("options", "bits"))
    @full_precision
    def fit(key: PRNGKeyArray, data: TrainingData, weights: Any, options: Any, *, bits: int) -> Fitted:
        loss = loss_of(options)
        return Fitted(train_head(key, data.x, data.classes, weights, loss=loss, options=options, bits=bits))

    return fit


def _of_outputs(loss: Loss, head: Any, batch: Any, shared: Any, moment: Any) -> Float[Array, ""]:
    x, rows = batch
    return loss(head(x), rows, shared, moment)


def head_floats(shapes: Shapes, options: Any) -> int:
    """Numbers of a head."""
    p, bits = shapes.features, shapes.bits
    return options.hidden * (p + 1) + (options.hidden or p) * bits + 2 * bits


def training_floats(shapes: Shapes, options: Any) -> int:
    """Numbers of a training: the head, its gradient, update and two moments, and arrays of a batch."""
    size = min(options.batch_size, shapes.samples)
    batch = size * (shapes.features + 4 * options.hidden + 6 * shapes.bits) + 4 * size**2
    return 5 * head_floats(shapes, options) + batch + 3 * shapes.samples
