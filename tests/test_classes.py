"""Codes of classes from their vectors alone."""

from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import given, hyper_of, problem_of, start_of

from zsh_jax import (
    RBF,
    Dictionary,
    HashFunction,
    Linear,
    Preprocessing,
    class_dictionary,
    encode_classes,
    init_coupled,
    solve,
    solve_coupled,
    unpack_codes,
)
from zsh_jax.core.coupled import class_head, turned_semantics

pytestmark = pytest.mark.usefixtures("strict_promotion", "float64")

VALUES = (1e-6, 1e-5, 1e-4, 1e-6)


def _vectors(data):
    return np.stack([data.semantics[data.labels == label][0] for label in np.unique(data.labels)])


def _unseen(e=9):
    vectors = np.random.default_rng(5).normal(size=(6, e))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_a_seen_class_has_a_code_as_good_as_the_best_of_its_images():
    data = given(classes=4)
    solution = solve(problem_of(data), hyper_of(VALUES), start_of(data, 12))
    state = solution.state
    codes = np.asarray(class_dictionary(state)(jnp.asarray(_vectors(data))))
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
    codes = np.asarray(class_dictionary(solution.state)(jnp.asarray(vectors)))
    for vector, code in zip(vectors, codes, strict=True):
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
        class_dictionary(solve(problem, hyper_of(VALUES), start, rotation=kind).state)(vectors)
        for kind in ("procrustes", "none")
    ]
    np.testing.assert_array_equal(*codes)


def test_coupled_codes_are_signs_of_the_turned_vector():
    data = given(classes=5)
    problem = problem_of(data)
    solution = solve_coupled(problem, hyper_of(VALUES), init_coupled(problem, jax.random.key(0), bits=12))
    vectors = _unseen()
    expected = (vectors - data.semantics.mean(0)) @ np.asarray(solution.state.rotation)
    projected = class_head(solution.state)(jnp.asarray(vectors))
    np.testing.assert_array_equal(np.sign(projected), np.sign(expected))
    np.testing.assert_allclose(projected, float(solution.state.scale) * expected, atol=1e-12)
    np.testing.assert_allclose(projected, turned_semantics(jnp.asarray(vectors), solution.state), atol=1e-12)


def test_vmaps_over_solutions():
    data = given(classes=5)
    problem, vectors = problem_of(data), jnp.asarray(_unseen())
    lams = jnp.array([1e-4, 1.0])

    def run(lam):
        return class_dictionary(solve(problem, hyper_of(VALUES)._replace(lam=lam), start_of(data, 8)).state)(
            vectors
        )

    for one, lam in zip(jax.vmap(run)(lams), lams, strict=True):
        np.testing.assert_array_equal(one, run(lam))


def _function(class_head, bits):
    """A hash function of images that do not matter, and of these classes."""
    like = Preprocessing(jnp.zeros(3), jnp.ones(3), None, None)
    return HashFunction(
        like, RBF(jnp.zeros((2, 3)), jnp.asarray(1.0)), Linear(jnp.ones((3, bits))), class_head
    )


def test_packed_codes_of_classes_are_the_head_s_signs():
    data = given(classes=5)
    state = solve(problem_of(data), hyper_of(VALUES), start_of(data, 12)).state
    vectors = jnp.asarray(_unseen())
    dictionary = class_dictionary(state)
    np.testing.assert_array_equal(unpack_codes(dictionary.codes, bits=12), state.codes)
    packed = encode_classes(_function(dictionary, 12), vectors)
    assert packed.shape == (6, 2)
    np.testing.assert_array_equal(unpack_codes(packed, bits=12), dictionary(vectors))


def test_bits_that_a_class_does_not_care_for_are_not_told_by_rounding():
    """A dictionary of one direction leaves every vector across it without a preference: both starts stand."""
    row = np.zeros((4, 3))
    row[:, 0] = (1.0, -0.5, 0.25, 2.0)
    dictionary = Dictionary(jnp.asarray(row), jnp.asarray([[0b10100000]], jnp.uint8))
    across = jnp.asarray([[0.0, 1.0, 0.0], [1e-17, 0.0, 1.0], [-1e-17, 0.0, 1.0]])
    codes = np.asarray(dictionary(across))
    np.testing.assert_array_equal(codes[0], codes[1])
    np.testing.assert_array_equal(codes[0], codes[2])


def test_a_method_without_codes_of_classes_says_so():
    with pytest.raises(ValueError, match="no class codes"):
        encode_classes(_function(None, 8), jnp.asarray(_unseen()))
