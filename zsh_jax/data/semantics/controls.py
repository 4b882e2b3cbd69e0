"""Semantics without meaning: what tells whether meaning matters at all."""

import numpy as np
from jaxtyping import Float, Float32

from zsh_jax.errors import InputError


def random_orthogonal(classes: int, *, seed: int) -> Float32[np.ndarray, "c c"]:
    """Random orthonormal class vectors: one-hot vectors, turned.

    Args:
        classes: how many, c.
        seed: of the draw, not negative.

    Returns:
        An orthogonal matrix, uniform over all of them.
    """
    q, r = np.linalg.qr(
        np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,))).normal(size=(classes,) * 2)
    )
    return (q * np.sign(np.diag(r))).astype(np.float32)


def shuffled(vectors: Float[np.ndarray, "c e"], *, seed: int) -> Float32[np.ndarray, "c e"]:
    """The same vectors given to other classes: all of the space's geometry and none of its meaning.

    Args:
        vectors: of the classes.
        seed: of the draw, not negative.

    Returns:
        The rows in a random order that leaves no row where it was (a derangement, uniform over all of them).

    Raises:
        InputError: there is one class, which nothing can be exchanged with.
    """
    classes = len(vectors)
    if classes < 2:
        raise InputError("shuffled semantics want at least 2 classes; got 1")
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1,)))
    order = np.arange(classes)
    while np.any(order == np.arange(classes)):  # e tries on average
        order = rng.permutation(classes)
    return np.asarray(vectors, np.float32)[order]
