"""Find equal rows of a matrix."""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int, UInt32

from zsh_jax.core.sharding import rows_together


@jax.jit
def first_equal_rows(rows: Float[Array, "n f"]) -> Int[Array, " n"]:
    """The first row that equals each row.

    Results for equal rows can differ in rounding, because processors handle the edges of a matrix product with other
    instructions. Reading each result from the first equal row makes them equal.

    Args:
        rows: (n, f); -0 equals 0.

    Returns:
        Indices, (n,): a row's own index if no earlier row is equal. Rows are compared by a 64-bit hash.
    """
    words = lax.bitcast_convert_type(jnp.where(rows == 0, 0, rows), jnp.uint32).reshape(rows.shape[0], -1)
    column = jnp.arange(words.shape[1], dtype=jnp.uint32)[None]
    place = jnp.arange(rows.shape[0], dtype=jnp.int32)
    digests = [mixed(words ^ mixed(2 * column + i)).sum(1, dtype=jnp.uint32) for i in (0, 1)]
    one, other, origin = lax.sort((*rows_together(digests), place), num_keys=3, is_stable=False)
    new = jnp.pad((one[1:] != one[:-1]) | (other[1:] != other[:-1]), (1, 0), constant_values=True)
    first = origin[lax.cummax(jnp.where(new, place, 0))]
    return jnp.zeros_like(place).at[origin].set(first, unique_indices=True)


def mixed(words: UInt32[Array, "*s"]) -> UInt32[Array, "*s"]:
    """Mix the bits of a word (the finaliser of MurmurHash3, Appleby 2011)."""
    words = (words ^ (words >> 16)) * jnp.uint32(0x85EBCA6B)
    words = (words ^ (words >> 13)) * jnp.uint32(0xC2B2AE35)
    return words ^ (words >> 16)
