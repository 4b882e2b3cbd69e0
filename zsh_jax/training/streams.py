"""Independent random streams of one seed."""

from typing import NamedTuple

import jax
from jaxtyping import PRNGKeyArray


class Streams(NamedTuple):
    """Random keys of one seed, one for each purpose. The data split has its own NumPy stream of the seed.

    Attributes:
        anchors: draws the anchors.
        start: draws of a method: its start, hyperplanes or a rotation.
        resamples: draws the bootstrap samples of queries.
    """

    anchors: PRNGKeyArray
    start: PRNGKeyArray
    resamples: PRNGKeyArray


PURPOSES = {"anchors": 0, "start": 1, "resamples": 3}  # folded into the key


def streams(key: PRNGKeyArray) -> Streams:
    """Fold a key into one key for each purpose."""
    return Streams(**{name: jax.random.fold_in(key, purpose) for name, purpose in PURPOSES.items()})
