"""This project's joint form as the sweep calls a method: see `zsh_jax.core.joint`."""

from functools import partial

import jax
from jaxtyping import PRNGKeyArray

from zsh_jax.baselines.data import TrainingData
from zsh_jax.core.joint import Joint, JointOptions, fit_joint

RANK = 16
TURNS = 20


@partial(jax.jit, static_argnames=("bits", "turns", "rank"))
def fit(
    key: PRNGKeyArray,
    data: TrainingData,
    options: JointOptions,
    *,
    bits: int,
    turns: int | None = None,
    rank: int = RANK,
) -> Joint:
    """Fit the joint space; see `fit_joint`.

    Args:
        key: of the frame.
        data: all of which is read.
        options: what may be tuned.
        bits: code length l; static.
        turns: of the frame towards the signs; static. None turns a frame of no more bits than directions, and leaves a
            wider one random, as was best on validation classes.
        rank: directions of the joint space that reach the bits; static.

    Returns:
        The map.
    """
    if turns is None:
        turns = TURNS if bits <= rank else 0
    return fit_joint(key, *data, options, bits=bits, turns=turns, rank=rank)


fit_random = partial(fit, turns=0)
"""The same with a frame that is random at any length."""
fit_turned = partial(fit, turns=TURNS)
"""The same with a frame that is turned at any length."""
