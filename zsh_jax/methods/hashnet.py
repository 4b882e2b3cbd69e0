"""HashNet: pairwise learning whose outputs grow to signs by continuation.

Cao, Long, Wang & Yu, "HashNet: deep learning to hash by continuation", ICCV 2017:

    sum_ij w_ij (log(1 + exp(a z_i . z_j)) - a s_ij z_i . z_j),   z = tanh(beta u),

where beta grows during training, so that z goes to sign(u). Similar and dissimilar pairs have the same total weight:
w_ij = c_ij |S| / |S_1| for similar pairs, with c_ij the share of common labels among all labels of the two samples, and
|S| / |S_0| for dissimilar ones (eq. 2). As in the released code, a is a constant divided by l, and beta grows as the
square root of the number of steps.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from zsh_jax.core.minibatches import Moment
from zsh_jax.methods.learned import RANGES, Options, fit_by_labels, head_floats, training_floats
from zsh_jax.methods.pairs import negative_log_likelihood, other_samples, similar_pairs
from zsh_jax.methods.protocol import Method, Reads
from zsh_jax.takes import number


class Weights(NamedTuple):
    """Weights of the method.

    Attributes:
        learning_rate: of the first step.
        weight_decay: see `Rates`.
        slope: a l; the released code has 10.
        growth: beta = sqrt(1 + growth t), with t from 0 to 1 over the steps; the released code reaches 50.
    """

    learning_rate: Float[Array, "*sweep"] | float = 1e-2
    weight_decay: Float[Array, "*sweep"] | float = 1.0
    slope: Float[Array, "*sweep"] | float = 10.0
    growth: Float[Array, "*sweep"] | float = 50.0


def pair_weights(classes: Float[Array, "b c"]) -> Float[Array, "b b"]:
    """The weights w of the pairs of a batch (eq. 2), divided by |S|; 0 for a sample with itself.

    Args:
        classes: multi-hot.

    Returns:
        Both kinds of pairs sum to 1 if each sample has one label; 0 if there is none of a kind.
    """
    similar, others = similar_pairs(classes), other_samples(len(classes))
    common, counts = classes @ classes.T, classes.sum(1)
    every = counts[:, None] + counts[None] - common
    share = jnp.where(similar, common / jnp.maximum(every, 1), 1)
    sizes = [jnp.sum(kind & others, dtype=classes.dtype) for kind in (similar, ~similar)]
    ones, zeros = (jnp.maximum(size, 1) for size in sizes)
    return jnp.where(others, share / jnp.where(similar, ones, zeros), 0)


def loss(
    u: Float[Array, "b l"], classes: Float[Array, "b c"], weights: Weights, moment: Moment
) -> Float[Array, ""]:
    """The loss of a batch.

    Args:
        u: outputs of the head.
        classes: multi-hot.
        weights: of the method.
        moment: its progress sets beta.

    Returns:
        The weighted mean over pairs.
    """
    z = jnp.tanh(jnp.sqrt(1 + weights.growth * moment.progress) * u)
    theta = weights.slope / u.shape[1] * (z @ z.T)
    return jnp.sum(pair_weights(classes) * negative_log_likelihood(theta, similar_pairs(classes)))


METHOD = Method(
    name="hashnet",
    paper="Cao, Long, Wang & Yu, HashNet: Deep learning to hash by continuation, ICCV 2017",
    reads=frozenset({Reads.FEATURES, Reads.LABELS}),
    fit=fit_by_labels(lambda options: loss),
    weights=Weights,
    options=Options,
    ranges={**RANGES, "growth": number(zero=True)},
    floats=head_floats,
    floats_once=training_floats,
)
