"""The neighbour graph of the training samples, and its Laplacian's quadratic form."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from zsh_jax.core.kernel import squared_distances
from zsh_jax.core.precision import full_precision


class Graph(NamedTuple):
    """k weighted neighbours of each sample. The adjacency matrix A is the mean of these edges and their reverse.

    Attributes:
        neighbours: indices of the nearest samples, nearest first; never the sample itself.
        weights: weight of each edge, in [0, 1]; 0 where the neighbour, but not the sample, has k copies.
    """

    neighbours: Int[Array, "n k"]
    weights: Float[Array, "n k"]


@partial(jax.jit, static_argnames=("k", "block"))
def knn_graph(x: Float[Array, "n d"], *, k: int = 10, block: int = 512) -> Graph:
    """Exact k nearest neighbours in Euclidean distance, with self-tuned heat weights.

    w_ij = exp(-|x_i - x_j|^2 / (s_i s_j)), where s_i is the distance of sample i to its k-th neighbour
    (Zelnik-Manor & Perona 2004). Rows are taken in blocks: the memory needed is block x n, not n x n.

    Args:
        x: features, (n, d).
        k: neighbours a sample; less than n.
        block: rows at a time; static.

    Returns:
        The graph; arrays are (n, k).

    Raises:
        ValueError: if k is not in 1..n-1.
    """
    n = x.shape[0]
    if not 1 <= k < n:
        raise ValueError(f"cannot find {k} neighbours among {n} samples")

    def nearest(
        row: Float[Array, " d"], index: Int[Array, ""]
    ) -> tuple[Float[Array, " k"], Int[Array, " k"]]:
        distances = squared_distances(row[None], x)[0].at[index].set(jnp.inf)
        _, neighbours = lax.top_k(-distances, k)
        # Those distances carry the rounding of |x|^2, and the scale of copies would be made of nothing else.
        exact = jnp.sum((row[None] - x[neighbours]) ** 2, axis=1)
        order = jnp.argsort(exact)
        return exact[order], neighbours[order]

    squared, neighbours = lax.map(lambda args: nearest(*args), (x, jnp.arange(n)), batch_size=min(block, n))
    width = jnp.sqrt(squared[:, -1])
    # Copies of one image are at distance 0 of each other: their edge weighs 1.
    tuned = jnp.maximum(width[:, None] * width[neighbours], jnp.finfo(x.dtype).tiny)
    return Graph(neighbours, jnp.exp(-squared / tuned))


@partial(jax.jit, static_argnames="block")
@full_precision
def laplacian_quadratic(phi: Float[Array, "n m"], graph: Graph, *, block: int = 256) -> Float[Array, "m m"]:
    """Phi' L Phi for L = D - A, without forming L.

    tr(P' Phi' L Phi P) is half the sum over pairs of A_ij |f_i - f_j|^2 for the projections f = Phi P.

    Args:
        phi: features, (n, m).
        graph: neighbour graph of the n samples.
        block: samples at a time; static. The memory needed is block x k x m.

    Returns:
        The symmetric positive semi-definite (m, m) matrix.
    """
    n, m = phi.shape
    neighbours, weights = graph
    in_degree = jnp.zeros(n, phi.dtype).at[neighbours].add(weights)
    degree = (weights.sum(1) + in_degree) / 2

    def add_block(total: Float[Array, "m m"], rows: Int[Array, " block"]) -> tuple[Float[Array, "m m"], None]:
        inside = rows < n  # the last block may reach past the end
        rows = jnp.minimum(rows, n - 1)
        smoothed = jnp.einsum("bk,bkm->bm", weights[rows], phi[neighbours[rows]])
        laplacian = jnp.where(inside[:, None], degree[rows, None] * phi[rows] - smoothed, 0)
        return total + phi[rows].T @ laplacian, None

    block = min(block, n)
    blocks = jnp.arange(-(-n // block) * block).reshape(-1, block)
    total, _ = lax.scan(add_block, jnp.zeros((m, m), phi.dtype), blocks)
    return (total + total.T) / 2
