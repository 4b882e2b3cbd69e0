"""RaBitQ: binary codes with an unbiased estimate of inner products and distances.

Gao & Long, "RaBitQ: quantizing high-dimensional vectors with a theoretical error bound for approximate nearest
neighbor search", SIGMOD 2024. Notation: o and q are the unit directions of an item and of a query from a centre, P a
random frame, b = sign(P'o) the code, and o~ = P b / sqrt(l) the code as a direction. The estimate of <o, q> is

    <o~, q> / <o~, o>,

whose mean over the random frame is <o, q>: q has the parts <o, q> o and q', orthogonal to o. Mirroring space along q'
keeps o, hence the code and <o~, o>, and the distribution of P, and turns the sign of <o~, q'>: its mean is 0. This
holds for any number of bits up to the number of values; the paper has as many.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float, PRNGKeyArray, UInt8

from zsh_jax.core.metrics.equal_rows import first_equal_rows
from zsh_jax.core.packing import pack_codes, unpack_codes
from zsh_jax.core.precision import full_precision
from zsh_jax.core.sharding import rows_together
from zsh_jax.core.steps.rotation import random_rotation


class RaBitQ(NamedTuple):
    """The quantiser.

    Attributes:
        centre: subtracted from all vectors; the mean of the database.
        frame: P, orthonormal columns.
    """

    centre: Float[Array, " d"]
    frame: Float[Array, "d l"]


class Quantised(NamedTuple):
    """Items of a database: l bits and two numbers each.

    Attributes:
        codes: packed codes.
        length: distance of each item from the centre.
        agreement: <o~, o>, at least 1 / sqrt(d) where the frame is a basis; 0 for an item at the centre.
    """

    codes: UInt8[Array, "n bytes"]
    length: Float[Array, " n"]
    agreement: Float[Array, " n"]


def random_quantiser(
    key: PRNGKeyArray, centre: Float[Array, " d"], *, bits: int, dtype: DTypeLike = jnp.float32
) -> RaBitQ:
    """Draw a random frame.

    Args:
        key: of the draw.
        centre: of the database, (d,).
        bits: code length l, at most d.
        dtype: of the frame.

    Returns:
        The quantiser.

    Raises:
        ValueError: there are more bits than values.
    """
    if bits > centre.shape[0]:
        raise ValueError(f"{bits} bits need at least as many values; got {centre.shape[0]}")
    return RaBitQ(centre, random_rotation(key, size=centre.shape[0], dtype=dtype)[:, :bits])


@jax.jit
@full_precision
def quantise(quantiser: RaBitQ, x: Float[Array, "n d"]) -> Quantised:
    """Codes and factors of items.

    Args:
        quantiser: of `random_quantiser`.
        x: items, (n, d).

    Returns:
        Their codes; 8 bytes an item beside them in float32. Equal items have equal codes and factors, to the bit.
    """
    away = x - quantiser.centre[None]
    length = jnp.sqrt(jnp.sum(away**2, axis=1))
    values = away @ quantiser.frame
    size = jnp.where(length > 0, length, 1) * jnp.sqrt(jnp.asarray(values.shape[1], x.dtype))
    made = Quantised(pack_codes(values), length, jnp.sum(jnp.abs(values), axis=1) / size)
    same = first_equal_rows(x)
    return Quantised(*(rows_together(leaf)[same] for leaf in made))


@jax.jit
@full_precision
def estimated_products(
    quantiser: RaBitQ, items: Quantised, queries: Float[Array, "q d"]
) -> Float[Array, "q n"]:
    """Unbiased estimates of <x - centre, query - centre>, the queries in full precision.

    Given <o~, o>, the estimate of <o, q / |q|> has the variance (1 - <o, q>^2) (1 - <o~, o>^2) / (<o~, o>^2 (d - 1)).

    Args:
        quantiser: that quantised the items.
        items: of `quantise`.
        queries: (q, d).

    Returns:
        (q, n).
    """
    bits = quantiser.frame.shape[1]
    away = (queries - quantiser.centre[None]) @ quantiser.frame
    signs = unpack_codes(items.codes, bits=bits).astype(away.dtype)
    root = jnp.sqrt(jnp.asarray(bits, away.dtype))
    factor = jnp.where(items.agreement > 0, items.length / jnp.maximum(items.agreement, 1e-30), 0)
    return away @ signs.T * (factor / root)[None]


@jax.jit
@full_precision
def estimated_squared_distances(
    quantiser: RaBitQ, items: Quantised, queries: Float[Array, "q d"]
) -> Float[Array, "q n"]:
    """Unbiased estimates of |x - query|^2; an estimate may be negative.

    Args:
        quantiser: that quantised the items.
        items: of `quantise`.
        queries: (q, d).

    Returns:
        (q, n).
    """
    squared = jnp.sum((queries - quantiser.centre[None]) ** 2, axis=1)
    return squared[:, None] + (items.length**2)[None] - 2 * estimated_products(quantiser, items, queries)
