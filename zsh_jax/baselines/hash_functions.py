"""What a baseline returns: a linear map of the standardised features, or of the RBF features."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, UInt8

from zsh_jax.core.packing import pack_codes
from zsh_jax.core.precision import full_precision
from zsh_jax.core.preprocessing import Preprocessing, apply_preprocessing


class Linear(NamedTuple):
    """sign(x P + o) of standardised features.

    Attributes:
        projection: P.
        offset: o.
    """

    projection: Float[Array, "d l"]
    offset: Float[Array, " l"]


class Kernel(NamedTuple):
    """sign(phi(x) P) of RBF features: with the anchors and the bandwidth, a `zsh_jax.HashFunction`.

    Attributes:
        projection: P; its last row belongs to the constant column.
    """

    projection: Float[Array, "m l"]


class LinearHashFunction(NamedTuple):
    """All that a linear method needs to encode images never seen.

    Attributes:
        mean: mean of the training features; see `Preprocessing` for it and the next.
        scale: deviation of the training features; 1 for a constant one.
        projection: on the preprocessed features.
        offset: added to the projected features.
        basis: of the preprocessing, where it has one.
        unit: whether rows are brought to unit length; None for no.
    """

    mean: Float[Array, " d"]
    scale: Float[Array, " d"]
    projection: Float[Array, "p l"]
    offset: Float[Array, " l"]
    basis: Float[Array, "d p"] | None = None
    unit: Bool[Array, ""] | None = None


@partial(jax.jit, static_argnames="block")
@full_precision
def encode_linear(
    function: LinearHashFunction, x: Float[Array, "n d"], *, block: int = 1024
) -> UInt8[Array, "n bytes"]:
    """Codes of images under a linear hash function, packed as `zsh_jax.encode` packs them. Exactly zero is bit 0.

    Args:
        function: a trained hash function; vmap over its `projection` and `offset` for several.
        x: raw features, (n, d), as they were before standardisation.
        block: samples at a time; static.

    Returns:
        (n, ceil(l / 8)) bytes.
    """

    def encode_one(row: Float[Array, " d"]) -> UInt8[Array, " bytes"]:
        preprocessing = Preprocessing(function.mean, function.scale, function.basis, function.unit)
        projected = apply_preprocessing(preprocessing, row[None]) @ function.projection
        return pack_codes(projected[0] + function.offset)

    return lax.map(encode_one, x, batch_size=min(block, x.shape[0]))


def signs(values: Float[Array, "*s"]) -> Float[Array, "*s"]:
    """-1 or +1, never 0: exactly zero is -1, as in a packed code.

    Args:
        values: any.

    Returns:
        Of the same shape.
    """
    return jnp.where(values > 0, jnp.ones_like(values), -1)


@full_precision
def centred_linear(mean: Float[Array, " d"], projection: Float[Array, "d l"]) -> Linear:
    """(x - mean) P as a map of x.

    Args:
        mean: of the training features; zero up to rounding where they are standardised.
        projection: P.

    Returns:
        The map, with offset -mean P.
    """
    return Linear(projection, -(mean[None] @ projection)[0])


@full_precision
def centred_kernel(mean: Float[Array, " m"], projection: Float[Array, "k l"]) -> Kernel:
    """(phi(x) - mean) P of the features before the constant column, as a map of phi(x).

    Args:
        mean: of the RBF features; the last is that of the constant column, 1, and is not read.
        projection: P, a row for each of the k = m - 1 features before the constant column.

    Returns:
        The map: the constant column's row is -mean P.
    """
    return Kernel(jnp.concatenate([projection, -(mean[None, :-1] @ projection)]))
