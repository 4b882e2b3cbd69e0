"""The hash function: preprocess, RBF features, project, sign."""

from functools import partial
from typing import NamedTuple

import jax
from jax import lax
from jaxtyping import Array, Bool, Float, UInt8

from zsh_jax.core.kernel import rbf_features
from zsh_jax.core.packing import pack_codes
from zsh_jax.core.precision import full_precision
from zsh_jax.core.preprocessing import Preprocessing, apply_preprocessing


class HashFunction(NamedTuple):
    """sign(phi(x) P): all that is needed to encode images never seen (Yang et al. 2016, eq. 3).

    Attributes:
        mean: mean of the training features; see `Preprocessing` for it and the next.
        scale: deviation of the training features; 1 for a constant one.
        anchors: preprocessed features of the anchors.
        bandwidth: sigma^2 of the RBF kernel, in squared units of the preprocessed features.
        projection: P; its last row belongs to the constant column of Phi.
        basis: of the preprocessing, where it has one; anchors then have p values.
        unit: whether rows are brought to unit length; None for no.
    """

    mean: Float[Array, " d"]
    scale: Float[Array, " d"]
    anchors: Float[Array, "k p"]
    bandwidth: Float[Array, ""]
    projection: Float[Array, "m l"]
    basis: Float[Array, "d p"] | None = None
    unit: Bool[Array, ""] | None = None

    @property
    def preprocessing(self) -> Preprocessing:
        """What is done to raw features first."""
        return Preprocessing(self.mean, self.scale, self.basis, self.unit)


@partial(jax.jit, static_argnames="block")
@full_precision
def encode(
    hash_function: HashFunction, x: Float[Array, "n d"], *, block: int = 1024
) -> UInt8[Array, "n bytes"]:
    """Codes of images, packed. A projection of exactly zero is bit 0.

    Args:
        hash_function: a trained hash function; vmap over its `projection` alone to share phi(x).
        x: raw features, (n, d), as they were before preprocessing.
        block: samples at a time; static. The memory needed is block x m.

    Returns:
        (n, ceil(l / 8)) bytes, as `pack_codes` gives them.
    """

    def encode_one(row: Float[Array, " d"]) -> UInt8[Array, " bytes"]:
        features = apply_preprocessing(hash_function.preprocessing, row[None])
        phi = rbf_features(features, hash_function.anchors, hash_function.bandwidth)
        return pack_codes(phi @ hash_function.projection)[0]

    return lax.map(encode_one, x, batch_size=min(block, x.shape[0]))
