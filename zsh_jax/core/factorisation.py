"""Matrix factorisations and solves that are safe and fast under vmap.

On the CPU, a LAPACK kernel for a *batch* of matrices waits for threads of the XLA pool on which it runs. Two such
kernels at the same time can deadlock (jaxlib 0.10.2, two cores). So on the CPU no batch reaches LAPACK: one loop over
all batch axes factors the matrices in sequence. Accelerators factor the batch at once.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.custom_batching import custom_vmap
from jaxtyping import Array, Float


def _in_turn_on_cpu(function: Callable[..., Any]) -> Callable[..., Any]:
    """Under vmap of any depth, apply a matrix function sequentially on the CPU.

    One loop covers all batch axes. With nested loops, XLA 0.10.2 swaps the axes of a product of two results ("Expected
    instruction to have shape equal to ...") unless they have the same length.
    """

    @custom_vmap
    def single(*matrices: Array) -> Any:
        return function(*matrices)

    @custom_vmap
    def several(*matrices: Array) -> Any:
        in_turn = partial(lax.map, lambda one: function(*one))
        return lax.platform_dependent(
            *matrices, cpu=lambda *batch: in_turn(batch), default=jax.vmap(function)
        )

    @single.def_vmap
    def _of_batch(size: int, batched: list[bool], *matrices: Array) -> tuple[Any, Any]:
        out = several(*_with_axis(size, batched, matrices))
        return out, jax.tree.map(lambda _: True, out)

    @several.def_vmap
    def _of_batches(size: int, batched: list[bool], *matrices: Array) -> tuple[Any, Any]:
        every = _with_axis(size, batched, matrices)
        each = every[0].shape[1]
        out = several(*(one.reshape(size * each, *one.shape[2:]) for one in every))
        out = jax.tree.map(lambda leaf: leaf.reshape(size, each, *leaf.shape[1:]), out)
        return out, jax.tree.map(lambda _: True, out)

    return single


def _with_axis(size: int, batched: list[bool], matrices: tuple[Array, ...]) -> list[Array]:
    return [
        one if has_axis else jnp.broadcast_to(one, (size, *one.shape))
        for one, has_axis in zip(matrices, batched, strict=True)
    ]


def cholesky(matrix: Float[Array, "m m"]) -> Float[Array, "m m"]:
    """Lower Cholesky factor of a positive definite matrix; NaN if the matrix is not positive definite."""
    factor: Array = _cholesky(matrix)
    return factor


@custom_vmap
def cho_solve(factor: Float[Array, "m m"], right: Float[Array, "m t"]) -> Float[Array, "m t"]:
    """(L L')^-1 B for a lower Cholesky factor L. Under vmap, a shared factor solves for all B at once."""
    solved: Array = _cho_solve(factor, right)
    return solved


@cho_solve.def_vmap
def _cho_solve_of_batch(size: int, batched: list[bool], factor: Array, right: Array) -> tuple[Array, bool]:
    if batched[0]:
        axes = tuple(0 if has_axis else None for has_axis in batched)
        return jax.vmap(_cho_solve, axes)(factor, right), True
    rows, columns = right.shape[1:]
    wide = jnp.moveaxis(right, 0, 1).reshape(rows, size * columns)
    return jnp.moveaxis(cho_solve(factor, wide).reshape(rows, size, columns), 1, 0), True


def solve_lower(factor: Float[Array, "m m"], right: Float[Array, "m t"]) -> Float[Array, "m t"]:
    """L^-1 B for a lower Cholesky factor L."""
    solved: Array = _solve_lower(factor, right)
    return solved


def eigh(matrix: Float[Array, "l l"]) -> tuple[Float[Array, " l"], Float[Array, "l l"]]:
    """Eigenvalues, ascending, and eigenvectors (as columns) of a symmetric matrix."""
    eigenvalues, eigenvectors = _eigh(matrix)
    return eigenvalues, eigenvectors


def svd(matrix: Float[Array, "e f"]) -> tuple[Float[Array, "e r"], Float[Array, "r f"]]:
    """Singular vectors U (columns) and V' (rows), in descending order of the r = min(e, f) singular values."""
    left, right = _svd(matrix)
    return left, right


def complete_qr(matrix: Float[Array, "e l"]) -> tuple[Float[Array, "e e"], Float[Array, "l l"]]:
    """Q and R of a tall matrix, with a basis of the whole space.

    Args:
        matrix: (e, l) with l <= e.

    Returns:
        Orthogonal Q (e, e), whose first l columns span those of the matrix, and upper triangular R (l, l).
    """
    q, r = _complete_qr(matrix)
    return q, r


_cholesky = _in_turn_on_cpu(jnp.linalg.cholesky)


@_in_turn_on_cpu
def _cho_solve(factor: Array, right: Array) -> Array:
    return jax.scipy.linalg.cho_solve((factor, True), right)


@_in_turn_on_cpu
def _solve_lower(factor: Array, right: Array) -> Array:
    return jax.scipy.linalg.solve_triangular(factor, right, lower=True)


@_in_turn_on_cpu
def _eigh(matrix: Array) -> tuple[Array, Array]:
    eigenvalues, eigenvectors = jnp.linalg.eigh(matrix)
    return eigenvalues, eigenvectors


@_in_turn_on_cpu
def _svd(matrix: Array) -> tuple[Array, Array]:
    left, _, right = jnp.linalg.svd(matrix, full_matrices=False)
    return left, right


@_in_turn_on_cpu
def _complete_qr(matrix: Array) -> tuple[Array, Array]:
    q, r = jnp.linalg.qr(matrix, mode="complete")
    return q, r[: matrix.shape[1]]


__all__ = ["cho_solve", "cholesky", "complete_qr", "eigh", "solve_lower", "svd"]
