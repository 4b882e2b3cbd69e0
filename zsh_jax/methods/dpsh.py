"""DPSH: codes whose inner products predict which samples share a label.

Li, Wang & Kang, "Feature learning based deep supervised hashing with pairwise labels", IJCAI 2016:

    sum_ij log(1 + exp Theta_ij) - s_ij Theta_ij + eta sum_i |b_i - u_i|^2,   Theta_ij = u_i . u_j / 2, b = sign(u)

Here both sums are means, over the pairs of a batch and over samples and bits, so that eta does not depend on the batch
size or the code length. The paper pairs a batch with all training samples as they were last seen; here a batch is
paired with itself.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from zsh_jax.core.minibatches import Moment
from zsh_jax.core.packing import signs
from zsh_jax.methods.learned import QUANTISED, Options, fit_by_labels, head_floats, training_floats
from zsh_jax.methods.pairs import negative_log_likelihood, other_samples, similar_pairs
from zsh_jax.methods.protocol import Method, Reads


class Weights(NamedTuple):
    """Weights of the method.

    Attributes:
        learning_rate: of the first step.
        weight_decay: see `Rates`.
        quantisation: eta.
    """

    learning_rate: Float[Array, "*sweep"] | float = 1e-2
    weight_decay: Float[Array, "*sweep"] | float = 1.0
    quantisation: Float[Array, "*sweep"] | float = 0.1


def loss(
    u: Float[Array, "b l"], classes: Float[Array, "b c"], weights: Weights, moment: Moment
) -> Float[Array, ""]:
    """The loss of a batch.

    Args:
        u: outputs of the head.
        classes: multi-hot.
        weights: of the method.
        moment: not read.

    Returns:
        The mean over pairs plus eta times the mean of (b - u)^2.
    """
    del moment
    values = negative_log_likelihood(u @ u.T / 2, similar_pairs(classes))
    pairs = jnp.mean(values, where=other_samples(len(u)))
    return pairs + weights.quantisation * jnp.mean((lax.stop_gradient(signs(u)) - u) ** 2)


METHOD = Method(
    name="dpsh",
    paper="Li, Wang & Kang, Feature learning based deep supervised hashing with pairwise labels, IJCAI 2016",
    reads=frozenset({Reads.FEATURES, Reads.LABELS}),
    fit=fit_by_labels(lambda options: loss),
    weights=Weights,
    options=Options,
    ranges=QUANTISED,
    floats=head_floats,
    floats_once=training_floats,
)
