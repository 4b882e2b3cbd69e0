"""Codes as bytes: packing, unpacking, and Hamming distances."""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int32, UInt8, UInt32


def signs(values: Float[Array, "*s"]) -> Float[Array, "*s"]:
    """Signs in {-1, +1}: exactly zero is -1, as in a packed code."""
    return jnp.where(values > 0, jnp.ones_like(values), -1)


def pack_codes(codes: Float[Array, "*n l"]) -> UInt8[Array, "*n bytes"]:
    """Pack codes into bytes, eight bits each, the first bit highest; positive is 1.

    Args:
        codes: in {-1, +1}, (..., l).

    Returns:
        (..., ceil(l / 8)); bits after l are zero.
    """
    return jnp.packbits(codes > 0, axis=-1)


def unpack_codes(packed: UInt8[Array, "*n bytes"], *, bits: int) -> Float[Array, "*n l"]:
    """Invert `pack_codes`.

    Args:
        packed: (..., ceil(l / 8)).
        bits: code length l.

    Returns:
        Codes in {-1, +1}, (..., l).

    Raises:
        ValueError: the bytes do not hold that many bits.
    """
    if packed.shape[-1] != -(-bits // 8):
        raise ValueError(f"{packed.shape[-1]} bytes a code do not hold {bits} bits")
    return 2 * jnp.unpackbits(packed, axis=-1, count=bits).astype(float) - 1


def code_words(packed: UInt8[Array, "n bytes"]) -> UInt32[Array, "n words"]:
    """Packed codes as 32-bit words, zero-padded: a quarter of the instructions."""
    padded = jnp.pad(packed, ((0, 0), (0, -packed.shape[1] % 4)))
    return lax.bitcast_convert_type(padded.reshape(packed.shape[0], -1, 4), jnp.uint32)


def hamming_distances(a: UInt8[Array, "n bytes"], b: UInt8[Array, "k bytes"]) -> Int32[Array, "n k"]:
    """Hamming distances, in bits, between packed codes of one length."""
    words_a, words_b = code_words(a), code_words(b)
    distances = jnp.zeros((a.shape[0], b.shape[0]), jnp.int32)
    for word in range(words_a.shape[1]):
        differing = lax.population_count(words_a[:, None, word] ^ words_b[None, :, word])
        distances += differing.astype(jnp.int32)
    return distances
