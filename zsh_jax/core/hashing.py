"""The hash function: standardise, RBF features, project, sign."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, UInt8

from zsh_jax.core.kernel import rbf_features
from zsh_jax.core.packing import pack_codes
from zsh_jax.core.precision import full_precision


class HashFunction(NamedTuple):
    """sign(phi(x) P): all that is needed to encode images never seen (Yang et al. 2016, eq. 3).

    Attributes:
        mean: mean of the training features.
        scale: deviation of the training features; 1 for a constant one.
        anchors: standardised features of the anchors.
        bandwidth: sigma^2 of the RBF kernel, in squared units of the standardised features.
        projection: P; its last row belongs to the constant column of Phi.
    """

    mean: Float[Array, " d"]
    scale: Float[Array, " d"]
    anchors: Float[Array, "k d"]
    bandwidth: Float[Array, ""]
    projection: Float[Array, "m l"]


@partial(jax.jit, static_argnames="block")
@full_precision
def encode(
    hash_function: HashFunction, x: Float[Array, "n d"], *, block: int = 1024
) -> UInt8[Array, "n bytes"]:
    """Codes of images, packed. A projection of exactly zero is bit 0.

    Args:
        hash_function: a trained hash function; vmap over its `projection` alone to share phi(x).
        x: raw features, (n, d), as they were before standardisation.
        block: samples at a time; static. The memory needed is block x m.

    Returns:
        (n, ceil(l / 8)) bytes, as `pack_codes` gives them.
    """

    def encode_one(row: Float[Array, " d"]) -> UInt8[Array, " bytes"]:
        standardised = (row - hash_function.mean) / hash_function.scale
        phi = rbf_features(standardised[None], hash_function.anchors, hash_function.bandwidth)
        return pack_codes(phi @ hash_function.projection)[0]

    return lax.map(encode_one, x, batch_size=min(block, x.shape[0]))


def standardisation(x: Float[Array, "n d"]) -> tuple[Float[Array, " d"], Float[Array, " d"]]:
    """Mean and scale that standardise the training features.

    Args:
        x: raw training features, (n, d).

    Returns:
        The mean, and the deviation, 1 for a constant feature, both (d,).
    """
    # Rounding of the mean gives a constant feature a tiny deviation: only its range tells that it is one.
    return x.mean(0), jnp.where(jnp.ptp(x, axis=0) > 0, x.std(0), 1)
