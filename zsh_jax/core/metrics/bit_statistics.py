"""Statistics of codes: balance, correlation and number of distinct codes."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int, Shaped, UInt8, UInt32

from zsh_jax.core.metrics.bit_counts import bit_counts
from zsh_jax.core.metrics.distinct_over_devices import distinct_over_devices
from zsh_jax.core.metrics.equal_codes import an_equal_row
from zsh_jax.core.metrics.exact_products import as_float, product, product_difference
from zsh_jax.core.metrics.relevance import has_label
from zsh_jax.core.packing import code_words
from zsh_jax.core.sharding import are_rows, data_devices

CLASSES = 8  # at a time, for multi-hot labels


class BitStatistics(NamedTuple):
    """Statistics of a set of codes.

    Attributes:
        bit_balance: mean over bits of |mean of the bit in {-1, +1}|; 0 if each bit is set in half of the codes.
        bit_correlation: mean over pairs of bits of |Pearson correlation|; 0 for a pair with a constant bit, and for a
            single bit.
        distinct_codes: number of distinct codes / number of codes.
        codes_per_class: number of distinct codes in a class, mean over the classes that occur.
    """

    bit_balance: Float[Array, ""]
    bit_correlation: Float[Array, ""]
    distinct_codes: Float[Array, ""]
    codes_per_class: Float[Array, ""]


@partial(jax.jit, static_argnames="bits")
def bit_statistics(
    codes: UInt8[Array, "n bytes"], labels: Shaped[Array, "n *c"], *, bits: int
) -> BitStatistics:
    """Balance, correlation and number of distinct codes, from whole numbers.

    Args:
        codes: packed, (n, ceil(bits / 8)).
        labels: class indices (n,), or multi-hot (n, c), where an item counts in each of its classes.
        bits: code length l; static. Memory: a few arrays of the size of the codes, and `CLASSES` more of n for
            multi-hot labels.

    Returns:
        Scalars; `codes_per_class` is NaN if no item has a class.
    """
    dtype = jnp.result_type(float)
    size = codes.shape[0]
    ones, differing = bit_counts(codes, bits=bits)
    if data_devices() > 1:
        distinct, codes_per_class = _distinct_of_devices(code_words(codes), labels, dtype)
    else:
        same = an_equal_row(code_words(codes))
        distinct, codes_per_class = _distinct(same, dtype), _codes_per_class(same, labels, dtype)
    return BitStatistics(
        bit_balance=jnp.abs(2 * ones - size).astype(dtype).mean() / size,
        bit_correlation=_correlation(ones, differing, size, dtype),
        distinct_codes=distinct / size,
        codes_per_class=codes_per_class,
    )


def _correlation(
    ones: Int[Array, " l"], differing: Int[Array, "l l"], size: int, dtype: jnp.dtype
) -> Float[Array, ""]:
    """Mean absolute correlation of two different bits.

    With a and b ones among n items, and both in c items, it is |n c - a b| / sqrt(a (n - a) b (n - b)). The products
    exceed 32 bits from n = 65,536, and nearly cancel if bits are nearly independent: they are exact.
    """
    bits = len(ones)
    count, number = ones.astype(jnp.uint32), jnp.full((), size, jnp.uint32)
    both = ((ones[:, None] + ones[None] - differing) // 2).astype(jnp.uint32)
    whole = jnp.broadcast_to(number, both.shape)
    one, other = jnp.broadcast_arrays(count[:, None], count[None])
    deviation = jnp.sqrt(as_float(*product(count, number - count), dtype))
    inverse = jnp.where(deviation > 0, 1 / jnp.where(deviation > 0, deviation, 1), 0)
    correlation = product_difference(whole, both, one, other, dtype) * inverse[:, None] * inverse[None]
    return jnp.where(jnp.eye(bits, dtype=bool), 0, correlation).sum() / max(bits * (bits - 1), 1)


def _codes_per_class(
    same: Int[Array, " n"], labels: Shaped[Array, "n *c"], dtype: jnp.dtype
) -> Float[Array, ""]:
    if labels.ndim == 1:
        numbers = _as_words(labels)
        pairs = jnp.concatenate([numbers, same.astype(jnp.uint32)[:, None]], axis=1)
        return _distinct(an_equal_row(pairs), dtype) / _distinct(an_equal_row(numbers), dtype)

    def in_class(member: Bool[Array, " n"]) -> Int[Array, ""]:
        return jnp.zeros(member.shape, bool).at[same].max(member).sum(dtype=jnp.int32)

    found = lax.map(in_class, has_label(labels.T), batch_size=min(CLASSES, labels.shape[1]))
    # Items count in each of their classes: the sum of counts may exceed 32 bits.
    return found.astype(dtype).sum() / jnp.sum(found > 0).astype(dtype)


def _distinct_of_devices(
    words: UInt32[Array, "n words"], labels: Shaped[Array, "n *c"], dtype: jnp.dtype
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """The number of distinct codes, and `_codes_per_class`; labels lie whole on every device."""
    every = are_rows(words)[:, None]
    distinct = distinct_over_devices(words, every)[0].astype(dtype)
    if labels.ndim == 1:
        numbers = _as_words(labels)
        pairs = distinct_over_devices(jnp.concatenate([numbers, words], axis=1), every)[0]
        classes = distinct_over_devices(numbers, every)[0]
        return distinct, pairs.astype(dtype) / classes.astype(dtype)
    found = distinct_over_devices(words, has_label(labels))
    return distinct, found.sum().astype(dtype) / jnp.sum(found > 0).astype(dtype)


def _as_words(labels: Int[Array, " n"]) -> UInt32[Array, "n 1"]:
    return lax.bitcast_convert_type(labels.astype(jnp.int32), jnp.uint32)[:, None]


def _distinct(same: Int[Array, " n"], dtype: jnp.dtype) -> Float[Array, ""]:
    return jnp.sum(same == jnp.arange(len(same), dtype=jnp.int32)).astype(dtype)
