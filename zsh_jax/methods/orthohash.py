"""OrthoHash: one loss, the cosine of the outputs with binary orthogonal centres.

Hoe, Ng, Zhang, Chan, Song & Xiang, "One loss for all: deep hashing with a single cosine similarity based learning
objective", NeurIPS 2021. With batch-normalised outputs u, centres c_k and labels y, the cross-entropy of

    s (cos(u, c_k) - m y_k)

to y; several labels share it equally, as in the paper (label smoothing). Batch normalisation balances the bits. In the
hash function it uses the mean and variance of all training samples in place of running averages, and is folded into the
head, which stays linear or a perceptron.

`zsh_jax.methods.centres` has the centres, orthogonal where a Hadamard matrix exists, and the semantic ones.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from zsh_jax.core.heads import MLP, Linear
from zsh_jax.core.minibatches import Moment, Rates, minimise
from zsh_jax.core.one_by_one import one_by_one_on_cpu
from zsh_jax.core.precision import full_precision
from zsh_jax.methods.centres import Options, class_centres, without_class_vectors
from zsh_jax.methods.class_entropy import class_cross_entropy, seen_classes
from zsh_jax.methods.learned import RANGES, head_floats, start_head, training_floats
from zsh_jax.methods.protocol import Fitted, Method, Reads, Shapes, TrainingData
from zsh_jax.takes import number

EPSILON = 1e-5
"""Added to the variance in batch normalisation (Ioffe & Szegedy, ICML 2015)."""


class Weights(NamedTuple):
    """Weights of the method.

    Attributes:
        learning_rate: of the first step.
        weight_decay: see `Rates`.
        scale: s; the released code has 8.
        margin: m; the released code has 0.2.
    """

    learning_rate: Float[Array, "*sweep"] | float = 1e-2
    weight_decay: Float[Array, "*sweep"] | float = 1.0
    scale: Float[Array, "*sweep"] | float = 8.0
    margin: Float[Array, "*sweep"] | float = 0.2


class Network(NamedTuple):
    """A head and the batch normalisation of its outputs.

    Attributes:
        head: without an offset, which the normalisation would subtract again.
        gain: of each normalised output.
        shift: added to it.
    """

    head: Linear | MLP
    gain: Float[Array, " l"]
    shift: Float[Array, " l"]


def normalisation(
    outputs: Float[Array, "n l"], network: Network
) -> tuple[Float[Array, " l"], Float[Array, " l"]]:
    """The scale and offset that normalise outputs over samples, with the gain and the shift.

    Args:
        outputs: of the head.
        network: its gain and shift.

    Returns:
        Normalised outputs are outputs * scale + offset.
    """
    scale = network.gain / jnp.sqrt(outputs.var(0) + EPSILON)
    return scale, network.shift - outputs.mean(0) * scale


def loss(network: Network, batch: Any, shared: Any, moment: Moment) -> Float[Array, ""]:
    """The loss of a batch.

    Args:
        network: head and normalisation.
        batch: features (b, p) and multi-hot labels (b, c).
        shared: weights of the method, centres (c, l), and which classes have samples.
        moment: not read.

    Returns:
        The mean cross-entropy.
    """
    del moment
    (x, classes), (weights, centres, seen) = batch, shared
    outputs = network.head(x)
    scale, offset = normalisation(outputs, network)
    u = outputs * scale[None] + offset[None]
    # Samples that are all alike have outputs of zero: the gradient must stay finite there.
    lengths = jnp.sqrt(jnp.maximum(jnp.sum(u**2, axis=1, keepdims=True), EPSILON**2))
    cosines = u @ centres.T / lengths / jnp.sqrt(jnp.asarray(centres.shape[1], u.dtype))
    return class_cross_entropy(weights.scale * (cosines - weights.margin * classes), classes, seen)


@full_precision
def folded(network: Network, x: Float[Array, "n p"]) -> Linear | MLP:
    """The head with its normalisation over all training samples as scale and offset.

    Args:
        network: trained.
        x: preprocessed training features, (n, p).

    Returns:
        The head of the hash function.
    """
    scale, offset = normalisation(network.head(x), network)
    return network.head._replace(projection=network.head.projection * scale[None], offset=offset)


@partial(jax.jit, static_argnames=("options", "bits"))
@full_precision
def fit(key: PRNGKeyArray, data: TrainingData, weights: Weights, options: Options, *, bits: int) -> Fitted:
    """Draw the centres, then train a normalised head by their cosines.

    Args:
        key: of the centres, the start and the batches.
        data: features and labels are read, and class vectors for semantic centres.
        weights: of the method.
        options: static.
        bits: code length l; static.

    Returns:
        A linear head (p, l), or one with a hidden layer; with semantic centres also a head for class vectors.
    """
    x, classes = data.x, data.classes
    of_centres, of_head, of_training = jax.random.split(key, 3)
    centres = class_centres(of_centres, data, kind=options.centres, bits=bits)
    head = start_head(of_head, x.shape[1], bits=bits, hidden=options.hidden, dtype=x.dtype, offset=False)
    end = minimise(
        of_training,
        Network(head, jnp.ones(bits, x.dtype), jnp.zeros(bits, x.dtype)),
        (x, classes),
        (weights, centres.codes, seen_classes(classes)),
        Rates(weights.learning_rate, weights.weight_decay),
        loss=loss,
        epochs=options.epochs,
        batch_size=options.batch_size,
    )
    return Fitted(one_by_one_on_cpu(folded)(end, x), centres.class_head)


def normalised_floats(shapes: Shapes, options: Any) -> int:
    """Numbers of a head, and of its outputs for all training samples."""
    return head_floats(shapes, options) + 2 * shapes.samples * (shapes.bits + options.hidden)


METHOD = Method(
    name="orthohash",
    paper="Hoe, Ng, Zhang, Chan, Song & Xiang, One loss for all: Deep hashing with a single cosine similarity based "
    "learning objective, NeurIPS 2021",
    reads=frozenset({Reads.FEATURES, Reads.LABELS, Reads.CLASS_VECTORS}),
    fit=fit,
    weights=Weights,
    options=Options,
    ranges={**RANGES, "margin": number(zero=True)},
    unread=without_class_vectors,
    floats=normalised_floats,
    floats_once=training_floats,
)
