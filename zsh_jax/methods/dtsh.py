"""DTSH: codes that are nearer to a sample of the same class than to one of another class.

Wang, Shi & Kitani, "Deep supervised hashing with triplet labels", ACCV 2016, for triplets of a sample q, a positive p
and a negative n:

    sum log(1 + exp(-(Theta_qp - Theta_qn - alpha))) + lambda sum_i |b_i - u_i|^2,   Theta_ij = u_i . u_j / 2

with b = sign(u) and alpha half the code length. Both sums are means here: of the triplets of each sample, then of the
samples that have one; and over samples and bits. Like the authors' released code, each batch draws positives for each
sample; the negatives are all those of the batch.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from zsh_jax.core.minibatches import Moment
from zsh_jax.core.packing import signs
from zsh_jax.methods import learned
from zsh_jax.methods.learned import QUANTISED, fit_by_labels, head_floats, training_floats
from zsh_jax.methods.pairs import other_samples, similar_pairs
from zsh_jax.methods.protocol import Method, Reads, Shapes
from zsh_jax.takes import number


class Weights(NamedTuple):
    """Weights of the method.

    Attributes:
        learning_rate: of the first step.
        weight_decay: see `Rates`.
        quantisation: lambda.
        margin: alpha / l; the paper's value is 0.5.
    """

    learning_rate: Float[Array, "*sweep"] | float = 1e-2
    weight_decay: Float[Array, "*sweep"] | float = 1.0
    quantisation: Float[Array, "*sweep"] | float = 1.0
    margin: Float[Array, "*sweep"] | float = 0.5


@dataclass(frozen=True)
class Options(learned.Options):
    """Options of a learned head, and one of the method.

    Attributes:
        positives: drawn for each sample of a batch. Memory: b x positives x b.
    """

    positives: int = 4


def drawn_positives(
    key: PRNGKeyArray, similar: Bool[Array, "b b"], *, count: int
) -> tuple[Int[Array, "b k"], Bool[Array, "b k"]]:
    """Other samples of the batch that share a label, drawn without replacement.

    Args:
        key: of the draw.
        similar: see `similar_pairs`.
        count: k, at most b; static.

    Returns:
        The samples, and whether each is a positive: a sample may have fewer than k.
    """
    scores = jnp.where(similar & other_samples(len(similar)), jax.random.uniform(key, similar.shape), -1)
    values, chosen = lax.top_k(scores, count)
    return chosen, values >= 0


def triplet_loss(
    theta: Float[Array, "b b"],
    similar: Bool[Array, "b b"],
    chosen: Int[Array, "b k"],
    is_positive: Bool[Array, "b k"],
    alpha: Float[Array, ""] | float,
) -> Float[Array, ""]:
    """The mean over samples of the mean over their triplets.

    Args:
        theta: inner products, halved.
        similar: samples that are not negatives.
        chosen: positives of each sample.
        is_positive: whether to count it.
        alpha: margin.

    Returns:
        0 if there is no triplet.
    """
    gaps = jnp.take_along_axis(theta, chosen, axis=1)[:, :, None] - theta[:, None, :] - alpha
    counted = is_positive[:, :, None] & ~similar[:, None, :]
    number = jnp.sum(counted, axis=(1, 2), dtype=theta.dtype)
    means = jnp.sum(jax.nn.softplus(-gaps), axis=(1, 2), where=counted) / jnp.maximum(number, 1)
    return jnp.sum(means) / jnp.maximum(jnp.sum(number > 0, dtype=theta.dtype), 1)


def loss(
    u: Float[Array, "b l"],
    classes: Float[Array, "b c"],
    weights: Weights,
    moment: Moment,
    *,
    positives: int,
) -> Float[Array, ""]:
    """The loss of a batch.

    Args:
        u: outputs of the head.
        classes: multi-hot.
        weights: of the method.
        moment: its key draws the positives.
        positives: for each sample; static.

    Returns:
        The mean over triplets plus lambda times the mean of (b - u)^2.
    """
    similar = similar_pairs(classes)
    chosen, is_positive = drawn_positives(moment.key, similar, count=min(positives, len(u)))
    triplets = triplet_loss(u @ u.T / 2, similar, chosen, is_positive, weights.margin * u.shape[1])
    return triplets + weights.quantisation * jnp.mean((lax.stop_gradient(signs(u)) - u) ** 2)


def triplet_floats(shapes: Shapes, options: Any) -> int:
    """Numbers of a training, with those of its triplets."""
    size = min(options.batch_size, shapes.samples)
    return training_floats(shapes, options) + 4 * size**2 * min(options.positives, size)


METHOD = Method(
    name="dtsh",
    paper="Wang, Shi & Kitani, Deep supervised hashing with triplet labels, ACCV 2016",
    reads=frozenset({Reads.FEATURES, Reads.LABELS}),
    fit=fit_by_labels(lambda options: partial(loss, positives=options.positives)),
    weights=Weights,
    options=Options,
    ranges={**QUANTISED, "margin": number(zero=True)},
    floats=head_floats,
    floats_once=triplet_floats,
)
