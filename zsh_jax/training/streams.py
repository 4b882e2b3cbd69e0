"""Independent random streams of one seed."""

from typing import NamedTuple

import jax
from jaxtyping import PRNGKeyArray


class Streams(NamedTuple):
    """Keys of one seed, each for one purpose. The data split has a NumPy stream of its own, made from the seed.

    Attributes:
        anchors: which training samples are anchors.
        start: what a method draws: its start, hyperplanes, or a rotation.
        resamples: which queries a bootstrap draws.
    """

    anchors: PRNGKeyArray
    start: PRNGKeyArray
    resamples: PRNGKeyArray


PURPOSES = {"anchors": 0, "start": 1, "resamples": 3}  # what the key is folded with


def streams(key: PRNGKeyArray) -> Streams:
    """Fold a key into one for each purpose.

    Args:
        key: of a seed.

    Returns:
        The keys.
    """
    return Streams(**{name: jax.random.fold_in(key, purpose) for name, purpose in PURPOSES.items()})
