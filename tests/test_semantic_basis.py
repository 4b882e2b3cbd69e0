"""Solves in a basis of the semantics are the solves in the whole space."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import given, hyper_of, problem_of, random_rotation, start_of

from zsh_jax import init_coupled, solve, solve_coupled, solve_relaxed
from zsh_jax.core.semantic_basis import semantic_basis

pytestmark = pytest.mark.usefixtures("strict_promotion", "float64")

LOOSE = (1e-2, 0.1, 1e-3, 1e-3)
CASES = {"one label": False, "several labels": True}


def _both(several, classes=5):
    """A problem without a basis and with one, of vectors that span the semantics and one of an unused class."""
    data = given(several=several, classes=classes)
    spanning = np.linalg.svd(data.semantics)[2][:classes] * np.arange(1, classes + 1)[:, None]
    other = np.random.default_rng(0).normal(size=(1, spanning.shape[1]))
    vectors = jnp.asarray(np.concatenate([other, spanning]))
    plain = problem_of(data)
    return data, plain, plain._replace(basis=semantic_basis(vectors, jnp.arange(classes + 1) > 0))


@pytest.mark.parametrize("several", CASES.values(), ids=CASES)
@pytest.mark.parametrize("rotation", ["procrustes", "none"])
def test_the_published_form(several, rotation):
    data, plain, reduced = _both(several)
    start = start_of(data, 12, rotation=random_rotation(1, 9))
    one, other = (solve(p, hyper_of(LOOSE), start, rotation=rotation) for p in (plain, reduced))
    np.testing.assert_array_equal(other.state.codes, one.state.codes)
    np.testing.assert_array_equal(other.flips, one.flips)
    for name in one.terms._fields:
        np.testing.assert_allclose(getattr(other.terms, name), getattr(one.terms, name), rtol=1e-9)
    np.testing.assert_allclose(other.state.dictionary, one.state.dictionary, atol=1e-10)
    turn = np.asarray(other.state.rotation)
    np.testing.assert_allclose(turn.T @ turn, np.eye(9), atol=1e-12)
    np.testing.assert_allclose(other.state.dictionary @ turn, other.state.regression, atol=1e-12)
    if rotation == "none":
        np.testing.assert_allclose(turn, start.rotation, atol=1e-12)


def test_the_relaxed_form():
    data, plain, reduced = _both(several=False)
    one, other = (
        solve_relaxed(p, hyper_of(LOOSE), start_of(data, 6), rotation="none", max_iterations=3)
        for p in (plain, reduced)
    )
    np.testing.assert_array_equal(other.state.codes, one.state.codes)
    np.testing.assert_allclose(other.objective, one.objective, rtol=1e-7)


@pytest.mark.parametrize("several", CASES.values(), ids=CASES)
def test_the_coupled_form(several):
    _, plain, reduced = _both(several)
    ends = [
        solve_coupled(p, hyper_of(LOOSE), init_coupled(p, jax.random.key(0), bits=4))
        for p in (plain, reduced)
    ]
    np.testing.assert_array_equal(ends[1].state.codes, ends[0].state.codes)
    np.testing.assert_allclose(ends[1].objective, ends[0].objective, rtol=1e-9)
    for name in ("centre", "rotation", "scale"):
        np.testing.assert_allclose(getattr(ends[1].state, name), getattr(ends[0].state, name), atol=1e-9)


def test_classes_without_samples_are_not_read():
    rng = np.random.default_rng(0)
    vectors, used = rng.normal(size=(4, 9)), jnp.array([True, False, True, True])
    q = semantic_basis(jnp.asarray(vectors), used)
    np.testing.assert_allclose(q @ q.T, np.eye(4), atol=1e-12)
    np.testing.assert_allclose(vectors[[0, 2, 3]] @ q.T @ q, vectors[[0, 2, 3]], atol=1e-12)
    vectors[1] = np.nan
    np.testing.assert_array_equal(semantic_basis(jnp.asarray(vectors), used), q)


def test_as_many_classes_as_dimensions_need_no_basis():
    assert semantic_basis(jnp.eye(4), jnp.ones(4, bool)) is None
