"""The rotation is a gauge freedom: codes and projection do not depend on it."""

import numpy as np
import oracle
import pytest
from problems import given, hyper_of, numpy_of, problem_of, random_rotation, start_of

from zsh_jax import solve

pytestmark = pytest.mark.usefixtures("strict_promotion", "float64")


@pytest.mark.parametrize("alpha", [1e-5, 1e-2, 0.3])
@pytest.mark.parametrize("seed", [0, 1])
def test_codes_are_the_same_whatever_the_rotation(alpha, seed):
    data = given(seed, n=160, classes=7)
    problem, hyper = problem_of(data), hyper_of((1e-2, alpha, 1e-3, 1e-3))
    start = start_of(data, 16, seed)
    turned = start_of(data, 16, seed, rotation=random_rotation(seed + 7, 9))
    published = solve(problem, hyper, start)
    others = (
        solve(problem, hyper, start, rotation="none"),
        solve(problem, hyper, turned, rotation="none"),
        solve(problem, hyper, turned),
    )
    for other in others:
        np.testing.assert_array_equal(other.state.codes, published.state.codes)
        np.testing.assert_array_equal(other.state.projection, published.state.projection)
        np.testing.assert_array_equal(other.flips, published.flips)
        np.testing.assert_allclose(other.objective, published.objective, rtol=1e-10)


@pytest.mark.parametrize("kind", ["procrustes", "none", "random"])
def test_steps_that_carry_the_rotation_through_every_product_give_the_same_codes(kind):
    # The solver's codes see W R' alone. Here W and R enter each step as published, in NumPy, and only rounding could
    # tell the rotations apart.
    data, values = given(4, n=160, classes=7), (1e-2, 1e-2, 1e-3, 1e-3)
    start = start_of(data, 16, 4, random_rotation(11, 9) if kind == "random" else None)
    b, _, r, w = numpy_of(start)
    for _ in range(10):
        p = oracle.projection(data.phi, data.laplacian, values, b)
        r = oracle.rotation(data.semantics, b, w) if kind == "procrustes" else r
        w = oracle.regression(data.semantics, values, b, r)
        b = oracle.codes(data.phi, data.semantics, values, b, p, r, w, sweeps=10)
    solved = solve(problem_of(data), hyper_of(values), start_of(data, 16, 4))
    np.testing.assert_array_equal(solved.state.codes, b)


def test_the_rotation_itself_does_differ_and_is_kept_where_it_is_not_fitted():
    data = given()
    problem, r = problem_of(data), random_rotation(7, 9)
    start = start_of(data, 8, rotation=r)
    kept = solve(problem, hyper_of(), start, rotation="none").state
    np.testing.assert_array_equal(kept.rotation, r)
    fitted = solve(problem, hyper_of(), start).state
    assert not np.allclose(data.semantics @ fitted.rotation, data.semantics @ r, atol=1e-3)
    w = np.asarray(fitted.regression) @ np.asarray(fitted.rotation).T
    np.testing.assert_allclose(w, np.asarray(kept.regression) @ r.T, atol=1e-9)
