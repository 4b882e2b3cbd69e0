"""The leading eigenvector of a symmetric operator that is only known by its products.

Lanczos's method with full reorthogonalisation (Golub & Van Loan, "Matrix Computations", 4th ed., sec. 10.3), restarted
from the best vector once its basis is full. A whole eigendecomposition costs as much as hundreds of products.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.typing import DTypeLike
from jaxtyping import Array, Bool, Float, Int

from zsh_jax.core.factorisation import eigh
from zsh_jax.core.precision import full_precision

_BASIS = 128  # vectors until a restart
_STEPS = 16  # between checks
_RESTARTS = 20


class _Lanczos(NamedTuple):
    basis: Float[Array, "p k"]  # orthonormal rows; unused ones are zero
    diagonal: Float[Array, " p"]  # of the projected operator; -inf for unused rows
    beside: Float[Array, " p"]  # entry j: between rows j - 1 and j
    ahead: Float[Array, " k"]  # next row, times the entry beside it
    filled: Int[Array, ""]
    best: Float[Array, " k"]
    restarts: Int[Array, ""]
    converged: Bool[Array, ""]


@full_precision
def leading_eigenvector(
    product: Callable[[Float[Array, " k"]], Float[Array, " k"]], *, size: int, dtype: DTypeLike
) -> Float[Array, " k"]:
    """An eigenvector of the largest (not the largest absolute) eigenvalue.

    It stops once the residual is at the level of rounding, |A v - s v| <= eps |A|, or after 20 restarts, which only an
    eigenvalue that is as good as double needs; v is then a mixture of the eigenvectors of both.

    Args:
        product: the product with the symmetric A.
        size: k; static.
        dtype: of the product's argument and result; static.

    Returns:
        v, of unit length; its sign is arbitrary.
    """
    rows = -(-min(size, _BASIS) // _STEPS) * _STEPS
    start = jax.random.normal(jax.random.key(0), (size,), dtype)

    def step(_: Int[Array, ""], state: _Lanczos) -> _Lanczos:
        j = state.filled
        length = jnp.sqrt(jnp.sum(state.ahead**2))
        # What is left of an invariant space is rounding, and not orthogonal to the basis.
        used = jnp.isfinite(state.diagonal)
        scale = jnp.max(jnp.where(used, jnp.abs(state.diagonal), 0)) + jnp.max(state.beside)
        grows = length > 4 * jnp.finfo(dtype).eps * scale
        row = jnp.where(grows, state.ahead / jnp.where(grows, length, 1), 0)
        basis = state.basis.at[j].set(row)
        image = product(row)
        ahead = image
        for _again in range(2):  # twice is enough (Parlett)
            ahead = ahead - (basis @ ahead) @ basis
        return state._replace(
            basis=basis,
            diagonal=state.diagonal.at[j].set(jnp.where(grows, row @ image, -jnp.inf)),
            beside=state.beside.at[j].set(jnp.where(j > 0, length, 0)),
            ahead=jnp.where(grows, ahead, 0),
            filled=j + 1,
        )

    def advance(state: _Lanczos) -> _Lanczos:
        state = lax.fori_loop(0, _STEPS, step, state)
        used = jnp.isfinite(state.diagonal)
        magnitude = jnp.max(jnp.where(used, jnp.abs(state.diagonal), 0)) + 2 * jnp.max(state.beside)
        # Unused rows get an eigenvalue below all others.
        diagonal = jnp.where(used, state.diagonal, -2 * magnitude - 1)
        projected = jnp.diag(diagonal) + jnp.diag(state.beside[1:], -1) + jnp.diag(state.beside[1:], 1)
        values, vectors = eigh(projected)
        top = vectors[:, -1]
        residual = jnp.sqrt(jnp.sum(state.ahead**2)) * jnp.abs(top[state.filled - 1])
        scale = jnp.max(jnp.where(used, jnp.abs(values), 0))
        best = top @ state.basis
        full = state.filled == rows
        return state._replace(
            # A restart begins with empty rows.
            basis=jnp.where(full, 0, state.basis),
            diagonal=jnp.where(full, -jnp.inf, state.diagonal),
            beside=jnp.where(full, 0, state.beside),
            ahead=jnp.where(full, best, state.ahead),
            filled=jnp.where(full, 0, state.filled),
            best=best,
            restarts=state.restarts + full.astype(jnp.int32),
            converged=residual <= jnp.finfo(dtype).eps * scale,
        )

    zero = jnp.array(0, jnp.int32)
    first = _Lanczos(
        basis=jnp.zeros((rows, size), dtype),
        diagonal=jnp.full(rows, -jnp.inf, dtype),
        beside=jnp.zeros(rows, dtype),
        ahead=start,
        filled=zero,
        best=start,
        restarts=zero,
        converged=jnp.array(False),
    )
    end = lax.while_loop(lambda state: ~state.converged & (state.restarts < _RESTARTS), advance, first)
    return end.best / jnp.sqrt(jnp.sum(end.best**2))
