"""Which items of a database are relevant to a query: those that share a label with it."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Shaped

from zsh_jax.core.packing import code_words


def label_words(labels: Shaped[Array, "n *c"]) -> Shaped[Array, "n *words"]:
    """Labels in the form that `relevance` takes: class indices as they are, multi-hot rows as 32-bit words.

    Args:
        labels: class indices (n,), or multi-hot (n, c); an entry above zero is a label.

    Returns:
        (n,), or (n, ceil(c / 32)).
    """
    return labels if labels.ndim == 1 else code_words(jnp.packbits(has_label(labels), axis=-1))


def has_label(multi_hot: Shaped[Array, "*s"]) -> Bool[Array, "*s"]:
    """Which entries of multi-hot labels, of any number type or bool, are set."""
    return multi_hot > jnp.zeros((), multi_hot.dtype)


def relevance(
    query_label: Shaped[Array, "*words"], database_labels: Shaped[Array, "n *words"]
) -> Bool[Array, " n"]:
    """Which items are relevant: same class, or at least one common label.

    Args:
        query_label: of `label_words`, of one query.
        database_labels: of `label_words`.

    Returns:
        (n,) booleans.
    """
    if database_labels.ndim == 1:
        return database_labels == query_label
    shared = [(database_labels[:, word] & query_label[word]) != 0 for word in range(database_labels.shape[1])]
    return jnp.stack(shared).any(0)
