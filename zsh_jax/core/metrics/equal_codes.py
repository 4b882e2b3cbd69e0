"""Find equal codes."""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Int, UInt32

from zsh_jax.core.metrics.equal_rows import mixed


def an_equal_row(words: UInt32[Array, "n words"]) -> Int[Array, " n"]:
    """One row for each set of equal rows, the same for all rows of the set.

    Exact: rows are compared word by word. By hashing on the CPU, where it takes a tenth of the time of a sort; by
    sorting elsewhere, which is a single step.

    Args:
        words: (n, words).

    Returns:
        Indices, (n,). As many rows have their own index as there are distinct rows.
    """
    return lax.platform_dependent(words, cpu=equal_by_hash, default=equal_by_sort)


def equal_by_sort(words: UInt32[Array, "n words"]) -> Int[Array, " n"]:
    """`an_equal_row`: the first of each run of equal rows in lexicographic order."""
    place = jnp.arange(words.shape[0], dtype=jnp.int32)
    *ordered, origin = lax.sort((*words.T, place), num_keys=words.shape[1], is_stable=False)
    new = jnp.pad(_differ(ordered), (1, 0), constant_values=True)
    first = origin[lax.cummax(jnp.where(new, place, 0))]
    return jnp.zeros_like(place).at[origin].set(first, unique_indices=True)


def _differ(columns: list[UInt32[Array, " n"]]) -> Bool[Array, " m"]:
    return jnp.stack([column[1:] != column[:-1] for column in columns]).any(0)


def equal_by_hash(words: UInt32[Array, "n words"]) -> Int[Array, " n"]:
    """`an_equal_row`: the row that wins the slot of a hash table.

    In each round, rows without an answer write their index to the slot of their hash; all rows that equal the last
    writer take its index. Other rows of the slot have another slot in the next round. Each round answers a row at
    least, so that it ends whatever the hashes are; with two slots a row, four rounds are usual.

    Args:
        words: (n, words).

    Returns:
        Indices, (n,).
    """
    size, columns = words.shape[0], words.T
    slots = 2 ** (2 * size).bit_length()
    place = jnp.arange(size, dtype=jnp.int32)
    digest = jnp.zeros(size, jnp.uint32)
    for column in columns:
        digest = mixed(digest ^ column)

    def one_round(
        state: tuple[UInt32[Array, ""], Int[Array, " n"]],
    ) -> tuple[UInt32[Array, ""], Int[Array, " n"]]:
        seed, answer = state
        slot = (mixed(digest + seed) % slots).astype(jnp.int32)
        asks = answer < 0
        table = jnp.zeros(slots, jnp.int32).at[jnp.where(asks, slot, slots)].set(place, mode="drop")
        winner = table[slot]
        equal = jnp.stack([column[winner] == column for column in columns]).all(0)
        return seed + jnp.uint32(0x9E3779B9), jnp.where(asks & equal, winner, answer)

    start = (jnp.uint32(0), jnp.full(size, -1, jnp.int32))
    return lax.while_loop(lambda state: (state[1] < 0).any(), one_round, start)[1]
