"""Sweeps are vmaps: equal to the loop, with one factorisation, and no second compilation."""

import subprocess
import sys

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxprs import equations
from problems import PUBLISHED, given, hyper_of, problem_of, start_of

from zsh_jax import Hyperparameters, init_state, solve

pytestmark = pytest.mark.usefixtures("strict_promotion")

BITS = 8
GRID = ((1e-2, 1e-5, 1e-4, 1e-6), (1.0, 1e-5, 1e-4, 1e-6), (1e-2, 0.1, 1e-3, 1e-3), (0.1, 1e-2, 1.0, 0.1))
ONLY_LAM = Hyperparameters(0, None, None, None, None)


def _stack(*trees):
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)


def _assert_same(batched, singles):
    for i, single in enumerate(singles):
        one = jax.tree.map(lambda leaf, i=i: leaf[i], batched)
        np.testing.assert_array_equal(one.state.codes, single.state.codes)
        np.testing.assert_array_equal(one.flips, single.flips)
        assert (int(one.iterations), int(one.status)) == (int(single.iterations), int(single.status))
        np.testing.assert_allclose(one.objective, single.objective, rtol=1e-9)
        np.testing.assert_allclose(one.state.projection, single.state.projection, atol=1e-8)


def test_vmap_over_hyperparameters_equals_the_loop(float64):
    data = given()
    problem, start = problem_of(data), start_of(data, BITS)
    hypers = [hyper_of(values) for values in GRID]
    batched = jax.vmap(solve, (None, 0, None))(problem, _stack(*hypers), start)
    singles = [solve(problem, hyper, start) for hyper in hypers]
    assert len({int(single.iterations) for single in singles}) > 1  # some wait for others
    _assert_same(batched, singles)


def test_vmap_over_keys_equals_the_loop(float64):
    problem = problem_of(given())

    def run(key):
        return solve(problem, hyper_of(), init_state(problem, key, bits=BITS))

    keys = jax.random.split(jax.random.key(0), 3)
    _assert_same(jax.vmap(run)(keys), [run(key) for key in keys])


def test_one_failed_cell_leaves_the_others_alone(float64):
    problem, start = problem_of(given()), start_of(given(), BITS)
    lams = jnp.array([1e-2, jnp.nan, 0.1])
    batched = jax.vmap(lambda lam: solve(problem, hyper_of()._replace(lam=lam), start))(lams)
    assert batched.status.tolist() == [0, 2, 0]
    for i in (0, 2):
        single = solve(problem, hyper_of()._replace(lam=lams[i]), start)
        np.testing.assert_array_equal(batched.state.codes[i], single.state.codes)


def _factorised_shapes(axes, hyper):
    data = given()
    run = jax.vmap(solve, (None, axes, None))
    found = equations(run, problem_of(data), hyper, start_of(data, BITS))
    return [eq.outvars[0].aval.shape for eq in found if eq.primitive.name == "cholesky"]


def test_factorisations_are_never_batched():
    m = given().phi.shape[1]
    one = hyper_of()
    shared = _factorised_shapes(ONLY_LAM, one._replace(lam=jnp.array([1e-2, 1e-1, 1.0])))
    assert shared == [(m, m)]
    each = _factorised_shapes(Hyperparameters(0, 0, 0, 0, 0), _stack(*(hyper_of(values) for values in GRID)))
    assert each == [(m, m)]  # in a loop


def test_the_factorisation_is_outside_the_loops():
    data = given()
    found = equations(solve, problem_of(data), hyper_of(), start_of(data, BITS))
    loops = [eq for eq in found if eq.primitive.name == "while"]
    assert loops
    for loop in loops:
        inside = equations(jax.extend.core.jaxpr_as_fun(loop.params["body_jaxpr"]), *_zeros(loop))
        assert "cholesky" not in {eq.primitive.name for eq in inside}


def _zeros(loop):
    return [jnp.zeros(aval.shape, aval.dtype) for aval in loop.params["body_jaxpr"].in_avals]


def test_a_second_call_does_not_compile_again():
    data = given()
    problem = problem_of(data)
    run = jax.jit(chex.assert_max_traces(solve.__wrapped__, n=1))
    for seed, values in enumerate((PUBLISHED, *GRID)):
        run(problem, hyper_of(values), start_of(data, BITS, seed), tolerance=1e-3 * seed)
    solve(problem, hyper_of(), start_of(data, BITS))
    size = solve._cache_size()
    for values in GRID:
        solve(problem, hyper_of(values), start_of(data, BITS))
    assert solve._cache_size() == size


FIVE_CELLS = """
import jax, jax.numpy as jnp
from zsh_jax import Hyperparameters, init_state, make_problem, solve
keys = jax.random.split(jax.random.key(0), 5)
def cell(key):
    problem = make_problem(jax.random.uniform(key, (500, 201)), jax.random.normal(key, (500, 11)))
    return solve(problem, Hyperparameters(), init_state(problem, key, bits=64))
print(jax.jit(jax.vmap(cell))(keys).iterations.tolist())
"""


@pytest.mark.slow
def test_a_batch_with_factorisations_ends():
    """Batched factorisations wait for threads that XLA's CPU client may have given to other work: for ever."""
    done = subprocess.run(
        [sys.executable, "-c", FIVE_CELLS], capture_output=True, text=True, timeout=300, check=True
    )
    assert done.stdout.count(",") == 4
