"""Coordinate descent on codes: the plain loop in NumPy, however the work is cut."""

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest
from jaxprs import dependent_steps
from problems import given, hyper_of, problem_of, start_of

from zsh_jax import projection_step, regression_step, rotation_step
from zsh_jax.core import descent
from zsh_jax.core.descent import descend

pytestmark = pytest.mark.usefixtures("strict_promotion", "float64")


def _case(n=37, bits=11, seed=0):
    rng = np.random.default_rng(seed)
    codes = rng.choice([-1.0, 1.0], (n, bits))
    root = rng.normal(size=(bits, 5))
    return codes, 2 * rng.normal(size=(n, bits)), root @ root.T


def _plain(codes, target, coupling, sweeps):
    """The oracle's B-step with Y R W' = H and W W' = G."""
    left, values, _ = np.linalg.svd(coupling)
    w = left * np.sqrt(values)
    y = target @ np.linalg.pinv(w).T
    fill = target - y @ w.T  # what H has outside the span of W
    return oracle.codes(fill, y, (0, 1.0, 0, 0), codes, np.eye(target.shape[1]), np.eye(len(w)), w, sweeps)


@pytest.mark.parametrize("samples", [None, 1, 10, 36, 37, 1000])
@pytest.mark.parametrize("bits", [1, 2, 8, 11, 64])
def test_the_result_does_not_depend_on_the_cut(samples, bits):
    codes, target, coupling = _case()
    expected = _plain(codes, target, coupling, 50)
    assert (expected != codes).mean() > 0.2
    found = descend(*map(jnp.asarray, (codes, target, coupling)), max_sweeps=50, samples=samples, bits=bits)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("bits", [1, 4])
@pytest.mark.parametrize("sweeps", [1, 2])
def test_the_limit_counts_sweeps(sweeps, bits):
    codes, target, coupling = _case(bits=16)
    found = descend(*map(jnp.asarray, (codes, target, coupling)), max_sweeps=sweeps, samples=9, bits=bits)
    np.testing.assert_array_equal(found, _plain(codes, target, coupling, sweeps))
    assert (np.asarray(found) != _plain(codes, target, coupling, 50)).any()


@pytest.mark.parametrize("bits", [1, 3])
def test_zero_fields_and_fields_within_the_tie_keep_the_bit(bits):
    codes, target, coupling = _case()
    nothing = jnp.zeros_like(target), jnp.zeros_like(coupling)
    np.testing.assert_array_equal(
        descend(jnp.asarray(codes), *nothing, max_sweeps=5, samples=5, bits=bits), codes
    )
    wide = descend(
        *map(jnp.asarray, (codes, target, 0 * coupling)), max_sweeps=5, tie=1.0, samples=5, bits=bits
    )
    np.testing.assert_array_equal(wide, np.where(abs(target) <= 1, codes, np.sign(target)))


def test_vmap_equals_the_loop():
    cases = [_case(seed=seed) for seed in range(3)]
    stacked = [jnp.asarray(np.stack(arrays)) for arrays in zip(*cases, strict=True)]
    found = jax.vmap(lambda *one: descend(*one, max_sweeps=9, samples=10))(*stacked)
    for one, case in zip(found, cases, strict=True):
        np.testing.assert_array_equal(one, descend(*map(jnp.asarray, case), max_sweeps=9))


def test_a_pass_has_at_most_60_dependent_steps_on_accelerators():
    """At 64 bits, with the most sweeps; the other steps of a pass have no loops."""
    sweeps, bits, n = 10, 64, 100
    problem, hyper, state = problem_of(given(n=n)), hyper_of(), start_of(given(n=n), bits)

    def pass_(state):
        for step in (projection_step, rotation_step, regression_step):
            state = step(problem, hyper, state)
        cut = {"samples": n, "bits": descent.BITS}
        target, coupling = problem.semantics @ state.dictionary.T, state.dictionary @ state.dictionary.T
        return descend(state.codes, target, coupling, max_sweeps=sweeps, **cut)

    assert 1 < dependent_steps(pass_, state, platform="cuda", trips=sweeps) <= 60
