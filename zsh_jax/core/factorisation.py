"""Matrix factorisations that are safe and fast under vmap."""

import jax.numpy as jnp
from jax import lax
from jax.custom_batching import sequential_vmap
from jaxtyping import Array, Float


@sequential_vmap
def cholesky(matrix: Float[Array, "m m"]) -> Float[Array, "m m"]:
    """Lower Cholesky factor. Under vmap one after the other: a batched one of a thousand rows takes 50 times as long.

    Args:
        matrix: symmetric positive definite, (m, m).

    Returns:
        The factor, (m, m); NaN where the matrix is not positive definite.
    """
    return jnp.linalg.cholesky(matrix)


def eigh(matrix: Float[Array, "l l"]) -> tuple[Float[Array, " l"], Float[Array, "l l"]]:
    """Eigenvalues, ascending, and eigenvectors of a symmetric matrix.

    Args:
        matrix: (l, l).

    Returns:
        Eigenvalues (l,), and eigenvectors as columns, (l, l).
    """
    return lax.platform_dependent(matrix, cpu=_eigh_in_turn, default=_eigh)


def svd(matrix: Float[Array, "e f"]) -> tuple[Float[Array, "e r"], Float[Array, "r f"]]:
    """Singular vectors U and V' of a matrix, in descending order of the r = min(e, f) singular values.

    Args:
        matrix: (e, f).

    Returns:
        U with the left singular vectors as columns, and V' with the right ones as rows.
    """
    return lax.platform_dependent(matrix, cpu=_svd_in_turn, default=_svd)


def complete_qr(matrix: Float[Array, "e l"]) -> tuple[Float[Array, "e e"], Float[Array, "l l"]]:
    """Q and R of a tall matrix, with a basis of the whole space.

    Args:
        matrix: (e, l) with l <= e.

    Returns:
        Orthogonal Q (e, e), whose first l columns span those of the matrix, and upper triangular R (l, l).
    """
    return lax.platform_dependent(matrix, cpu=_complete_qr_in_turn, default=_complete_qr)


def _eigh(matrix: Float[Array, "l l"]) -> tuple[Float[Array, " l"], Float[Array, "l l"]]:
    eigenvalues, eigenvectors = jnp.linalg.eigh(matrix)
    return eigenvalues, eigenvectors


def _svd(matrix: Float[Array, "e f"]) -> tuple[Float[Array, "e r"], Float[Array, "r f"]]:
    left, _, right = jnp.linalg.svd(matrix, full_matrices=False)
    return left, right


def _complete_qr(matrix: Float[Array, "e l"]) -> tuple[Float[Array, "e e"], Float[Array, "l l"]]:
    q, r = jnp.linalg.qr(matrix, mode="complete")
    return q, r[: matrix.shape[1]]


# A batch of these shares the threads of XLA's CPU client with whatever else is ready to run, and waits for them:
# with jaxlib 0.10 and two cores that is a deadlock (five cells of 64 bits never return). Accelerators batch them.
_eigh_in_turn = sequential_vmap(_eigh)
_svd_in_turn = sequential_vmap(_svd)
_complete_qr_in_turn = sequential_vmap(_complete_qr)

__all__ = ["cholesky", "complete_qr", "eigh", "svd"]
