"""The coupled form: each step exact, Jc never rises, the loop is the oracle's to the bit."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest
import scipy.linalg
from draws import few_draws
from hypothesis import given as over
from hypothesis import strategies as st
from problems import given, hyper_of, problem_of

from zsh_jax import Hyperparameters, Status, init_coupled, solve_coupled
from zsh_jax.core.coupled import alignment_step, coupled_objective, principal_semantics, signs_step

pytestmark = pytest.mark.usefixtures("strict_promotion", "float64")

LOOSE = (1e-2, 0.3, 1e-2, 1e-2)  # the projection pulls on the codes


def _value(data, values, state):
    """Jc by its definition, in NumPy."""
    _, alpha, beta, gamma = values
    b, p = np.asarray(state.codes), np.asarray(state.projection)
    y = data.semantics - data.semantics.mean(0)
    fit = b - float(state.scale) * y @ np.asarray(state.rotation)
    return (
        np.sum(fit**2)
        + alpha * np.sum((b - data.phi @ p) ** 2)
        + beta * np.sum(p**2)
        + gamma * np.trace(p.T @ data.phi.T @ data.laplacian @ data.phi @ p)
    )


def _oracle_solve(data, values, b, iterations=10):
    _, alpha, _, _ = values
    y = data.semantics - data.semantics.mean(0)
    _, _, vt = np.linalg.svd(y, full_matrices=False)
    z = y @ vt[: b.shape[1]].T
    trace = []
    for _ in range(iterations):
        before = b
        p = oracle.projection(data.phi, data.laplacian, values, b)
        u, _, wt = np.linalg.svd(z.T @ b, full_matrices=False)
        turned = z @ (u @ wt)
        s = np.sum(b * turned) / np.sum(turned**2)
        field = s * turned + alpha * data.phi @ p
        b = np.where(field == 0, b, np.sign(field))
        trace.append(np.sum((b - s * turned) ** 2) + alpha * np.sum((b - data.phi @ p) ** 2))
        if np.array_equal(b, before):
            break
    return b, trace


@pytest.mark.parametrize("bits", [4, 9, 16], ids=["fewer bits than e", "as many", "more"])
@pytest.mark.parametrize("values", [(1e-2, 1e-5, 1e-4, 1e-6), LOOSE], ids=["published", "loose"])
def test_codes_are_the_oracle_s_to_the_bit(bits, values):
    data = given(n=150, classes=7)
    start = init_coupled(problem_of(data), jax.random.key(1), bits=bits)
    end = solve_coupled(problem_of(data), hyper_of(values), start)
    codes, trace = _oracle_solve(data, values, np.asarray(start.codes))
    np.testing.assert_array_equal(end.state.codes, codes)
    assert int(end.iterations) == len(trace)
    terms = end.terms.semantic_fit + end.terms.projection_fit
    np.testing.assert_allclose(terms[: len(trace)], trace, rtol=1e-9)


@few_draws(15)
@over(
    st.sampled_from([(60, 11, 4, 3, 6), (60, 11, 7, 12, 5)]),
    st.tuples(*(st.floats(low, high) for low, high in ((-4, 1), (-6, 0), (-5, 1), (-6, 1)))),
    st.integers(0, 2**16),
)
def test_the_objective_never_rises_in_a_step_or_along_the_trace(shape, exponents, seed):
    n, m, e, classes, bits = shape
    data = given(seed, n=n, m=m, e=e, classes=classes, several=seed % 2 == 1)
    values = tuple(10.0**x for x in exponents)
    problem, hyper = problem_of(data), hyper_of(values)
    z, directions = principal_semantics(problem, bits=bits)
    state = alignment_step(z, directions, init_coupled(problem, jax.random.key(seed), bits=bits))
    value = _value(data, values, state)
    for step in (lambda s: signs_step(problem, hyper, s), lambda s: alignment_step(z, directions, s)) * 2:
        state = step(state)
        now = _value(data, values, state)
        assert now <= value + 1e-10 * abs(value)
        value = now
    end = solve_coupled(problem, hyper, init_coupled(problem, jax.random.key(seed), bits=bits))
    trace = np.asarray(end.objective)[: int(end.iterations)]
    assert (np.diff(trace) <= 1e-10 * trace[:-1]).all()
    assert _value(data, values, end.state) <= trace[-1] * (1 + 1e-10)


@pytest.mark.parametrize("bits", [4, 16])
def test_the_rotation_is_an_isometry_and_procrustes(bits):
    data = given(n=100, classes=7)
    problem = problem_of(data)
    z, directions = principal_semantics(problem, bits=bits)
    r = min(bits, 9)
    assert z.shape == (100, r)
    np.testing.assert_allclose(z.T @ z, np.diag(np.diag(z.T @ z)), atol=1e-9)  # principal, so uncorrelated
    state = alignment_step(z, directions, init_coupled(problem, jax.random.key(0), bits=bits))
    turn = directions.T @ state.rotation
    known = np.arange(r) < 6  # seven classes, centred
    np.testing.assert_allclose(turn @ turn.T, np.diag(known), atol=1e-10)
    if bits <= 9:
        expected, _ = scipy.linalg.orthogonal_procrustes(z, np.asarray(state.codes))
        np.testing.assert_allclose(z @ turn, z @ expected, atol=1e-9)
    assert not np.asarray(directions)[:, 6:].any()
    best = _value(data, LOOSE, state)
    rng = np.random.default_rng(0)
    for size in (1e-3, 0.1, 10.0):
        q, _ = np.linalg.qr(np.eye(bits) + size * rng.normal(size=(bits, bits)))
        assert _value(data, LOOSE, state._replace(rotation=state.rotation @ q)) >= best - 1e-9
        assert _value(data, LOOSE, state._replace(scale=state.scale * (1 + size))) > best


def test_no_single_bit_is_worth_flipping_after_the_codes_step():
    data = given(n=30)
    problem, hyper = problem_of(data), hyper_of(LOOSE)
    end = solve_coupled(problem, hyper, init_coupled(problem, jax.random.key(0), bits=6), max_iterations=2)
    state = signs_step(problem, hyper, end.state)
    best = _value(data, LOOSE, state)
    for i in range(30):
        for k in range(6):
            flipped = np.asarray(state.codes).copy()
            flipped[i, k] *= -1
            assert _value(data, LOOSE, state._replace(codes=flipped)) >= best - 1e-10


def test_objective_equals_its_definition():
    data = given()
    problem = problem_of(data)
    end = solve_coupled(problem, hyper_of(LOOSE), init_coupled(problem, jax.random.key(0), bits=8))
    found = coupled_objective(problem, hyper_of(LOOSE), end.state)
    assert float(found.total) == pytest.approx(_value(data, LOOSE, end.state), rel=1e-10)
    assert float(sum(found[1:])) == pytest.approx(float(found.total), rel=1e-12)


def test_vmap_equals_the_loop_and_nothing_compiles_twice():
    data = given()
    problem = problem_of(data)
    keys = jax.random.split(jax.random.key(0), 3)
    alphas = jnp.array([1e-5, 0.1, 1.0])
    run = jax.jit(chex.assert_max_traces(solve_coupled.__wrapped__, n=1))
    starts = jax.vmap(lambda key: init_coupled(problem, key, bits=12))(keys)
    hypers = Hyperparameters(1e-2, alphas, 1e-3, 1e-3)
    batched = jax.vmap(solve_coupled, (None, Hyperparameters(None, 0, None, None, None), 0))(
        problem, hypers._replace(delta=0.0), starts
    )
    for i, alpha in enumerate(alphas):
        one = run(problem, hypers._replace(alpha=alpha), jax.tree.map(lambda leaf, i=i: leaf[i], starts))
        np.testing.assert_array_equal(batched.state.codes[i], one.state.codes)
        np.testing.assert_array_equal(batched.flips[i], one.flips)
        assert int(batched.status[i]) == int(one.status)
    assert int(batched.status[0]) == Status.CONVERGED


def test_a_limit_of_nothing_is_refused(unchecked_shapes):
    problem = problem_of(given())
    with pytest.raises(ValueError, match="max_iterations"):
        solve_coupled(problem, hyper_of(), init_coupled(problem, jax.random.key(0), bits=4), max_iterations=0)
