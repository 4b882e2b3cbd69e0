"""The leading eigenvector from products, against NumPy's eigendecomposition in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxprs import batched_factorisations

from zsh_jax.core.leading_eigenvector import leading_eigenvector

pytestmark = pytest.mark.usefixtures("strict_promotion")

RNG = np.random.default_rng(0)


def _with_eigenvalues(values):
    turn, _ = np.linalg.qr(RNG.normal(size=(len(values),) * 2))
    return (turn * values) @ turn.T


MATRICES = {
    "one number": np.array([[-2.0]]),
    "smaller than a step": _with_eigenvalues(RNG.normal(size=5)),
    "larger than the basis": _with_eigenvalues(np.r_[RNG.normal(size=190), 3.5]),
    "all below zero": _with_eigenvalues(-1 - np.arange(20.0)),
    "an eigenvalue below zero has the largest modulus": _with_eigenvalues(np.r_[-100, RNG.random(30)]),
    "low rank": _with_eigenvalues(np.r_[np.zeros(160), 3, 7, -9]),
    "close eigenvalues": _with_eigenvalues(np.r_[np.linspace(0, 1, 150), 1.01]),
}


@jax.jit
def _found(matrix):
    return leading_eigenvector(lambda v: matrix @ v, size=len(matrix), dtype=matrix.dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES)
def test_it_is_that_of_numpy_to_rounding(matrix, dtype, float64):
    found = _found(jnp.asarray(matrix, dtype))
    assert found.dtype == dtype
    eps, (values, vectors) = float(np.finfo(dtype).eps), np.linalg.eigh(matrix)
    gap = values[-1] - values[-2] if len(values) > 1 else 1.0
    # A residual of some eps |A| turns the vector by that over the gap.
    turned = 50 * eps * np.abs(values).max() / gap
    found = np.asarray(found, float)
    sign = np.sign(found @ vectors[:, -1])
    np.testing.assert_allclose(np.linalg.norm(sign * found - vectors[:, -1]), 0, atol=turned)
    assert np.linalg.norm(found) == pytest.approx(1, rel=10 * eps)


@pytest.mark.parametrize("matrix", [np.zeros((4, 4)), np.eye(40)], ids=["zero", "identity"])
def test_any_vector_of_a_multiple_eigenvalue_will_do(matrix, float64):
    assert np.linalg.norm(_found(jnp.asarray(matrix))) == pytest.approx(1)


def test_a_batch_gives_what_each_gives_alone_and_factors_no_batch(float64):
    batch = jnp.asarray(np.stack([_with_eigenvalues(RNG.normal(size=30)) for _ in range(3)]))
    assert batched_factorisations(jax.vmap(_found), batch) == []
    together = jax.vmap(_found)(batch)
    np.testing.assert_allclose(together, np.stack([_found(one) for one in batch]), atol=1e-11)
