"""The rotation is a gauge freedom: codes and projection do not depend on it."""

import numpy as np
import pytest
from problems import given, hyper_of, problem_of, random_rotation, start_of

from zsh_jax import solve

pytestmark = pytest.mark.usefixtures("strict_ranks", "float64")


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
