"""This project's joint form as the sweep calls a method: see `zsh_jax.core.joint`."""

from functools import partial

import jax
from jaxtyping import PRNGKeyArray

from zsh_jax.baselines.data import TrainingData
from zsh_jax.core.joint import Joint, JointOptions, fit_joint

TURNS = 20


@partial(jax.jit, static_argnames=("bits", "turns"))
def fit(key: PRNGKeyArray, data: TrainingData, options: JointOptions, *, bits: int, turns: int = 0) -> Joint:
    """Fit the joint space; see `fit_joint`.

    Args:
        key: of the frame.
        data: all of which is read.
        options: what may be tuned.
        bits: code length l; static.
        turns: of the frame towards the signs; static.

    Returns:
        The map.
    """
    return fit_joint(key, *data, options, bits=bits, turns=turns)


fit_turned = partial(fit, turns=TURNS)
"""The same with a frame that is turned to face the signs."""
