"""The result that the sweep engine returns for each cell."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Shaped

from zsh_jax.core.hashing import HashFunction


class CellResult(NamedTuple):
    """One cell of a sweep after training and evaluation, on the host.

    Attributes:
        cell: flat identity: `method`, `dataset`, `features`, `semantics`, `unseen`, `bits`, `seed`, every axis of the
            sweep; JSON scalars.
        metrics: flat: each metric by name (a float, or a list of floats for a curve), `iterations`, `status`,
            `objective`, `seconds`.
        history: one value an iteration: `objective`, its five terms, `flips`.
        model: the trained hash function, if it was requested.
    """

    cell: Mapping[str, Any]
    metrics: Mapping[str, Any]
    history: Mapping[str, Shaped[np.ndarray, " iterations"]]
    model: HashFunction | None = None
