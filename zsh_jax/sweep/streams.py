"""Independent random streams of one seed."""

from typing import NamedTuple

import jax
from jaxtyping import PRNGKeyArray


class Streams(NamedTuple):
    """Keys of one seed, each for one purpose. The data split has a NumPy stream of its own, made from the seed.

    Attributes:
        anchors: which training samples are anchors.
        start: the codes that the solver starts from.
        rotation: a random rotation, where one is asked for.
        resamples: which queries a bootstrap draws.
    """

    anchors: PRNGKeyArray
    start: PRNGKeyArray
    rotation: PRNGKeyArray
    resamples: PRNGKeyArray


def streams(seed: int) -> Streams:
    """Fold a seed into one key for each purpose.

    Args:
        seed: a whole number, not negative.

    Returns:
        The keys.
    """
    key = jax.random.key(seed)
    return Streams(*(jax.random.fold_in(key, purpose) for purpose in range(len(Streams._fields))))
