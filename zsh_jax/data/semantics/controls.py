"""Control semantics without meaning, to test whether meaning matters."""

import numpy as np
from jaxtyping import Float, Float32

from zsh_jax.errors import InputError


def random_orthogonal(classes: int, *, seed: int) -> Float32[np.ndarray, "c c"]:
    """Random orthonormal class vectors: a random rotation of one-hot vectors.

    Args:
        classes: number of classes, c.
        seed: of the draw, not negative.

    Returns:
        An orthogonal matrix, uniform over all of them.
    """
    q, r = np.linalg.qr(
        np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,))).normal(size=(classes,) * 2)
    )
    return (q * np.sign(np.diag(r))).astype(np.float32)


def shuffled(vectors: Float[np.ndarray, "c e"], *, seed: int) -> Float32[np.ndarray, "c e"]:
    """Assign the vectors to other classes: the geometry stays, the meaning is lost.

    Args:
        vectors: of the classes.
        seed: of the draw, not negative.

    Returns:
        The rows in a random order that moves every row (a uniform random derangement).

    Raises:
        InputError: there is only one class.
    """
    classes = len(vectors)
    if classes < 2:
        raise InputError("shuffled semantics need at least 2 classes; got 1")
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1,)))
    order = np.arange(classes)
    while np.any(order == np.arange(classes)):  # e tries on average
        order = rng.permutation(classes)
    return np.asarray(vectors, np.float32)[order]
