"""CSQ: the code of a sample is pulled to the binary centre of its class.

Yuan, Wang, Zhang, Tay, Jie, Liu & Feng, "Central similarity quantization for efficient image and video retrieval", CVPR
2020. For outputs h = tanh(u) and the centre c of a sample, the binary cross-entropy of (1 + h) / 2 to (1 + c) / 2 plus
lambda log cosh(|h| - 1) (eq. 4 to 7), both as means over samples and bits. Since (1 + tanh u) / 2 is the logistic
function of 2 u, the cross-entropy is log(1 + exp(-2 c u)).

`zsh_jax.methods.centres` has the centres, the published and the semantic ones.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from zsh_jax.core.minibatches import Moment
from zsh_jax.core.precision import full_precision
from zsh_jax.methods.centres import Options, class_centres, sample_centres, without_class_vectors
from zsh_jax.methods.learned import QUANTISED, head_floats, train_head, training_floats
from zsh_jax.methods.protocol import Fitted, Method, Reads, TrainingData


class Weights(NamedTuple):
    """Weights of the method.

    Attributes:
        learning_rate: of the first step.
        weight_decay: see `Rates`.
        quantisation: lambda; 1e-4 is the value of a public port.
    """

    learning_rate: Float[Array, "*sweep"] | float = 1e-2
    weight_decay: Float[Array, "*sweep"] | float = 1.0
    quantisation: Float[Array, "*sweep"] | float = 1e-4


def loss(
    u: Float[Array, "b l"], centres: Float[Array, "b l"], weights: Weights, moment: Moment
) -> Float[Array, ""]:
    """The loss of a batch.

    Args:
        u: outputs of the head.
        centres: of the samples.
        weights: of the method.
        moment: not read.

    Returns:
        The mean over samples and bits.
    """
    del moment
    central = jnp.mean(jax.nn.softplus(-2 * centres * u))
    return central + weights.quantisation * jnp.mean(jnp.log(jnp.cosh(jnp.abs(jnp.tanh(u)) - 1)))


@partial(jax.jit, static_argnames=("options", "bits"))
@full_precision
def fit(key: PRNGKeyArray, data: TrainingData, weights: Weights, options: Options, *, bits: int) -> Fitted:
    """Draw the centres, then train a head towards them.

    Args:
        key: of the centres, the start and the batches.
        data: features and labels are read, and class vectors for semantic centres.
        weights: of the method.
        options: static.
        bits: code length l; static.

    Returns:
        A linear head (p, l), or one with a hidden layer; with semantic centres also a head for class vectors.
    """
    of_centres, of_ties, of_head = jax.random.split(key, 3)
    centres = class_centres(of_centres, data, kind=options.centres, bits=bits)
    targets = sample_centres(of_ties, data.classes, centres.codes)
    head = train_head(of_head, data.x, targets, weights, loss=loss, options=options, bits=bits)
    return Fitted(head, centres.class_head)


METHOD = Method(
    name="csq",
    paper="Yuan, Wang, Zhang, Tay, Jie, Liu & Feng, Central similarity quantization for efficient image and video "
    "retrieval, CVPR 2020",
    reads=frozenset({Reads.FEATURES, Reads.LABELS, Reads.CLASS_VECTORS}),
    fit=fit,
    weights=Weights,
    options=Options,
    ranges=QUANTISED,
    unread=without_class_vectors,
    floats=head_floats,
    floats_once=training_floats,
)
