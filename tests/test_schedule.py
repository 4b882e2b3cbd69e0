"""A schedule of alpha over the iterations."""

import numpy as np
import optax
import oracle
import pytest
from problems import given, hyper_of, numpy_of, problem_of, start_of

from zsh_jax import solve

pytestmark = pytest.mark.usefixtures("strict_promotion", "float64")

LOOSE = (1e-2, 0.02, 1e-3, 1e-3)
DATA = {"n": 160, "classes": 7}


def test_a_constant_schedule_changes_nothing_but_goes_on_to_the_end():
    data = given(**DATA)
    plain = solve(problem_of(data), hyper_of(LOOSE), start_of(data, 16), max_iterations=30)
    assert int(plain.iterations) < 30
    held = solve(
        problem_of(data),
        hyper_of(LOOSE),
        start_of(data, 16),
        max_iterations=30,
        alpha_schedule=optax.constant_schedule(1.0),
    )
    np.testing.assert_array_equal(held.state.codes, plain.state.codes)
    assert int(held.iterations) == 30
    count = int(plain.iterations)
    np.testing.assert_allclose(held.objective[:count], plain.objective[:count], rtol=1e-12)


def test_each_iteration_has_its_own_weight():
    data = given(**DATA)
    start = start_of(data, 12)
    schedule = optax.exponential_decay(1.0, 1, 3.0)
    end = solve(problem_of(data), hyper_of(LOOSE), start, max_iterations=4, alpha_schedule=schedule)
    b, _, r, w = numpy_of(start)
    lam, alpha, beta, gamma = LOOSE
    for step in range(4):
        values = (lam, alpha * 3.0**step, beta, gamma)
        p = oracle.projection(data.phi, data.laplacian, values, b)
        r = oracle.rotation(data.semantics, b, w)
        w = oracle.regression(data.semantics, values, b, r)
        b = oracle.codes(data.phi, data.semantics, values, b, p, r, w, sweeps=10)
        value = oracle.objective(data.phi, data.semantics, data.laplacian, values, b, p, r, w)
        assert float(end.objective[step]) == pytest.approx(value, rel=1e-9)
    np.testing.assert_array_equal(end.state.codes, b)
    np.testing.assert_allclose(
        end.state.projection, oracle.projection(data.phi, data.laplacian, values, b), atol=1e-8
    )
