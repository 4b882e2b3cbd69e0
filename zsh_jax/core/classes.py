"""The code of a class from its semantic vector alone, so that images are retrieved by a class's name."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from zsh_jax.core.coupled import CoupledState, turned_semantics
from zsh_jax.core.loop import Solution
from zsh_jax.core.precision import full_precision
from zsh_jax.core.problem import State
from zsh_jax.core.steps.codes import descend

MAX_SWEEPS = 100


@jax.jit
@full_precision
def encode_class(solution: Solution, vectors: Float[Array, "c e"]) -> Float[Array, "c l"]:
    """Codes of classes, seen or not, by their semantic vectors.

    Published form: the code b that minimises |s R - b W|^2 for the class's vector s, found by coordinate descent
    from sign(s R W'), as in the B-step; a local minimum. Coupled form: sign(s (v - mean of Y) V R), in closed form.

    Args:
        solution: of `solve`, `solve_relaxed` or `solve_coupled`.
        vectors: semantic vectors, rows of unit length, (c, e).

    Returns:
        Codes in {-1, +1}, (c, l); zero counts as +1.
    """
    state: State | CoupledState = solution.state
    if isinstance(state, CoupledState):
        return _signs(turned_semantics(vectors, state))
    target = vectors @ (state.regression @ state.rotation.T).T
    coupling = state.regression @ state.regression.T
    return descend(_signs(target), target, coupling, max_sweeps=MAX_SWEEPS)


def _signs(values: Float[Array, "c l"]) -> Float[Array, "c l"]:
    return jnp.where(values < 0, -1, 1).astype(values.dtype)
