"""The kNN graph of the training samples."""

from functools import partial
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from zsh_jax.core.graph_over_devices import nearest_over_devices
from zsh_jax.core.kernel import squared_distances
from zsh_jax.core.sharding import data_devices

EdgeWeights = Literal["heat", "binary"]


class Graph(NamedTuple):
    """k weighted neighbours of each sample. The adjacency matrix A is the mean of these edges and their reverse.

    Attributes:
        neighbours: indices of the nearest samples, nearest first; never the sample itself.
        weights: weight of each edge, in [0, 1]; 0 if the neighbour has k copies but the sample does not.
    """

    neighbours: Int[Array, "n k"]
    weights: Float[Array, "n k"]


@partial(jax.jit, static_argnames=("k", "weights", "block"))
def knn_graph(
    x: Float[Array, "n d"], *, k: int = 10, weights: EdgeWeights = "heat", block: int = 512
) -> Graph:
    """Exact k nearest neighbours in Euclidean distance, with self-tuned heat weights.

    w_ij = exp(-|x_i - x_j|^2 / (s_i s_j)), where s_i is the distance of sample i to its k-th neighbour (Zelnik-Manor &
    Perona 2004). Rows are processed in blocks. Memory: block x n, not n x n.

    Args:
        x: features, (n, d).
        k: neighbours a sample; less than n.
        weights: "heat" as above, or "binary" for 1 on every edge; static.
        block: rows at a time; static.

    Returns:
        The graph; arrays are (n, k).

    Raises:
        ValueError: k is not in 1..n-1, or `weights` is unknown.
    """
    n = x.shape[0]
    if weights not in ("heat", "binary"):
        raise ValueError(f"weights must be heat or binary; got {weights!r}")
    if not 1 <= k < n:
        raise ValueError(f"cannot find {k} neighbours among {n} samples")

    def nearest(
        row: Float[Array, " d"], index: Int[Array, ""]
    ) -> tuple[Float[Array, " k"], Int[Array, " k"]]:
        distances = squared_distances(row[None], x)[0].at[index].set(jnp.inf)
        _, neighbours = lax.top_k(-distances, k)
        # These distances carry the rounding of |x|^2, which would be the whole scale of identical samples.
        exact = jnp.sum((row[None] - x[neighbours]) ** 2, axis=1)
        order = jnp.argsort(exact)
        return exact[order], neighbours[order]

    if data_devices() > 1:
        squared, neighbours = nearest_over_devices(x, k=k, block=block)
    else:
        every = (x, jnp.arange(n))
        squared, neighbours = lax.map(lambda args: nearest(*args), every, batch_size=min(block, n))
    if weights == "binary":
        return Graph(neighbours, jnp.ones_like(squared))
    width = jnp.sqrt(squared[:, -1])
    # Copies of one image have distance 0: their edge weight is 1.
    tuned = jnp.maximum(width[:, None] * width[neighbours], jnp.finfo(x.dtype).tiny)
    return Graph(neighbours, jnp.exp(-squared / tuned))
