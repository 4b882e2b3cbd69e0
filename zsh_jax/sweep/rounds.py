"""Join data splits that the places of a mesh have prepared one after the other."""

from collections.abc import Hashable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Int

from zsh_jax.sweep.compiled import Compiled
from zsh_jax.sweep.mesh import Lies, places, stacked
from zsh_jax.training.prepare import Prepared


def joined(
    rounds: Sequence[Prepared], count: int, compiled: Compiled, *, use: Hashable, lies: Lies
) -> Prepared:
    """Data splits in their order; each place joins its own.

    Args:
        rounds: in each, every place has prepared one split: one of its own, or all places the same.
        count: number of splits, a multiple of that of places.
        compiled: programs.
        use: key of the program.
        lies: which axis of each result has samples.

    Returns:
        Leaves with a leading axis of splits.
    """
    if len(rounds) == 1:
        return rounds[0]
    if compiled.mesh is None:
        return _side_by_side(*rounds)
    here = count // places(compiled.mesh)
    if len(rounds) == here:
        return compiled.run(_side_by_side, *rounds, use=use, lies=lies)[0]
    first = stacked(lambda place: np.int32(place * here), count // here, compiled.mesh)
    return compiled.run(_own, first, *rounds, use=use, lies=lies, here=here)[0]


def _own(first: Int[Array, " s"], *rounds: Prepared, here: int) -> Prepared:
    """Of splits that every place has prepared, those of this place."""
    every = _side_by_side(*rounds)
    return jax.tree.map(lambda leaf: lax.dynamic_slice_in_dim(leaf, first[0], here), every)


@jax.jit
def _side_by_side(*rounds: Prepared) -> Prepared:
    return jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *rounds)
