"""The relaxed form: continuous while learning, signs at the end, and a lower J than signs allow on the way."""

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest
from problems import given, hyper_of, numpy_of, problem_of, start_of, value_of

from zsh_jax import Hyperparameters, Status, solve, solve_relaxed
from zsh_jax.core.relaxed import SHARPEST, START

pytestmark = pytest.mark.usefixtures("strict_promotion", "float64")

LOOSE = (1e-2, 0.1, 1e-3, 1e-3)


def _case(n=60, bits=6):
    data = given(n=n, classes=4)
    return data, problem_of(data), start_of(data, bits)


def _oracle(data, values, start, *, iterations, steps, rate):
    """NumPy, with Adam (Kingma & Ba 2015, algorithm 1) and the gradient written out by hand."""
    b, _, r, w = numpy_of(start)
    a = START * b
    first, second, t, trace = np.zeros_like(a), np.zeros_like(a), 0, []
    for iteration in range(iterations):
        tau = SHARPEST ** (iteration / max(iterations - 1, 1))
        b = np.tanh(tau * a)
        p = oracle.projection(data.phi, data.laplacian, values, b)
        r = oracle.rotation(data.semantics, b, w)
        w = oracle.regression(data.semantics, values, b, r)
        for _ in range(steps):
            b = np.tanh(tau * a)
            slope = 2 * (b @ w - data.semantics @ r) @ w.T + 2 * values[1] * (b - data.phi @ p)
            gradient = slope * tau * (1 - b**2)
            decay = 0.5 * (1 + np.cos(np.pi * t / (iterations * steps)))
            t += 1
            first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
            a = a - rate * decay * (first / (1 - 0.9**t)) / (np.sqrt(second / (1 - 0.999**t)) + 1e-8)
        b = np.tanh(tau * a)
        trace.append(oracle.objective(data.phi, data.semantics, data.laplacian, values, b, p, r, w))
    return np.where(a < 0, -1.0, 1.0), trace


def test_codes_and_trace_are_those_of_a_plain_port():
    data, problem, start = _case()
    options = {"max_iterations": 4, "gradient_steps": 5, "learning_rate": 0.2}
    end = solve_relaxed(problem, hyper_of(LOOSE), start, **options)
    codes, trace = _oracle(data, LOOSE, start, iterations=4, steps=5, rate=0.2)
    np.testing.assert_array_equal(end.state.codes, codes)
    np.testing.assert_allclose(end.objective, trace, rtol=1e-7)


def test_the_end_is_signs_with_everything_else_fitted_to_them():
    data, problem, start = _case()
    state = solve_relaxed(problem, hyper_of(LOOSE), start).state
    assert set(np.unique(state.codes)) == {-1, 1}
    b, p, r, w = numpy_of(state)
    np.testing.assert_allclose(p, oracle.projection(data.phi, data.laplacian, LOOSE, b), atol=1e-8)
    np.testing.assert_allclose(w, oracle.regression(data.semantics, LOOSE, b, r), atol=1e-8)


def test_continuous_codes_reach_a_lower_objective_than_signs():
    data, problem, start = _case(120, 12)
    relaxed = solve_relaxed(problem, hyper_of(LOOSE), start)
    discrete = solve(problem, hyper_of(LOOSE), start)
    assert relaxed.objective[-1] < discrete.objective[int(discrete.iterations) - 1]
    assert relaxed.objective[-1] < value_of(data, LOOSE, relaxed.state)
    assert value_of(data, LOOSE, relaxed.state) < value_of(data, LOOSE, start)


def test_all_iterations_are_done_and_flips_die_out():
    _, problem, start = _case()
    end = solve_relaxed(problem, hyper_of(LOOSE), start, max_iterations=8)
    assert int(end.iterations) == 8
    assert int(end.status) in (Status.CONVERGED, Status.ITERATION_LIMIT)
    assert end.flips[-1] < end.flips[0]


def test_vmap_equals_the_loop():
    _, problem, start = _case()
    rates = jnp.array([0.05, 0.3])
    lams = jnp.array([1e-2, 1.0])

    def run(lam, rate):
        hyper = Hyperparameters(lam, 0.1, 1e-3, 1e-3)
        return solve_relaxed(problem, hyper, start, learning_rate=rate, max_iterations=3)

    batched = jax.vmap(run)(lams, rates)
    for i in range(2):
        one = run(lams[i], rates[i])
        np.testing.assert_array_equal(batched.state.codes[i], one.state.codes)
        np.testing.assert_allclose(batched.objective[i], one.objective, rtol=1e-9)


@pytest.mark.parametrize("options", [{"rotation": "random"}, {"max_iterations": 0}, {"gradient_steps": 0}])
def test_bad_options_are_refused(options, unchecked_shapes):
    _, problem, start = _case()
    with pytest.raises(ValueError, match="must be"):
        solve_relaxed(problem, hyper_of(), start, **options)
