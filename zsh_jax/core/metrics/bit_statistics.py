"""Statistics of codes: balance, correlation and number of distinct codes."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int, Shaped, UInt8

from zsh_jax.core.metrics.ranking import has_label
from zsh_jax.core.packing import code_words, unpack_codes
from zsh_jax.core.precision import full_precision


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


@partial(jax.jit, static_argnames=("bits", "block"))
@full_precision
def bit_statistics(
    codes: UInt8[Array, "n bytes"], labels: Shaped[Array, "n *c"], *, bits: int, block: int = 4096
) -> BitStatistics:
    """Balance, correlation and number of distinct codes.

    Args:
        codes: packed, (n, ceil(bits / 8)).
        labels: class indices (n,), or multi-hot (n, c), where an item counts in each of its classes.
        bits: code length l; static.
        block: codes unpacked at a time; static. Memory: block x l, plus a few arrays of the size of the codes.

    Returns:
        Scalars; `codes_per_class` is NaN if no item has a class.
    """
    dtype = jnp.result_type(float)
    size = codes.shape[0]
    total, mean, covariance = _moments(codes, bits=bits, block=block)
    # Compare integers: a compiler may replace division by n with multiplication by 1/n, and then n/n is not 1.
    steady = jnp.abs(total) == size
    inverse = jnp.where(steady, 0, 1 / jnp.sqrt(jnp.where(steady, 1, jnp.diagonal(covariance))))
    correlation = jnp.abs(covariance * inverse[:, None] * inverse[None, :])
    apart = jnp.where(jnp.eye(bits, dtype=bool), 0, correlation).sum() / max(bits * (bits - 1), 1)
    rank = _ranks(codes)
    return BitStatistics(
        bit_balance=jnp.abs(mean).mean(),
        bit_correlation=apart,
        distinct_codes=(rank.max() + 1).astype(dtype) / size,
        codes_per_class=_codes_per_class(rank, labels, dtype),
    )


def _moments(
    codes: UInt8[Array, "n bytes"], *, bits: int, block: int
) -> tuple[Int[Array, " l"], Float[Array, " l"], Float[Array, "l l"]]:
    """Sum, mean and covariance of the bits; centred before the product, for precision with rare bits."""
    dtype = jnp.result_type(float)
    size = codes.shape[0]
    block = min(block, size)
    padded = jnp.pad(codes, ((0, -size % block), (0, 0))).reshape(-1, block, codes.shape[1])
    real = (jnp.arange(padded.shape[0] * block) < size).reshape(-1, block)

    def count(
        total: Int[Array, " l"], part: tuple[UInt8[Array, "b bytes"], Bool[Array, " b"]]
    ) -> tuple[Int[Array, " l"], None]:
        rows, here = part
        signs = jnp.where(here[:, None], unpack_codes(rows, bits=bits).astype(jnp.int32), 0)
        return total + signs.sum(0, dtype=jnp.int32), None

    total, _ = lax.scan(count, jnp.zeros(bits, jnp.int32), (padded, real))
    mean = total.astype(dtype) / size

    def multiply(
        products: Float[Array, "l l"], part: tuple[UInt8[Array, "b bytes"], Bool[Array, " b"]]
    ) -> tuple[Float[Array, "l l"], None]:
        rows, here = part
        centred = jnp.where(here[:, None], unpack_codes(rows, bits=bits).astype(dtype) - mean[None, :], 0)
        return products + centred.T @ centred, None

    products, _ = lax.scan(multiply, jnp.zeros((bits, bits), dtype), (padded, real))
    return total, mean, products / size


def _ranks(codes: UInt8[Array, "n bytes"]) -> Int[Array, " n"]:
    """Index of each code among the distinct codes: equal for equal codes."""
    words = code_words(codes)
    place = jnp.arange(words.shape[0], dtype=jnp.int32)
    *ordered, origin = lax.sort((*words.T, place), num_keys=words.shape[1], is_stable=False)
    new = jnp.stack([word[1:] != word[:-1] for word in ordered]).any(0)
    rank = jnp.pad(jnp.cumsum(new, dtype=jnp.int32), (1, 0))
    return jnp.zeros_like(place).at[origin].set(rank, unique_indices=True)


def _codes_per_class(
    rank: Int[Array, " n"], labels: Shaped[Array, "n *c"], dtype: jnp.dtype
) -> Float[Array, ""]:
    if labels.ndim == 1:
        label, code = lax.sort((labels, rank), num_keys=2, is_stable=False)
        other_class = label[1:] != label[:-1]
        pairs = 1 + jnp.sum(other_class | (code[1:] != code[:-1]))
        return pairs.astype(dtype) / (1 + jnp.sum(other_class)).astype(dtype)

    def different(member: Bool[Array, " n"]) -> Int[Array, ""]:
        return jnp.zeros(member.shape, jnp.bool_).at[rank].max(member).sum()

    found = lax.map(different, has_label(labels.T))
    return found.sum().astype(dtype) / jnp.sum(found > 0).astype(dtype)
