"""Quotients that are equal where they should be: GPUs divide float32 numbers to within two units in the last place."""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

DIGITS = 23  # of a float32 number, after the first one
BIAS, SMALLEST, LARGEST = 127, -126, 127  # of its exponent


def equal_quotients(a: Float[Array, "*s"], b: Float[Array, "*s"]) -> Float[Array, "*s"]:
    """The quotient a / b, such that pairs with equal quotients give equal numbers on every processor.

    Division to the nearest number does so: on the CPU, and in float64. Elsewhere see `quotient_of_digits`.

    Args:
        a: any.
        b: positive, of the same shape.

    Returns:
        The quotients.
    """
    if a.dtype != jnp.float32:
        return a / b
    quotients: Array = lax.platform_dependent(a, b, cpu=jnp.divide, default=quotient_of_digits)
    return quotients


def quotient_of_digits(a: Float[Array, "*s"], b: Float[Array, "*s"]) -> Float[Array, "*s"]:
    """The quotient a / b from the digits of both, in whole numbers, which no compiler rounds.

    An approximate quotient of the digits is corrected by its exact remainder. The remainder is smaller than 2^31, so
    that 32 bits hold it though its terms take 48.

    Args:
        a: float32.
        b: positive float32.

    Returns:
        The quotient cut off after 24 binary digits, or a / b as the processor has it where a, b or the quotient is not
        a normal number.
    """
    (digits, power), (divisor, other_power) = _parts(jnp.abs(a)), _parts(b)
    near = (digits.astype(jnp.float32) / divisor.astype(jnp.float32) * 2.0 ** (DIGITS + 1)).astype(jnp.int32)
    remainder = (digits << (DIGITS + 1)) - near * divisor  # modulo 2^32
    whole = near + jnp.floor_divide(remainder, divisor)
    whole = jnp.where(whole >= 2 << DIGITS, whole & -2, whole)  # 25 digits if those of a are the larger ones
    exponent = power - other_power
    within = (exponent > SMALLEST) & (exponent < LARGEST) & _is_normal(a) & _is_normal(b)
    scale = lax.bitcast_convert_type((jnp.where(within, exponent, 0) + BIAS) << DIGITS, jnp.float32)
    exact = jnp.sign(a) * (whole.astype(jnp.float32) * 2.0 ** -(DIGITS + 1)) * scale
    return jnp.where(within, exact, a / b)


def _parts(x: Float[Array, "*s"]) -> tuple[Int[Array, "*s"], Int[Array, "*s"]]:
    """Digits and exponent of positive numbers: x = digits 2^(exponent - 23), with 2^23 <= digits < 2^24."""
    word = lax.bitcast_convert_type(x, jnp.int32)
    return (word & ((1 << DIGITS) - 1)) | (1 << DIGITS), (word >> DIGITS) - BIAS


def _is_normal(x: Float[Array, "*s"]) -> Bool[Array, "*s"]:
    size = jnp.abs(x)
    return (size >= jnp.finfo(jnp.float32).tiny) & jnp.isfinite(x)
