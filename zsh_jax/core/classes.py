"""The code of a class from its semantic vector alone, so that images are retrieved by a class's name."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from zsh_jax.core.coupled import CoupledState, turned_semantics
from zsh_jax.core.kernel import squared_distances
from zsh_jax.core.loop import Solution
from zsh_jax.core.precision import full_precision
from zsh_jax.core.problem import State
from zsh_jax.core.steps.codes import descend

MAX_SWEEPS = 100
ROUNDING = 64  # units in the last place


@jax.jit
@full_precision
def encode_class(solution: Solution, vectors: Float[Array, "c e"]) -> Float[Array, "c l"]:
    """Codes of classes, seen or not, by their semantic vectors.

    Published form: the code b that minimises |s R - b W|^2 = |s - b V|^2 for the class's vector s, V = W R', by
    coordinate descent as in the B-step. It is a local minimum, so the descent is made twice, from sign(s V') and
    from the training code that is best to begin with, and the better end counts; a seen class so has the code of its
    images. Coupled form: sign(s (v - mean of Y) V R), in closed form.

    Args:
        solution: of `solve`, `solve_relaxed` or `solve_coupled`.
        vectors: semantic vectors, rows of unit length, (c, e).

    Returns:
        Codes in {-1, +1}, (c, l); zero counts as +1.
    """
    state: State | CoupledState = solution.state
    if isinstance(state, CoupledState):
        return _signs(turned_semantics(vectors, state))
    dictionary = state.dictionary
    target, coupling = vectors @ dictionary.T, dictionary @ dictionary.T
    # Few classes leave many bits that are worth nothing either way: they must not be told by rounding.
    tie = ROUNDING * jnp.finfo(target.dtype).eps * jnp.abs(target).max()
    nearest = jnp.argmin(squared_distances(vectors, state.codes @ dictionary), axis=1)
    starts = _signs(target + tie), state.codes[nearest]
    ends = [descend(start, target, coupling, max_sweeps=MAX_SWEEPS, tie=tie) for start in starts]
    one, other = (jnp.sum((vectors - codes @ dictionary) ** 2, axis=1) for codes in ends)
    return jnp.where((one < other - tie)[:, None], ends[0], ends[1])


def _signs(values: Float[Array, "c l"]) -> Float[Array, "c l"]:
    return jnp.where(values < 0, -1, 1).astype(values.dtype)
