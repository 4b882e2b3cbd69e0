"""The hash function: standardise, RBF features, project, sign."""

from typing import NamedTuple

from jaxtyping import Array, Float


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
