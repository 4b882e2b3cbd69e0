"""The quadratic form of a graph Laplacian, without the Laplacian."""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from zsh_jax.core.anchor_graph import AnchorGraph
from zsh_jax.core.graph import Graph
from zsh_jax.core.graph_over_devices import laplacian_over_devices
from zsh_jax.core.precision import full_precision
from zsh_jax.core.sharding import by_share, data_devices


@partial(jax.jit, static_argnames=("normalised", "block"))
@full_precision
def laplacian_quadratic(
    phi: Float[Array, "n m"], graph: Graph | AnchorGraph, *, normalised: bool = False, block: int = 256
) -> Float[Array, "m m"]:
    """Phi' L Phi for L = D - A, without forming L.

    tr(P' Phi' L Phi P) is half the sum over pairs of A_ij |f_i - f_j|^2 for the projections f = Phi P.

    Args:
        phi: features, (n, m).
        graph: neighbour graph of the n samples. An anchor graph has D = I.
        normalised: use L = I - D^-1/2 A D^-1/2; a sample without edges then contributes nothing; static.
        block: samples at a time; static. Memory: block x k x m, or block x anchors.

    Returns:
        The symmetric positive semi-definite (m, m) matrix.
    """
    if isinstance(graph, AnchorGraph):
        return _of_anchors(phi, graph, block=block)
    n, m = phi.shape
    neighbours, weights = graph
    in_degree = jnp.zeros(n, phi.dtype).at[neighbours].add(weights)
    degree = (weights.sum(1) + in_degree) / 2
    if normalised:
        phi = phi * jnp.where(degree > 0, lax.rsqrt(jnp.where(degree > 0, degree, 1)), 0)[:, None]
    if data_devices() > 1:
        total = laplacian_over_devices(phi, neighbours, weights, degree, block=block)
        return (total + total.T) / 2

    def add_block(total: Float[Array, "m m"], rows: Int[Array, " block"]) -> tuple[Float[Array, "m m"], None]:
        inside = rows < n  # the last block may exceed the end
        rows = jnp.minimum(rows, n - 1)
        smoothed = jnp.einsum("bk,bkm->bm", weights[rows], phi[neighbours[rows]])
        laplacian = jnp.where(inside[:, None], degree[rows, None] * phi[rows] - smoothed, 0)
        return total + phi[rows].T @ laplacian, None

    total, _ = lax.scan(add_block, jnp.zeros((m, m), phi.dtype), _blocks(n, block))
    return (total + total.T) / 2


def _of_anchors(phi: Float[Array, "n m"], graph: AnchorGraph, *, block: int) -> Float[Array, "m m"]:
    """Phi'Phi - (Z'Phi)' Lambda^-1 (Z'Phi), one pass over the samples."""
    gather = partial(_gathered, count=graph.mass.shape[0], block=block)
    gathered = by_share(gather, (phi, graph.anchors, graph.weights), gives="sums")
    smoothed = gathered * lax.rsqrt(jnp.where(graph.mass > 0, graph.mass, 1))[:, None]
    return phi.T @ phi - smoothed.T @ smoothed


def _gathered(
    phi: Float[Array, "n m"],
    anchors: Int[Array, "n s"],
    weights: Float[Array, "n s"],
    *,
    count: int,
    block: int,
) -> Float[Array, "k m"]:
    """Z'Phi."""
    n, m = phi.shape

    def add_block(total: Float[Array, "k m"], rows: Int[Array, " block"]) -> tuple[Float[Array, "k m"], None]:
        inside = rows < n
        rows = jnp.minimum(rows, n - 1)
        shares = jnp.where(inside[:, None], weights[rows], 0)
        z = jnp.zeros((rows.shape[0], count), phi.dtype)
        z = z.at[jnp.arange(rows.shape[0])[:, None], anchors[rows]].add(shares)
        return total + z.T @ phi[rows], None

    return lax.scan(add_block, jnp.zeros((count, m), phi.dtype), _blocks(n, block))[0]


def _blocks(n: int, block: int) -> Int[Array, "blocks block"]:
    block = min(block, n)
    return jnp.arange(-(-n // block) * block).reshape(-1, block)
