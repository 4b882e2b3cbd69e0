"""Solving with the Gram matrix of nearly dependent features: ridge regression, and generalised eigenproblems.

RBF features are so nearly dependent that the Cholesky factor of their Gram matrix often fails in float32. In its
eigenbasis the directions known by an eigenvalue at the level of rounding are told apart, and left out; and one
factorisation serves every ridge.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from zsh_jax.core.factorisation import eigh
from zsh_jax.core.precision import full_precision


class GramBasis(NamedTuple):
    """Eigenbasis of F'F.

    Attributes:
        eigenvalues: ascending; infinite where the matrix has nothing but rounding, so that 1 / (s + ridge) is 0.
        eigenvectors: as columns.
    """

    eigenvalues: Float[Array, " f"]
    eigenvectors: Float[Array, "f f"]


@jax.jit
@full_precision
def gram_basis(gram: Float[Array, "f f"]) -> GramBasis:
    """Factor a Gram matrix, once for every ridge.

    Args:
        gram: F'F, (f, f), or another symmetric positive semi-definite matrix.

    Returns:
        The basis.
    """
    eigenvalues, eigenvectors = eigh(gram)
    rounding = 4 * jnp.finfo(gram.dtype).eps * eigenvalues[-1]
    return GramBasis(jnp.where(eigenvalues > rounding, eigenvalues, jnp.inf), eigenvectors)


@full_precision
def ridge_regression(
    basis: GramBasis, right_hand_side: Float[Array, "f t"], ridge: Float[Array, ""] | float
) -> Float[Array, "f t"]:
    """(F'F + ridge I)^-1 F'T.

    Args:
        basis: of F'F.
        right_hand_side: F'T.
        ridge: not negative.

    Returns:
        The coefficients that minimise |T - F C|^2 + ridge |C|^2.
    """
    rotated = basis.eigenvectors.T @ right_hand_side
    return basis.eigenvectors @ (rotated / (basis.eigenvalues + ridge)[:, None])


def inverse_root(basis: GramBasis, ridge: Float[Array, ""] | float = 0.0) -> Float[Array, "f f"]:
    """W with W'(A + ridge I)W = I: B v = s (A + ridge I) v has the solutions v = W u, for eigenvectors u of W'BW.

    Args:
        basis: of A.
        ridge: not negative.

    Returns:
        Eigenvectors divided by the roots of their eigenvalues, as columns; zero columns for those left out.
    """
    return basis.eigenvectors / jnp.sqrt(basis.eigenvalues + ridge)[None]


def oriented(vectors: Float[Array, "f k"]) -> Float[Array, "f k"]:
    """Columns with the sign that makes their largest entry positive.

    An eigenvector's sign is left to rounding: without this it would change with the order of the samples, or under
    vmap, and with it the bit, and all that follows from the bit.

    Args:
        vectors: as columns.

    Returns:
        The columns, some negated.
    """
    largest = jnp.take_along_axis(vectors, jnp.argmax(jnp.abs(vectors), axis=0)[None], axis=0)
    return jnp.where(largest < 0, -vectors, vectors)
