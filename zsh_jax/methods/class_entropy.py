"""Cross-entropy over the classes of the training samples."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

ABSENT = -1e9
"""Logit of a class without training samples: its probability is exactly zero."""


def seen_classes(classes: Float[Array, "n c"]) -> Bool[Array, " c"]:
    """Whether each class has training samples."""
    return (classes > 0).any(0)


def class_cross_entropy(
    logits: Float[Array, "b c"], classes: Float[Array, "b c"], seen: Bool[Array, " c"]
) -> Float[Array, ""]:
    """The mean cross-entropy to the labels of each sample, which share its probability equally.

    Args:
        logits: of the classes.
        classes: multi-hot.
        seen: the classes that exist; the others are unseen, and must not be learned from.

    Returns:
        The mean over samples; with one label each, the usual cross-entropy.
    """
    target = classes / jnp.maximum(classes.sum(1, keepdims=True), 1)
    log_probability = jax.nn.log_softmax(jnp.where(seen[None], logits, ABSENT), axis=1)
    return -jnp.mean(jnp.sum(target * log_probability, axis=1))
