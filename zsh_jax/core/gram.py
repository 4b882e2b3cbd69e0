"""Solves with the Gram matrix of nearly dependent features: ridge regression and generalised eigenproblems.

RBF features are so nearly dependent that the Cholesky factorisation of their Gram matrix often fails in float32. In the
eigenbasis, directions with an eigenvalue at the level of rounding can be left out, and one factorisation serves every
ridge.
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
        eigenvalues: ascending; infinite for directions at the level of rounding, so that 1 / (s + ridge) is 0.
        eigenvectors: as columns.
    """

    eigenvalues: Float[Array, " f"]
    eigenvectors: Float[Array, "f f"]


@jax.jit
@full_precision
def gram_basis(gram: Float[Array, "f f"]) -> GramBasis:
    """Eigenbasis of a Gram matrix F'F or another positive semi-definite matrix, computed once for every ridge."""
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
        Eigenvectors divided by the roots of their eigenvalues, as columns; zero columns for omitted directions.
    """
    return basis.eigenvectors / jnp.sqrt(basis.eigenvalues + ridge)[None]


def oriented(vectors: Float[Array, "f k"]) -> Float[Array, "f k"]:
    """Flip columns so that their largest entry is positive.

    The sign of an eigenvector depends on rounding. Without this, bits would change with the order of the samples or
    under vmap.

    Args:
        vectors: as columns.

    Returns:
        The columns, some negated.
    """
    largest = jnp.take_along_axis(vectors, jnp.argmax(jnp.abs(vectors), axis=0)[None], axis=0)
    return jnp.where(largest < 0, -vectors, vectors)
