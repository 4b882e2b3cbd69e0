"""The kNN graph and its Laplacian where the samples lie over several devices."""

from functools import partial
from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from zsh_jax.core.kernel import squared_distances
from zsh_jax.core.sharding import DATA, by_share, data_devices

COLUMNS = 128
"""Columns of Phi that each device has of all samples at a time."""


class _Candidates(NamedTuple):
    """The nearest samples of each row so far, nearest first."""

    squared: Float[Array, "r k"]  # distances with the rounding of |x|^2
    neighbours: Int[Array, "r k"]
    exact: Float[Array, "r k"]  # distances without it


def nearest_over_devices(
    x: Float[Array, "n d"], *, k: int, block: int
) -> tuple[Float[Array, "n k"], Int[Array, "n k"]]:
    """The k nearest other samples of each sample, as in `knn_graph`.

    The shares of the samples go round the devices: each device has two of them at a time.

    Args:
        x: features, (n, d).
        k: neighbours a sample.
        block: rows at a time.

    Returns:
        Squared distances, and indices; nearest first.
    """
    return tuple(by_share(partial(_nearest, count=x.shape[0], k=k, block=block), (x,)))


def _nearest(
    x: Float[Array, "r d"], *, count: int, k: int, block: int
) -> tuple[Float[Array, "r k"], Int[Array, "r k"]]:
    rows, devices, place = x.shape[0], lax.axis_size(DATA), lax.axis_index(DATA)
    own = place * rows + jnp.arange(rows)
    each = min(k, rows)

    def among(samples: Float[Array, "r d"], indices: Int[Array, " r"]) -> _Candidates:
        def of_row(args: tuple[Float[Array, " d"], Int[Array, ""]]) -> _Candidates:
            row, itself = args
            squared = squared_distances(row[None], samples)[0]
            squared = jnp.where((indices == itself) | (indices >= count), jnp.inf, squared)
            _, chosen = lax.top_k(-squared, each)
            exact = jnp.sum((row[None] - samples[chosen]) ** 2, axis=1)
            return _Candidates(squared[chosen], indices[chosen], exact)

        return lax.map(of_row, (x, own), batch_size=min(block, rows))

    def turn(
        number: Int[Array, ""], carry: tuple[_Candidates, Float[Array, "r d"]]
    ) -> tuple[_Candidates, Float[Array, "r d"]]:
        best, samples = carry
        indices = (place - number) % devices * rows + jnp.arange(rows)
        both = (jnp.concatenate(pair, axis=1) for pair in zip(best, among(samples, indices), strict=True))
        # Of equal distances the lower index comes first, as `top_k` has it.
        best = _Candidates(*(one[:, :k] for one in lax.sort(tuple(both), dimension=1, num_keys=2)))
        return best, lax.ppermute(samples, DATA, [(i, (i + 1) % devices) for i in range(devices)])

    nothing = jnp.full((rows, k), jnp.inf, x.dtype)
    none = _Candidates(nothing, jnp.full((rows, k), count, own.dtype), nothing)
    found, _ = lax.fori_loop(0, devices, turn, (none, x))
    order = jnp.argsort(found.exact, axis=1)
    exact, neighbours = (jnp.take_along_axis(one, order, 1) for one in (found.exact, found.neighbours))
    return exact, neighbours


def laplacian_over_devices(
    phi: Float[Array, "n m"],
    neighbours: Int[Array, "n k"],
    weights: Float[Array, "n k"],
    degree: Float[Array, " n"],
    *,
    block: int,
) -> Float[Array, "m m"]:
    """Phi' (D - W) Phi for the weights W of the edges, which are not symmetric.

    Neighbours may lie on any device, so that each device gets a few columns of all samples at a time.

    Args:
        phi: features, (n, m).
        neighbours: of each sample.
        weights: of its edges.
        degree: D.
        block: samples at a time.

    Returns:
        (m, m).
    """
    width = min(COLUMNS, -(-phi.shape[1] // data_devices()))
    return by_share(
        partial(_laplacian, width=width, block=block), (phi, neighbours, weights, degree), gives="sums"
    )


def _laplacian(
    phi: Float[Array, "r m"],
    neighbours: Int[Array, "r k"],
    weights: Float[Array, "r k"],
    degree: Float[Array, " r"],
    *,
    width: int,
    block: int,
) -> Float[Array, "m m"]:
    rows, m = phi.shape

    def add(number: Int[Array, ""], total: Float[Array, "m m"]) -> Float[Array, "m m"]:
        start = jnp.minimum(number * width, m - width)  # the last columns overlap those before
        own = lax.dynamic_slice_in_dim(phi, start, width, axis=1)
        every = lax.all_gather(own, DATA, tiled=True)

        def smoothed(
            args: tuple[Int[Array, " k"], Float[Array, " k"]],
        ) -> Float[Array, " width"]:
            nearest, weight = args
            return weight @ every[nearest]

        apart = degree[:, None] * own - lax.map(smoothed, (neighbours, weights), batch_size=min(block, rows))
        return lax.dynamic_update_slice_in_dim(total, phi.T @ apart, start, axis=1)

    return lax.fori_loop(0, -(-m // width), add, jnp.zeros((m, m), phi.dtype))
