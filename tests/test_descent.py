"""J never rises: over random problems, in every single step, and along the solver's trace."""

import numpy as np
import pytest
from draws import few_draws
from hypothesis import given as over
from hypothesis import strategies as st
from problems import given, hyper_of, problem_of, random_rotation, start_of, value_of

from zsh_jax import codes_step, projection_step, regression_step, rotation_step, solve

pytestmark = pytest.mark.usefixtures("strict_promotion", "float64")

SHAPES = st.sampled_from([(60, 11, 4, 3, 6), (60, 11, 7, 12, 5)])  # n, m, e, classes, bits
WEIGHTS = st.tuples(*(st.floats(low, high) for low, high in ((-4, 1), (-6, 0), (-5, 1), (-6, 1))))
SEEDS = st.integers(0, 2**16)


def _case(shape, exponents, seed):
    n, m, e, classes, bits = shape
    data = given(seed, n=n, m=m, e=e, classes=classes, several=seed % 2 == 1)
    return data, tuple(10.0**x for x in exponents), start_of(data, bits, seed, random_rotation(seed, e))


@few_draws(12)
@over(SHAPES, WEIGHTS, SEEDS)
def test_no_single_step_raises_the_objective(shape, exponents, seed):
    data, values, state = _case(shape, exponents, seed)
    problem, hyper = problem_of(data), hyper_of(values)
    value = value_of(data, values, state)
    first = value
    for _ in range(2):
        for step in (projection_step, rotation_step, regression_step, codes_step):
            state = step(problem, hyper, state)
            now = value_of(data, values, state)
            assert now <= value + 1e-10 * abs(value)
            value = now
    assert value < first


@few_draws(12)
@over(SHAPES, WEIGHTS, SEEDS)
def test_the_solver_s_trace_never_rises(shape, exponents, seed):
    data, values, state = _case(shape, exponents, seed)
    end = solve(problem_of(data), hyper_of(values), state)
    trace = np.asarray(end.objective)[: int(end.iterations)]
    assert (np.diff(trace) <= 1e-10 * trace[:-1]).all()
    assert trace[-1] == pytest.approx(value_of(data, values, end.state), rel=1e-6) or (
        value_of(data, values, end.state) <= trace[-1]
    )
