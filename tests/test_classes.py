"""Codes of classes from their vectors alone."""

from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import given, hyper_of, problem_of, start_of

from zsh_jax import encode_class, init_coupled, solve, solve_coupled

pytestmark = pytest.mark.usefixtures("strict_ranks", "float64")

VALUES = (1e-6, 1e-5, 1e-4, 1e-6)


def _vectors(data):
    return np.stack([data.semantics[data.labels == label][0] for label in np.unique(data.labels)])


def _unseen(e=9):
    vectors = np.random.default_rng(5).normal(size=(6, e))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_a_seen_class_has_a_code_as_good_as_the_best_of_its_images():
    data = given(classes=4)
    solution = solve(problem_of(data), hyper_of(VALUES), start_of(data, 12))
    state, codes = solution.state, np.asarray(encode_class(solution, jnp.asarray(_vectors(data))))
    b, w, r = (np.asarray(getattr(state, name)) for name in ("codes", "regression", "rotation"))
    for label, (code, vector) in enumerate(zip(codes, _vectors(data), strict=True)):
        images = np.sum((vector @ r - b[data.labels == label] @ w) ** 2, axis=1)
        assert np.sum((vector @ r - code @ w) ** 2) <= images.min() + 1e-12
        assert images.min() < 1e-6


def test_an_unseen_class_has_a_code_that_no_single_flip_betters_and_that_is_near_the_best_of_all():
    data = given(classes=5)
    solution = solve(problem_of(data), hyper_of(VALUES), start_of(data, 8))
    vectors = _unseen()
    w, r = np.asarray(solution.state.regression), np.asarray(solution.state.rotation)

    def distance(vector, code):
        return np.sum((vector @ r - code @ w) ** 2)

    every = np.array(list(product([-1.0, 1.0], repeat=8)))
    for vector, code in zip(vectors, np.asarray(encode_class(solution, jnp.asarray(vectors))), strict=True):
        assert set(np.unique(code)) <= {-1, 1}
        found = distance(vector, code)
        for k in range(8):
            flipped = code.copy()
            flipped[k] *= -1
            assert distance(vector, flipped) >= found - 1e-12
        values = np.array([distance(vector, one) for one in every])
        assert (values < found - 1e-12).mean() < 0.1


def test_the_gauge_does_not_show():
    data = given(classes=5)
    problem, start = problem_of(data), start_of(data, 8)
    vectors = jnp.asarray(_unseen())
    codes = [
        encode_class(solve(problem, hyper_of(VALUES), start, rotation=kind), vectors)
        for kind in ("procrustes", "none")
    ]
    np.testing.assert_array_equal(*codes)


def test_coupled_codes_are_signs_of_the_turned_vector():
    data = given(classes=5)
    problem = problem_of(data)
    solution = solve_coupled(problem, hyper_of(VALUES), init_coupled(problem, jax.random.key(0), bits=12))
    vectors = _unseen()
    expected = (vectors - data.semantics.mean(0)) @ np.asarray(solution.state.rotation)
    np.testing.assert_array_equal(encode_class(solution, jnp.asarray(vectors)), np.sign(expected))


def test_vmaps_over_solutions():
    data = given(classes=5)
    problem, vectors = problem_of(data), jnp.asarray(_unseen())
    lams = jnp.array([1e-4, 1.0])

    def run(lam):
        return encode_class(solve(problem, hyper_of(VALUES)._replace(lam=lam), start_of(data, 8)), vectors)

    for one, lam in zip(jax.vmap(run)(lams), lams, strict=True):
        np.testing.assert_array_equal(one, run(lam))
