"""Products of whole numbers beyond 32 bits, exact in integers of 32 bits: counts of large databases."""

import jax.numpy as jnp
from jaxtyping import Array, Float, UInt32

HALF = 16  # bits
LOW = 0xFFFF


def product(
    a: UInt32[Array, "*s"], b: UInt32[Array, "*s"]
) -> tuple[UInt32[Array, "*s"], UInt32[Array, "*s"]]:
    """The 64 bits of a product, as two words (Warren, "Hacker's Delight", 8-2).

    Args:
        a: whole numbers.
        b: whole numbers, of the same shape.

    Returns:
        High and low words.
    """
    low_a, high_a, low_b, high_b = a & LOW, a >> HALF, b & LOW, b >> HALF
    lowest = low_a * low_b
    middle = high_a * low_b + (lowest >> HALF)
    other = low_a * high_b + (middle & LOW)
    return high_a * high_b + (middle >> HALF) + (other >> HALF), (other << HALF) | (lowest & LOW)


def product_difference(
    a: UInt32[Array, "*s"],
    b: UInt32[Array, "*s"],
    c: UInt32[Array, "*s"],
    d: UInt32[Array, "*s"],
    dtype: jnp.dtype | type,
) -> Float[Array, "*s"]:
    """The absolute value |a b - c d|, rounded once or twice: no digits are lost if the products are nearly equal.

    Args:
        a: whole numbers.
        b: whole numbers.
        c: whole numbers.
        d: whole numbers, all of one shape.
        dtype: of the result.

    Returns:
        The absolute differences.
    """
    (high, low), (other_high, other_low) = product(a, b), product(c, d)
    less = (high < other_high) | ((high == other_high) & (low < other_low))
    high, other_high = jnp.where(less, other_high, high), jnp.where(less, high, other_high)
    low, other_low = jnp.where(less, other_low, low), jnp.where(less, low, other_low)
    borrow = (low < other_low).astype(jnp.uint32)
    return as_float(high - other_high - borrow, low - other_low, dtype)


def as_float(
    high: UInt32[Array, "*s"], low: UInt32[Array, "*s"], dtype: jnp.dtype | type
) -> Float[Array, "*s"]:
    """The number with these high and low words."""
    return high.astype(dtype) * 2.0**32 + low.astype(dtype)
