"""Feature maps, from preprocessed features to the input of the head.

All take RBF features that are already computed, so that every map, head and code length of a data split shares them.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from zsh_jax.core.kernel import rbf_features


class Identity(NamedTuple):
    """The preprocessed features themselves."""

    def __call__(self, x: Float[Array, "n p"], phi: Float[Array, "n m"] | None = None) -> Float[Array, "n p"]:
        """Return x, (n, p), as it is."""
        del phi
        return x


class RBF(NamedTuple):
    """RBF features with a constant column, see `rbf_features`.

    Attributes:
        anchors: preprocessed features of the anchors.
        bandwidth: sigma^2, in squared units of the preprocessed features.
    """

    anchors: Float[Array, "k p"]
    bandwidth: Float[Array, ""]

    def __call__(self, x: Float[Array, "n p"], phi: Float[Array, "n m"] | None = None) -> Float[Array, "n m"]:
        """Return phi(x), (n, m) with m = k + 1."""
        return rbf_features(x, self.anchors, self.bandwidth) if phi is None else phi


class FeaturesAndRBF(NamedTuple):
    """The preprocessed features, concatenated with their RBF features.

    Attributes:
        anchors: as for `RBF`.
        bandwidth: as for `RBF`.
    """

    anchors: Float[Array, "k p"]
    bandwidth: Float[Array, ""]

    def __call__(self, x: Float[Array, "n p"], phi: Float[Array, "n m"] | None = None) -> Float[Array, "n f"]:
        """Return (x, phi(x)), (n, f) with f = p + k + 1."""
        return jnp.concatenate([x, RBF(*self)(x, phi)], axis=1)


FeatureMap = Identity | RBF | FeaturesAndRBF
