"""The anchor graph: samples are neighbours through shared anchors; linear in the number of samples."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from zsh_jax.core.kernel import squared_distances
from zsh_jax.core.sharding import by_share


class AnchorGraph(NamedTuple):
    """Each sample's weights on its nearest anchors. The adjacency matrix is A = Z Lambda^-1 Z', never formed.

    Z (n x k) holds the weights, Lambda their sums over samples. Rows of A sum to 1 (Liu, He & Chang, "Large graph
    construction for scalable semi-supervised learning", ICML 2010).

    Attributes:
        anchors: indices of each sample's s nearest anchors.
        weights: the sample's weights on them; each row sums to 1.
        mass: Lambda, the sum of weights on each anchor.
    """

    anchors: Int[Array, "n s"]
    weights: Float[Array, "n s"]
    mass: Float[Array, " k"]


@partial(jax.jit, static_argnames=("nearest", "block"))
def anchor_graph(
    x: Float[Array, "n d"],
    anchor_features: Float[Array, "k d"],
    sigma_squared: Float[Array, ""],
    *,
    nearest: int = 3,
    block: int = 512,
) -> AnchorGraph:
    """Weights of samples on their nearest anchors, by the RBF kernel.

    Args:
        x: standardised features, (n, d).
        anchor_features: anchors, (k, d).
        sigma_squared: bandwidth of the kernel.
        nearest: anchors a sample, s; at most k; static.
        block: samples at a time; static. Memory: block x k.

    Returns:
        The graph; `anchors` and `weights` are (n, s).

    Raises:
        ValueError: there are fewer anchors than `nearest`.
    """
    k = anchor_features.shape[0]
    if not 1 <= nearest <= k:
        raise ValueError(f"cannot find {nearest} nearest of {k} anchors")

    chosen, weights = by_share(
        partial(_shares, nearest=nearest, block=block), (x,), (anchor_features, sigma_squared)
    )
    return AnchorGraph(chosen, weights, jnp.zeros(k, x.dtype).at[chosen].add(weights))


def _shares(
    x: Float[Array, "n d"],
    anchor_features: Float[Array, "k d"],
    sigma_squared: Float[Array, ""],
    *,
    nearest: int,
    block: int,
) -> tuple[Int[Array, "n s"], Float[Array, "n s"]]:
    def of_row(row: Float[Array, " d"]) -> tuple[Int[Array, " s"], Float[Array, " s"]]:
        distances = squared_distances(row[None], anchor_features)[0]
        return weights_on_anchors(distances, sigma_squared, nearest=nearest)

    return lax.map(of_row, x, batch_size=min(block, x.shape[0]))


def weights_on_anchors(
    squared: Float[Array, "*n k"], sigma_squared: Float[Array, ""], *, nearest: int
) -> tuple[Int[Array, "*n s"], Float[Array, "*n s"]]:
    """The nearest anchors of samples, and their weights, from squared distances.

    Args:
        squared: distances of each sample to the anchors.
        sigma_squared: bandwidth of the kernel.
        nearest: anchors a sample, s.

    Returns:
        Indices of the anchors, nearest first, and weights that sum to 1.
    """
    negative, chosen = lax.top_k(-squared, nearest)
    return chosen, jax.nn.softmax(negative / (2 * sigma_squared))
