"""The code of a class from its class vector alone, so that a class name retrieves images."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int, UInt8

from zsh_jax.core.descent import descend
from zsh_jax.core.kernel import squared_distances
from zsh_jax.core.packing import pack_codes, unpack_codes
from zsh_jax.core.precision import full_precision
from zsh_jax.core.problem import State

MAX_SWEEPS = 100
ROUNDING = 64  # units in the last place
KNOWN = 1 << 16  # training codes that are compared with the class vectors at a time


class Dictionary(NamedTuple):
    """The code b of a class that minimises |s - b V|^2 for its vector s (published form), by coordinate descent.

    The B-step does the same for a training sample. The descent ends at a local minimum, so it runs from two starts,
    sign(s V') and the training code that fits s best, and the better result is kept. So a seen class gets the code of
    its images.

    Attributes:
        dictionary: V = W R', from codes to semantics.
        codes: packed codes of the training samples.
    """

    dictionary: Float[Array, "l e"]
    codes: UInt8[Array, "n bytes"]

    @full_precision
    def __call__(self, vectors: Float[Array, "c e"]) -> Float[Array, "c l"]:
        """Find the codes in {-1, +1}, (c, l), of class vectors of unit length, (c, e)."""
        dictionary = self.dictionary
        target, coupling = vectors @ dictionary.T, dictionary @ dictionary.T
        # With few classes many bits do not affect the fit: break these ties deterministically, not by rounding.
        tie = ROUNDING * jnp.finfo(target.dtype).eps * jnp.abs(target).max()
        starts = jnp.where(target + tie < 0, -1, 1).astype(target.dtype), self._best_known(vectors)
        ends = [descend(start, target, coupling, max_sweeps=MAX_SWEEPS, tie=tie) for start in starts]
        one, other = (jnp.sum((vectors - codes @ dictionary) ** 2, axis=1) for codes in ends)
        return jnp.where((one < other - tie)[:, None], ends[0], ends[1])

    def _best_known(self, vectors: Float[Array, "c e"]) -> Float[Array, "c l"]:
        """The training code that fits each class vector best; of equally good ones, the first."""
        count, dictionary = self.codes.shape[0], self.dictionary
        size = min(KNOWN, count)

        def among(start: Int[Array, ""] | int) -> tuple[Float[Array, " c"], Float[Array, "c l"]]:
            packed = lax.dynamic_slice_in_dim(self.codes, start, size)
            known = unpack_codes(packed, bits=dictionary.shape[0]).astype(dictionary.dtype)
            distances = squared_distances(vectors, known @ dictionary)
            return distances.min(1), known[jnp.argmin(distances, axis=1)]

        def better(
            i: Int[Array, ""], best: tuple[Float[Array, " c"], Float[Array, "c l"]]
        ) -> tuple[Float[Array, " c"], Float[Array, "c l"]]:
            found = among(jnp.minimum(i * size, count - size))
            nearer = found[0] < best[0]
            return jnp.where(nearer, found[0], best[0]), jnp.where(nearer[:, None], found[1], best[1])

        first = among(0)
        return (first if size == count else lax.fori_loop(1, -(-count // size), better, first))[1]


def class_dictionary(state: State) -> Dictionary:
    """The class head of a solution of the published form.

    Args:
        state: of a `Solution`.

    Returns:
        A head for class vectors.
    """
    return Dictionary(state.dictionary, pack_codes(state.codes))
