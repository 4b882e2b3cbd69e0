"""SDH, FSDH and COSDISH: exact steps, and the project's own solver where it is the same problem."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest
from method_data import BITS, codes_of, several_labels, toy, training
from sklearn.linear_model import Ridge

from zsh_jax import Hyperparameters, init_state, make_problem, solve
from zsh_jax.methods import cosdish, fsdh, sdh

pytestmark = pytest.mark.usefixtures("strict_promotion")

SDH_VALUES = {"the paper's": (1.0, 1e-5, 1e-2), "others": (0.1, 1e-2, 0.5)}
each_label_count = pytest.mark.parametrize("several", [False, True], ids=["one label", "several labels"])


@pytest.mark.parametrize("values", SDH_VALUES.values(), ids=SDH_VALUES)
@each_label_count
def test_sdh_is_the_solver_and_the_oracle_on_class_indicators(values, several, float64):
    data = several_labels(toy()) if several else toy()
    key, (lam, nu, ridge) = jax.random.key(4), values
    found = sdh.fit(key, training(data), sdh.Weights(*values), sdh.Options(), bits=BITS).head

    problem = make_problem(jnp.asarray(data.phi), jnp.asarray(data.classes))
    start = init_state(problem, key, bits=BITS)
    hyper = Hyperparameters(lam, nu, nu * ridge, 0.0)
    solution = solve(problem, hyper, start, rotation="none", max_iterations=5)
    np.testing.assert_array_equal(solution.state.rotation, np.eye(5))
    np.testing.assert_allclose(found.projection, solution.state.projection, atol=1e-9)

    # The oracle turns the class indicators, which changes no code.
    b, w = np.asarray(start.codes), np.asarray(start.regression)
    weights = (lam, nu, nu * ridge, 0.0)
    expected = oracle.solve(
        data.phi, data.classes, np.zeros((120, 120)), weights, b, np.eye(5), w, iterations=5
    )
    np.testing.assert_array_equal(solution.state.codes, expected.codes)
    np.testing.assert_allclose(found.projection, expected.projection, rtol=1e-5, atol=1e-6)


def _fsdh_objective(data, values, b, w, p):
    lam, nu, ridge = values
    return (
        np.sum((b - data.classes @ w) ** 2)
        + lam * np.sum(w**2)
        + nu * np.sum((b - data.phi @ p) ** 2)
        + nu * ridge * np.sum(p**2)
    )


def _fsdh_start(seed=0):
    rng = np.random.default_rng(seed)
    return fsdh.FSDHState(
        *(
            jnp.asarray(array)
            for array in (
                rng.choice([-1.0, 1.0], (120, BITS)),
                rng.normal(size=(5, BITS)),
                rng.normal(size=(21, BITS)),
            )
        )
    )


@each_label_count
def test_each_step_of_fsdh_is_an_exact_minimiser(several, float64):
    data = several_labels(toy()) if several else toy()
    values, rng = (0.5, 0.3, 0.2), np.random.default_rng(0)
    weights, given, start = fsdh.Weights(*values), training(data), _fsdh_start()
    factor = fsdh.factors(given)

    def value(state):
        return _fsdh_objective(data, values, *(np.asarray(array) for array in state))

    for name, step in (("regression", fsdh.regression_step), ("projection", fsdh.projection_step)):
        after = step(given, weights, start, factor)
        fitted = np.asarray(getattr(after, name))
        for size in (1e-1, 1e-4):
            for _ in range(10):
                changed = after._replace(**{name: fitted + size * rng.normal(size=fitted.shape)})
                assert value(changed) > value(after)

    after = fsdh.codes_step(given, weights, start)
    for i in range(0, 120, 5):
        for k in range(BITS):
            flipped = np.asarray(after.codes).copy()
            flipped[i, k] *= -1  # the objective is a sum over bits: no flip alone, no flip at all
            assert value(after._replace(codes=flipped)) >= value(after)


def test_the_objective_of_fsdh_never_rises(float64):
    data, values = toy(), (0.5, 0.3, 0.2)
    weights, given, state = fsdh.Weights(*values), training(data), _fsdh_start()
    factor, trace = fsdh.factors(given), [np.inf]
    for _ in range(4):
        for step in (fsdh.regression_step, fsdh.projection_step):
            state = step(given, weights, state, factor)
            trace.append(_fsdh_objective(data, values, *map(np.asarray, state)))
        state = fsdh.codes_step(given, weights, state)
        trace.append(_fsdh_objective(data, values, *map(np.asarray, state)))
    assert (np.diff(trace) <= 1e-9).all()


def test_fsdh_gives_each_class_a_code_by_vote(float64):
    """With next to no weight on the features: one step, by hand."""
    data, key = toy(), jax.random.key(2)
    found = fsdh.fit(key, training(data), fsdh.Weights(nu=1e-12), fsdh.Options(), bits=BITS).head
    start = np.asarray(jax.random.rademacher(key, (120, BITS), dtype=float))
    votes = data.classes @ (data.classes.T @ start)
    assert (votes[:, 0] != 0).any()
    undecided = votes == 0
    ridge = Ridge(alpha=1e-2, fit_intercept=False, solver="svd")
    ridge.fit(data.phi, np.where(undecided, 0, np.sign(votes)))
    decided = ~undecided.any(axis=0)
    np.testing.assert_allclose(found.projection[:, decided], ridge.coef_.T[:, decided], rtol=1e-6, atol=1e-7)


def _every_sign(q):
    return np.array(list(itertools.product([-1.0, 1.0], repeat=q)))


@pytest.mark.parametrize("seed", range(6))
def test_a_small_binary_quadratic_problem_is_solved(seed, float64):
    q, rng = 9, np.random.default_rng(seed)
    quadratic, linear = rng.normal(size=(q, q)), rng.normal(size=q)
    quadratic += quadratic.T
    found = cosdish.binary_quadratic(
        jnp.asarray(quadratic), jnp.asarray(linear), jnp.asarray(rng.choice([-1.0, 1.0], (12, q)))
    )

    def value(b):
        return np.einsum("...i,ij,...j", b, quadratic, b) + b @ linear

    assert set(np.abs(found)) == {1.0}
    assert value(np.asarray(found)) == pytest.approx(value(_every_sign(q)).min(), rel=1e-12)


def test_one_start_leaves_no_flip_that_helps(float64):
    q, rng = 40, np.random.default_rng(0)
    quadratic, linear = rng.normal(size=(q, q)), rng.normal(size=q)
    quadratic += quadratic.T
    start = rng.choice([-1.0, 1.0], (1, q))
    found = np.asarray(
        cosdish.binary_quadratic(jnp.asarray(quadratic), jnp.asarray(linear), jnp.asarray(start))
    )

    def value(b):
        return b @ quadratic @ b + b @ linear

    assert value(found) < value(start[0])
    for i in range(q):
        assert value(np.where(np.arange(q) == i, -found, found)) >= value(found) - 1e-9


@each_label_count
def test_sampled_columns_weigh_similar_and_dissimilar_pairs_alike(several, float64):
    data = several_labels(toy()) if several else toy()
    chosen = np.array([3, 50, 7])
    columns = cosdish.sampled_columns(jnp.asarray(data.classes), jnp.asarray(chosen))
    assert float(columns.scale).is_integer()
    np.testing.assert_array_equal(columns.similarity, np.rint(columns.similarity))
    found = np.asarray(columns.similarity) / float(columns.scale)
    share = (data.classes[:, None, :] * data.classes[chosen][None]).any(-1)
    np.testing.assert_array_equal(found == 1, share)
    assert found[share].sum() == pytest.approx(-found[~share].sum())
    assert len(np.unique(found)) == 2


def test_the_sampled_rows_of_cosdish_are_best_bit_by_bit(float64):
    data, rng = toy(), np.random.default_rng(0)
    chosen = rng.choice(120, 8, replace=False)
    columns = cosdish.sampled_columns(jnp.asarray(data.classes), jnp.asarray(chosen))
    before = rng.choice([-1.0, 1.0], (120, BITS))
    after = np.asarray(cosdish.sampled_step(jax.random.key(0), columns, jnp.asarray(before), starts=8))
    outside = np.setdiff1d(np.arange(120), chosen)
    np.testing.assert_array_equal(after[outside], before[outside])

    residual, every = BITS * np.asarray(columns.similarity) / float(columns.scale), _every_sign(8)
    for k in range(BITS):
        column = np.repeat(before[None, :, k], len(every), axis=0)
        column[:, chosen] = every
        losses = ((residual[None] - column[:, :, None] * every[:, None, :]) ** 2).sum((1, 2))
        residual = residual - after[:, k, None] * after[chosen, k][None]
        assert np.sum(residual**2) == pytest.approx(losses.min(), rel=1e-12)


def test_the_other_rows_of_cosdish_agree_best_with_the_sampled_ones(float64):
    data, rng = toy(), np.random.default_rng(0)
    chosen = rng.choice(120, 8, replace=False)
    columns = cosdish.sampled_columns(jnp.asarray(data.classes), jnp.asarray(chosen))
    before = rng.choice([-1.0, 1.0], (120, BITS))
    after = np.asarray(cosdish.rest_step(columns, jnp.asarray(before)))
    np.testing.assert_array_equal(after[chosen], before[chosen])
    similarity, every = np.asarray(columns.similarity), _every_sign(BITS)
    agreement = every @ before[chosen].T @ similarity.T  # of every code with what each sample wants
    outside = np.setdiff1d(np.arange(120), chosen)
    reached = np.einsum("il,ij,jl->i", after, similarity, before[chosen])
    np.testing.assert_allclose(reached[outside], agreement.max(0)[outside], rtol=1e-12)


def test_cosdish_learns_codes_that_tell_the_classes_apart(float64):
    data = toy()
    fitted = cosdish.fit(jax.random.key(0), training(data), cosdish.Weights(), cosdish.Options(), bits=BITS)
    codes = codes_of("cosdish", data, fitted, data.raw)
    inner = codes @ codes.T
    same = data.labels[:, None] == data.labels[None]
    assert inner[same].mean() > 0.9 * BITS
    assert inner[~same].mean() < 0
