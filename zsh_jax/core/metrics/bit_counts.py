"""Counts of single bits and of pairs of bits in packed codes: whole numbers, without a floating-point product."""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Int, UInt8, UInt32

from zsh_jax.core.packing import code_words
from zsh_jax.core.sharding import by_share

ROWS = 1 << 16
"""Codes at a time: unpacked for accelerators, 128 bits take 8 MiB."""

BLOCK = 32
"""Words of 32 items at a time on the CPU: at 128 bits they fit a core's first cache."""


def bit_counts(codes: UInt8[Array, "n bytes"], *, bits: int) -> tuple[Int[Array, " l"], Int[Array, "l l"]]:
    """In how many codes each bit is 1, and in how many two bits differ.

    Args:
        codes: packed, (n, ceil(bits / 8)).
        bits: code length l.

    Returns:
        (l,) and (l, l), exact.
    """
    here = partial(
        lax.platform_dependent,
        cpu=partial(counts_by_words, bits=bits),
        default=partial(counts_by_product, bits=bits),
    )
    counts: tuple[Array, Array] = by_share(here, (codes,), gives="sums")
    return counts


def counts_by_product(
    codes: UInt8[Array, "n bytes"], *, bits: int
) -> tuple[Int[Array, " l"], Int[Array, "l l"]]:
    """`bit_counts` as products, in parts of the codes.

    Zeros and ones are exact in bfloat16, and their sums over a part in float32. A product of 8-bit integers gave twice
    the counts at some sizes (jax 0.11.2 on an H100).
    """

    def add(both: Int[Array, "l l"], rows: UInt8[Array, "b bytes"]) -> tuple[Int[Array, "l l"], None]:
        ones = jnp.unpackbits(rows, axis=1, count=bits).astype(jnp.bfloat16)
        counts = jnp.einsum("ni,nj->ij", ones, ones, preferred_element_type=jnp.float32)
        return both + counts.astype(jnp.int32), None

    both, _ = lax.scan(add, jnp.zeros((bits, bits), jnp.int32), _parts(codes))
    single = jnp.diagonal(both)
    return single, single[:, None] + single[None] - 2 * both


def counts_by_words(
    codes: UInt8[Array, "n bytes"], *, bits: int
) -> tuple[Int[Array, " l"], Int[Array, "l l"]]:
    """`bit_counts` with 32 items an instruction, where processors count the bits of a word, in parts of the codes."""

    def add(
        counts: tuple[Int[Array, " l"], Int[Array, "shifts l"]], rows: UInt8[Array, "b bytes"]
    ) -> tuple[tuple[Int[Array, " l"], Int[Array, "shifts l"]], None]:
        return jax.tree.map(jnp.add, counts, _shifted_counts(rows, bits=bits)), None

    start = jnp.zeros(bits, jnp.int32), jnp.zeros((bits // 2 + 1, bits), jnp.int32)
    (ones, differing), _ = lax.scan(add, start, _parts(codes))
    # differing[k, i] is that of the bits i and i + k.
    first = jnp.arange(bits)
    apart = (first[None] - first[:, None]) % bits
    forward = apart <= bits // 2
    shift = jnp.where(forward, apart, bits - apart)
    return ones, differing[shift, jnp.where(forward, first[:, None], first[None])]


def _parts(codes: UInt8[Array, "n bytes"]) -> UInt8[Array, "parts b bytes"]:
    """Codes in parts of one size, `ROWS` at most, with zeros at the end."""
    parts = -(-codes.shape[0] // ROWS)
    rows = -(-codes.shape[0] // parts)
    return jnp.pad(codes, ((0, parts * rows - codes.shape[0]), (0, 0))).reshape(parts, rows, codes.shape[1])


def _shifted_counts(
    codes: UInt8[Array, "n bytes"], *, bits: int
) -> tuple[Int[Array, " l"], Int[Array, "shifts l"]]:
    """Codes in which bit i is 1; and in which it differs from bit i + k, cyclically, for k up to half of the bits."""
    columns = bit_columns(codes, bits=bits)
    block = min(BLOCK, len(columns))
    blocks = jnp.pad(columns, ((0, -len(columns) % block), (0, 0))).reshape(-1, block, bits)
    shifts = jnp.arange(bits // 2 + 1)

    def add(
        counts: tuple[Int[Array, " l"], Int[Array, "shifts l"]], words: UInt32[Array, "b l"]
    ) -> tuple[tuple[Int[Array, " l"], Int[Array, "shifts l"]], None]:
        ones, differing = counts
        twice = jnp.concatenate([words, words], axis=1)

        def shifted(shift: Int[Array, ""]) -> Int[Array, " l"]:
            return _bits_set(lax.dynamic_slice_in_dim(twice, shift, bits, axis=1) ^ words)

        return (ones + _bits_set(words), differing + lax.map(shifted, shifts)), None

    start = jnp.zeros(bits, jnp.int32), jnp.zeros((len(shifts), bits), jnp.int32)
    return lax.scan(add, start, blocks)[0]


def _bits_set(words: UInt32[Array, "b l"]) -> Int[Array, " l"]:
    return lax.population_count(words).astype(jnp.int32).sum(0, dtype=jnp.int32)


def bit_columns(codes: UInt8[Array, "n bytes"], *, bits: int) -> UInt32[Array, "m l"]:
    """Each bit of 32 items as a word, (ceil(n / 32), l); missing items are zero.

    Blocks of 32 x 32 bits are transposed by exchanging halves, then quarters, ... (Warren, "Hacker's Delight", 7-3).
    """
    words = code_words(codes)
    rows = jnp.pad(words, ((0, -len(words) % 32), (0, 0))).reshape(-1, 32, words.shape[1])
    for half, mask in ((16, 0x0000FFFF), (8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        upper, lower = jnp.moveaxis(rows.reshape(len(rows), -1, 2, half, rows.shape[2]), 2, 0)
        changes = (upper ^ (lower >> half)) & jnp.uint32(mask)
        rows = jnp.stack([upper ^ changes, lower ^ (changes << half)], axis=2).reshape(rows.shape)
    # Row r of a block now has bit 31 - r of the words; `code_words` puts the first byte lowest.
    bit = jnp.arange(32)
    row = 24 - 8 * (bit // 8) + bit % 8
    return rows[:, row].transpose(0, 2, 1).reshape(len(rows), -1)[:, :bits]
