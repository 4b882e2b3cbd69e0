"""GreedyHash: a linear classifier reads the signs themselves; their gradient goes straight through.

Su, Zhang, Han & Tian, "Greedy Hash: towards fast optimization for accurate hash coding in CNN", NeurIPS 2018:

    cross-entropy(V' b, y) + alpha mean ||u| - 1|^3,   b = sign(u),   with db/du taken as 1.

The penalty is |u - sign(u)|^3 of the paper. For samples with several labels, which the paper does not have, the target
of the cross-entropy is shared equally by them.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, PRNGKeyArray

from zsh_jax.core.heads import MLP, Linear
from zsh_jax.core.minibatches import Moment, Rates, minimise
from zsh_jax.core.packing import signs
from zsh_jax.core.precision import full_precision
from zsh_jax.methods.class_entropy import class_cross_entropy, seen_classes
from zsh_jax.methods.learned import QUANTISED, START, Options, head_floats, start_head, training_floats
from zsh_jax.methods.protocol import Fitted, Method, Reads, TrainingData


class Weights(NamedTuple):
    """Weights of the method.

    Attributes:
        learning_rate: of the first step.
        weight_decay: see `Rates`.
        quantisation: alpha; the paper's value for CIFAR-10 is 0.1.
    """

    learning_rate: Float[Array, "*sweep"] | float = 1e-2
    weight_decay: Float[Array, "*sweep"] | float = 1.0
    quantisation: Float[Array, "*sweep"] | float = 0.1


class Network(NamedTuple):
    """The head, and the classifier of its codes, which training alone needs.

    Attributes:
        head: the hash function.
        classifier: V.
    """

    head: Linear | MLP
    classifier: Float[Array, "l c"]


def straight_through(u: Float[Array, "b l"]) -> Float[Array, "b l"]:
    """sign(u), with the gradient of u."""
    return signs(u) + (u - lax.stop_gradient(u))


def loss(network: Network, batch: Any, shared: Any, moment: Moment) -> Float[Array, ""]:
    """The loss of a batch.

    Args:
        network: head and classifier.
        batch: features (b, p) and multi-hot labels (b, c).
        shared: weights of the method, and which classes have samples.
        moment: not read.

    Returns:
        The mean cross-entropy plus alpha times the mean of ||u| - 1|^3.
    """
    del moment
    (x, classes), (weights, seen) = batch, shared
    u = network.head(x)
    entropy = class_cross_entropy(straight_through(u) @ network.classifier, classes, seen)
    return entropy + weights.quantisation * jnp.mean(jnp.abs(jnp.abs(u) - 1) ** 3)


@partial(jax.jit, static_argnames=("options", "bits"))
@full_precision
def fit(key: PRNGKeyArray, data: TrainingData, weights: Weights, options: Options, *, bits: int) -> Fitted:
    """Train a head and a classifier of its signs.

    Args:
        key: of the start and the batches.
        data: features and labels are read.
        weights: of the method.
        options: static.
        bits: code length l; static.

    Returns:
        A linear head (p, l), or one with a hidden layer.
    """
    x, classes = data.x, data.classes
    of_head, of_classifier, of_training = jax.random.split(key, 3)
    start = Network(
        start_head(of_head, x.shape[1], bits=bits, hidden=options.hidden, dtype=x.dtype),
        START * jax.random.normal(of_classifier, (bits, classes.shape[1]), x.dtype),
    )
    end = minimise(
        of_training,
        start,
        (x, classes),
        (weights, seen_classes(classes)),
        Rates(weights.learning_rate, weights.weight_decay),
        loss=loss,
        epochs=options.epochs,
        batch_size=options.batch_size,
    )
    return Fitted(end.head)


METHOD = Method(
    name="greedyhash",
    paper="Su, Zhang, Han & Tian, Greedy Hash: Towards fast optimization for accurate hash coding in CNN, NeurIPS 2018",
    reads=frozenset({Reads.FEATURES, Reads.LABELS}),
    fit=fit,
    weights=Weights,
    options=Options,
    ranges=QUANTISED,
    floats=head_floats,
    floats_once=training_floats,
)
