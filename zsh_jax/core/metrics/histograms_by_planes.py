"""Histograms of Hamming distances from bit planes: 32 items an instruction."""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Int, Shaped, UInt8, UInt32

from zsh_jax.core.metrics.bit_counts import bit_columns
from zsh_jax.core.metrics.item_blocks import sum_over_blocks
from zsh_jax.core.metrics.relevance import relevance
from zsh_jax.core.packing import unpack_codes

PAIRS = 2**26
"""Pairs of a query and an item at a time: 1,000 queries and 59,000 items take one step and about 70 MiB."""

WORD = 32  # items of a word
TOGETHER = 3  # lowest digits of the keys that are counted together
ALL = 0xFFFFFFFF  # a word of ones


def count_by_planes(
    query_codes: UInt8[Array, "q bytes"],
    query_labels: Shaped[Array, "q *words"],
    database_codes: UInt8[Array, "n bytes"],
    database_labels: Shaped[Array, "n *words"],
    is_item: Bool[Array, " n"] | None = None,
    *,
    bits: int,
) -> Int[Array, "q bins"]:
    """Count keys (2 x distance + relevant) of 32 items at once, in blocks of the database.

    A word holds one bit of 32 items. The bits that differ from a query's are added by full adders, which gives the
    binary digits of 32 distances; the items with a key are those whose digits are all the key's. No scatter, no atomic
    addition, and no floating-point product.

    Args:
        query_codes: as in `distance_histograms`.
        query_labels: of `label_words`.
        database_codes: as in `distance_histograms`.
        database_labels: of `label_words`.
        is_item: whether to count each row; None for all.
        bits: code length l.

    Returns:
        (q, 2 (l + 1)): irrelevant and relevant items at distance 0, then at distance 1, ...
    """
    queries, size, bins = query_codes.shape[0], database_codes.shape[0], 2 * (bits + 1)
    block = min(-(-size // WORD), max(1, PAIRS // queries // WORD)) * WORD
    asked = _ones_where(unpack_codes(query_codes, bits=bits) > 0)

    def count(
        codes: UInt8[Array, "block bytes"],
        labels: Shaped[Array, "block *words"],
        is_item: Bool[Array, " block"],
    ) -> Int[Array, "q bins"]:
        columns = bit_columns(codes, bits=bits)
        digits = _sum_of([columns[None, :, bit] ^ asked[:, bit, None] for bit in range(bits)])
        relevant = _words(jax.vmap(relevance, in_axes=(0, None))(query_labels, labels))
        return _count_keys([relevant, *digits], _words(is_item), bins=bins)

    shape = queries, bins
    return sum_over_blocks(count, database_codes, database_labels, is_item, block=block, shape=shape)


def _sum_of(planes: list[UInt32[Array, "q words"]]) -> list[UInt32[Array, "q words"]]:
    """Binary digits, lowest first, of the number of planes that have each bit."""
    digits = []
    while planes:
        carries = []
        while len(planes) > 1:
            one, other, *planes = planes
            third, planes = (planes[0], planes[1:]) if planes else (jnp.zeros_like(one), planes)
            both = one ^ other
            carries.append((one & other) | (both & third))
            planes = [*planes, both ^ third]
        digits.append(planes[0])
        planes = carries
    return digits


def _words(flags: Bool[Array, "*s n"]) -> UInt32[Array, "*s words"]:
    """32 flags a word, the first one highest, as `bit_columns` lays items out."""
    weights = jnp.uint32(1) << jnp.arange(WORD - 1, -1, -1, dtype=jnp.uint32)
    apart = flags.reshape(*flags.shape[:-1], -1, WORD)
    return jnp.where(apart, weights, jnp.uint32(0)).sum(-1, dtype=jnp.uint32)


def _count_keys(
    digits: list[UInt32[Array, "q words"]], is_item: UInt32[Array, " words"], *, bins: int
) -> Int[Array, "q bins"]:
    """How many items have each key, whose binary digits are given, lowest first.

    Keys that differ in the lowest digits alone are counted in one reduction, which reads the words once for all.
    """
    lowest, highest = digits[:TOGETHER], digits[TOGETHER:]
    group = jnp.arange(-(-bins // 2 ** len(lowest)), dtype=jnp.uint32)
    in_group = is_item[None, None]
    for place, digit in enumerate(highest):
        absent = _ones_where((group >> place) & 1 == 0)
        in_group &= digit[:, None] ^ absent[None, :, None]
    found = []
    for last in range(2 ** len(lowest)):
        own = in_group
        for place, digit in enumerate(lowest):
            own &= (digit if last >> place & 1 else ~digit)[:, None]
        found.append(lax.population_count(own).astype(jnp.int32))
    counts = lax.reduce(tuple(found), (jnp.int32(0),) * len(found), _plus, (2,))
    return jnp.stack(counts, axis=-1).reshape(len(digits[0]), -1)[:, :bins]


def _ones_where(flags: Bool[Array, "*s"]) -> UInt32[Array, "*s"]:
    """A word for each flag, with that flag as its bits."""
    return jnp.where(flags, jnp.uint32(ALL), jnp.uint32(0))


def _plus(one: tuple[Array, ...], other: tuple[Array, ...]) -> tuple[Array, ...]:
    return tuple(a + b for a, b in zip(one, other, strict=True))
