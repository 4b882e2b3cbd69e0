"""Each step against the float64 oracle and SciPy or scikit-learn, and as an exact minimiser."""

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest
import scipy.linalg
from problems import (
    PUBLISHED,
    given,
    hyper_of,
    numpy_of,
    problem_of,
    random_rotation,
    start_of,
    value_of,
)
from rounding import FLOAT32
from sklearn.linear_model import Ridge

from zsh_jax import codes_step, objective, projection_step, regression_step, rotation_step

pytestmark = pytest.mark.usefixtures("strict_promotion")

BITS = 8
STEPS = {
    "projection": projection_step,
    "rotation": rotation_step,
    "regression": regression_step,
    "codes": codes_step,
}
HYPERS = {"published": PUBLISHED, "coupled": (0.3, 0.2, 0.05, 0.02)}


def _oracle_step(name, data, hyper, state):
    b, p, r, w = numpy_of(state)
    if name == "projection":
        return oracle.projection(data.phi, data.laplacian, hyper, b)
    if name == "rotation":
        return oracle.rotation(data.semantics, b, w)
    if name == "regression":
        return oracle.regression(data.semantics, hyper, b, r)
    return oracle.codes(data.phi, data.semantics, hyper, b, p, r, w, sweeps=10)


@pytest.mark.parametrize("values", HYPERS.values(), ids=HYPERS)
@pytest.mark.parametrize("name", STEPS)
def test_step_equals_the_oracle_and_leaves_the_rest_alone(name, values, float64):
    data = given()
    before = start_of(data, BITS, rotation=random_rotation(3, 9))
    after = STEPS[name](problem_of(data), hyper_of(values), before)
    expected = _oracle_step(name, data, values, before)
    if name == "rotation":  # Y'BW has rank c < e: only Y R is determined
        np.testing.assert_allclose(data.semantics @ after.rotation, data.semantics @ expected, atol=1e-10)
    else:
        np.testing.assert_allclose(getattr(after, name), expected, rtol=1e-8, atol=1e-10)
    for other in STEPS.keys() - {name}:
        np.testing.assert_array_equal(getattr(after, other), getattr(before, other))


@pytest.mark.parametrize("name", STEPS)
def test_the_dictionary_is_the_regression_turned_back(name, float64):
    data = given()
    after = STEPS[name](problem_of(data), hyper_of(), start_of(data, BITS, rotation=random_rotation(3, 9)))
    np.testing.assert_allclose(after.dictionary, after.regression @ after.rotation.T, atol=1e-12)


@pytest.mark.parametrize("name", STEPS)
def test_float32_step_reaches_the_oracle(name):
    data = given()
    before = start_of(data, BITS)
    after = STEPS[name](problem_of(data), hyper_of(), before)
    expected = _oracle_step(name, data, PUBLISHED, before)
    assert after.codes.dtype == jnp.float32
    if (
        name == "codes"
    ):  # no field is nearer to zero than 9e-4 of its terms' size, and rounding moves it by 2e-6
        np.testing.assert_array_equal(after.codes, expected)
    elif name == "rotation":
        rotated = data.semantics @ np.asarray(after.rotation)  # NumPy's product: JAX's is coarser on GPUs
        np.testing.assert_allclose(rotated, data.semantics @ expected, atol=2e-5)
    else:
        np.testing.assert_allclose(getattr(after, name), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("values", HYPERS.values(), ids=HYPERS)
def test_objective_and_its_terms_equal_the_oracle(values, float64):
    data = given()
    state = start_of(data, BITS, rotation=random_rotation(3, 9))
    found = objective(problem_of(data), hyper_of(values), state)
    assert float(found.total) == pytest.approx(value_of(data, values, state), rel=1e-11)
    assert float(sum(found[1:])) == pytest.approx(float(found.total), rel=1e-12)
    lam, alpha, beta, gamma = values
    for term, only in (
        (found.semantic_fit, (0, 0, 0, 0)),
        (found.regression_ridge, (lam, 0, 0, 0)),
        (found.projection_fit, (0, alpha, 0, 0)),
        (found.projection_ridge, (0, 0, beta, 0)),
        (found.locality, (0, 0, 0, gamma)),
    ):
        rest = 0 if only == (0, 0, 0, 0) else value_of(data, (0, 0, 0, 0), state)
        assert float(term) == pytest.approx(value_of(data, only, state) - rest, rel=1e-9)


@pytest.mark.parametrize("name", ["projection", "regression"])
def test_no_small_change_of_a_fitted_matrix_lowers_the_objective(name, float64):
    data, values = given(), HYPERS["coupled"]
    state = STEPS[name](problem_of(data), hyper_of(values), start_of(data, BITS))
    best = value_of(data, values, state)
    rng = np.random.default_rng(0)
    for size in (1e-1, 1e-3):
        for _ in range(20):
            fitted = np.asarray(getattr(state, name))
            changed = state._replace(**{name: fitted + size * rng.normal(size=fitted.shape)})
            assert value_of(data, values, changed) > best


def test_no_rotation_near_or_far_is_better(float64):
    data = given()
    state = rotation_step(problem_of(data), hyper_of(), start_of(data, BITS))
    best = value_of(data, PUBLISHED, state)
    rng = np.random.default_rng(0)
    for size in (1e-3, 1e-1, 10.0):
        for _ in range(10):
            skew = size * rng.normal(size=(9, 9))
            turned = state._replace(rotation=np.asarray(state.rotation) @ scipy.linalg.expm(skew - skew.T))
            assert value_of(data, PUBLISHED, turned) >= best - 1e-9


@pytest.mark.parametrize("values", HYPERS.values(), ids=HYPERS)
def test_no_single_bit_is_worth_flipping_after_the_sweeps(values, float64):
    data = given(n=40)
    state = codes_step(problem_of(data), hyper_of(values), start_of(data, BITS), max_sweeps=50)
    best = value_of(data, values, state)
    for i in range(40):
        for k in range(BITS):
            flipped = np.asarray(state.codes).copy()
            flipped[i, k] *= -1
            assert value_of(data, values, state._replace(codes=flipped)) >= best - 1e-10


def test_a_sweep_limit_is_kept(float64):
    data, values = given(), HYPERS["coupled"]
    start = start_of(data, BITS)
    once = codes_step(problem_of(data), hyper_of(values), start, max_sweeps=1)
    b, p, r, w = numpy_of(start)
    np.testing.assert_array_equal(
        once.codes, oracle.codes(data.phi, data.semantics, values, b, p, r, w, sweeps=1)
    )
    rested = codes_step(problem_of(data), hyper_of(values), start, max_sweeps=50)
    assert not np.array_equal(once.codes, rested.codes)


def test_a_zero_field_keeps_the_old_bit():
    data = given()
    start = start_of(data, BITS)
    nothing = start._replace(
        dictionary=jnp.zeros_like(start.dictionary), projection=jnp.zeros_like(start.projection)
    )
    np.testing.assert_array_equal(
        codes_step(problem_of(data), hyper_of(), nothing).codes, np.asarray(start.codes)
    )


def test_rotation_is_orthogonal_and_agrees_with_scipy(float64):
    data = given()
    start = start_of(data, BITS)
    r = np.asarray(rotation_step(problem_of(data), hyper_of(), start).rotation)
    b, _, _, w = numpy_of(start)
    expected, _ = scipy.linalg.orthogonal_procrustes(data.semantics, b @ w)
    np.testing.assert_allclose(r.T @ r, np.eye(9), atol=1e-12)
    np.testing.assert_allclose(data.semantics @ r, data.semantics @ expected, atol=1e-10)


def test_projection_without_locality_is_ridge_regression(float64):
    data, values = given(), (1e-2, 1e-2, 3e-2, 0.0)
    start = start_of(data, BITS)
    found = projection_step(problem_of(data), hyper_of(values), start).projection
    ridge = Ridge(alpha=3.0, fit_intercept=False, solver="svd").fit(data.phi, np.asarray(start.codes))
    np.testing.assert_allclose(found, ridge.coef_.T, rtol=1e-8, atol=1e-10)


def test_regression_is_ridge_regression(float64):
    data = given()
    start = start_of(data, BITS, rotation=random_rotation(5, 9))
    found = regression_step(problem_of(data), hyper_of(), start).regression
    b, _, r, _ = numpy_of(start)
    ridge = Ridge(alpha=1e-2, fit_intercept=False, solver="svd").fit(b, data.semantics @ r)
    np.testing.assert_allclose(found, ridge.coef_.T, rtol=1e-8, atol=1e-10)


def _class_constant():
    """2,000 codes of 32 bits with 6 distinct rows: B'B has rank 6, and its other eigenvalues are all lam."""
    data = given(n=2000, classes=6)
    rows = np.random.default_rng(1).choice([-1.0, 1.0], (6, 32))
    return data, rows[data.labels]


@pytest.mark.parametrize("stray", [0, 1, 3], ids=["rank c", "one stray bit", "three stray bits"])
def test_float32_regression_survives_codes_of_few_distinct_rows(stray):
    data, b = _class_constant()
    b[range(stray), range(stray)] *= -1
    start = start_of(data, 32)._replace(codes=jnp.asarray(b, jnp.float32))
    after = regression_step(problem_of(data), hyper_of(), start)
    w = oracle.regression(data.semantics, PUBLISHED, b, np.eye(9))
    # B (B'B + lam)^-1 has norm 1 / (2 sqrt(lam)) at most, and rounding moves (B'B + lam) W by eps |B'B| |W|.
    moved = FLOAT32 * np.linalg.norm(b, 2) ** 2 * np.linalg.norm(w) / (2 * np.sqrt(PUBLISHED[0]))
    np.testing.assert_allclose(b @ np.asarray(after.regression, float), b @ w, atol=moved)

    def cost(w):
        return np.sum((data.semantics - b @ w) ** 2) + PUBLISHED[0] * np.sum(w**2)

    assert cost(np.asarray(after.regression, float)) == pytest.approx(cost(w), rel=1e-3)


def test_steps_vmap_over_hyperparameters(float64):
    data = given()
    problem, start = problem_of(data), start_of(data, BITS)
    both = jax.tree.map(lambda *leaves: jnp.stack(leaves), *(hyper_of(v) for v in HYPERS.values()))
    for name, step in STEPS.items():
        batched = getattr(jax.vmap(step, (None, 0, None), 0)(problem, both, start), name)
        for i, values in enumerate(HYPERS.values()):
            one = getattr(step(problem, hyper_of(values), start), name)
            np.testing.assert_allclose(batched[i], one, rtol=1e-9, atol=1e-9)
