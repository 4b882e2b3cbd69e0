"""Apply the protocol of a data set to a configuration; the protocols are in `zsh_jax.data.catalogue`."""

from typing import Any

from ml_collections import ConfigDict

from zsh_jax.data.catalogue import PROTOCOLS
from zsh_jax.errors import InputError


def apply_protocol(config: ConfigDict, name: str) -> None:
    """Set the values of a data set's protocol.

    Args:
        config: from `zsh_jax.sweep.config.defaults`; changed in place.
        name: a key of `PROTOCOLS`.

    Raises:
        InputError: if there is no such protocol.
    """
    if name not in PROTOCOLS:
        raise InputError(
            f"there is no protocol for data set {name!r}; fix: use one of {', '.join(PROTOCOLS)}"
        )
    protocol = PROTOCOLS[name]
    config.dataset.name = protocol.dataset
    config.dataset.classes = protocol.classes
    config.dataset.held_out = protocol.held_out
    config.features.name = protocol.features
    config.semantics.synonyms = protocol.synonyms
    config.split.of_each_class = protocol.of_each_class
    config.split.database = protocol.database
    config.evaluation.cutoffs = protocol.cutoffs
    axes: dict[str, Any] = {
        "unseen": protocol.unseen,
        "semantics": (protocol.semantics,),
        "training_samples": (protocol.training_samples,),
        "queries": (protocol.queries,),
        "anchors": (protocol.anchors,),
    }
    for axis, values in axes.items():
        config.sweep[axis] = values
