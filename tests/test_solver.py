"""The loop against the oracle's, bit for bit, and how it ends."""

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest
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

from zsh_jax import Status, init_state, solve

pytestmark = pytest.mark.usefixtures("strict_promotion")

LOOSE = (1e-2, 0.1, 1e-3, 1e-3)  # alpha so large that samples of a class differ in code
CASES = {
    "published": ({}, 8, PUBLISHED),
    "more classes than bits": ({"n": 150, "classes": 12, "e": 10}, 6, PUBLISHED),
    "not class-constant": ({"n": 160, "classes": 7}, 16, LOOSE),
    "several labels": ({"several": True}, 12, PUBLISHED),
}


def _solve(data, bits, values, **options):
    return solve(problem_of(data), hyper_of(values), start_of(data, bits), **options)


def _oracle(data, bits, values, **options):
    b, _, r, w = numpy_of(start_of(data, bits))
    return oracle.solve(data.phi, data.semantics, data.laplacian, values, b, r, w, **options)


@pytest.mark.parametrize(("options", "bits", "values"), CASES.values(), ids=CASES)
def test_codes_are_the_oracle_s_to_the_bit(options, bits, values, float64):
    data = given(**options)
    found, expected = _solve(data, bits, values), _oracle(data, bits, values)
    np.testing.assert_array_equal(found.state.codes, expected.codes)
    np.testing.assert_allclose(found.state.projection, expected.projection, atol=1e-8)
    count = int(found.iterations)
    assert count == len(expected.objective)
    np.testing.assert_allclose(found.objective[:count], expected.objective, rtol=1e-9)
    np.testing.assert_array_equal(found.flips[:count], expected.flips)
    np.testing.assert_array_equal(found.terms.total, found.objective)


def test_the_cases_differ_as_they_say(float64):
    def distinct(name):
        options, bits, values = CASES[name]
        solution = _solve(given(**options), bits, values)
        return len(np.unique(solution.state.codes, axis=0)), int(solution.iterations)

    assert distinct("published")[0] <= 8  # of 120 samples
    codes, iterations = distinct("not class-constant")
    assert codes > 14
    assert iterations >= 5


@pytest.mark.parametrize(("options", "bits", "values"), CASES.values(), ids=CASES)
def test_float32_ends_where_float64_finds_nothing_to_gain(options, bits, values):
    """Which of several fixed points it reaches may depend on rounding, and so on the processor."""
    data = given(**options)
    found = _solve(data, bits, values)
    assert found.state.codes.dtype == jnp.float32
    last = float(found.objective[int(found.iterations) - 1])
    assert value_of(data, values, found.state) <= last * (1 + 1e-3)  # its projection is fitted once more
    if int(found.status) == Status.CONVERGED:
        b, _, r, w = numpy_of(found.state)
        on = oracle.solve(data.phi, data.semantics, data.laplacian, values, b, r, w, iterations=1)
        assert on.objective[-1] == pytest.approx(last, rel=1e-3)
    assert last == pytest.approx(_oracle(data, bits, values).objective[-1], rel=0.1)


def test_float32_survives_an_alpha_that_leaves_no_ridge():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 8))
    phi = oracle.rbf(x, x[:200], 10 * oracle.bandwidth(x, x[:200]))
    assert np.linalg.cond(phi.T @ phi) > 1e9  # a ridge of 1e-4 is far below what float32 can tell
    data = given(n=1500, classes=7)._replace(phi=phi)
    found = _solve(data, 8, (1e-2, 1.0, 1e-4, 0.0))
    assert int(found.status) != Status.NON_FINITE
    last = float(found.objective[int(found.iterations) - 1])
    assert last == pytest.approx(_oracle(data, 8, (1e-2, 1.0, 1e-4, 0.0)).objective[-1], rel=0.2)


def test_the_trace_is_the_objective_of_the_states_on_the_way(float64):
    data = given(**CASES["not class-constant"][0])
    whole = _solve(data, 16, LOOSE, max_iterations=4)
    for count in (1, 2, 3, 4):
        part = _solve(data, 16, LOOSE, max_iterations=count)
        assert int(part.iterations) == count
        assert float(part.objective[-1]) == float(whole.objective[count - 1])
        # The returned projection is fitted once more: it can only be better than the trace's.
        assert value_of(data, LOOSE, part.state) <= float(part.objective[-1]) * (1 + 1e-12)


def test_the_returned_projection_is_fitted_to_the_returned_codes(float64):
    data = given(**CASES["not class-constant"][0])
    state = _solve(data, 16, LOOSE, max_iterations=1).state
    expected = oracle.projection(data.phi, data.laplacian, LOOSE, np.asarray(state.codes))
    np.testing.assert_allclose(state.projection, expected, atol=1e-8)


def test_converged_is_a_fixed_point(float64):
    options, bits, values = CASES["published"]
    data = given(**options)
    end = _solve(data, bits, values)
    count = int(end.iterations)
    assert int(end.status) == Status.CONVERGED
    assert count < 10
    assert int(end.flips[count - 1]) == 0
    assert (np.asarray(end.flips[: count - 1]) > 0).all()
    again = solve(problem_of(data), hyper_of(values), end.state)
    assert (int(again.iterations), int(again.flips[0]), int(again.status)) == (1, 0, Status.CONVERGED)
    np.testing.assert_array_equal(again.state.codes, end.state.codes)


def test_traces_are_blank_past_the_last_iteration():
    options, bits, values = CASES["published"]
    end = _solve(given(**options), bits, values)
    count = int(end.iterations)
    assert count < 10
    for trace in (end.objective, *end.terms):
        assert np.isfinite(trace[:count]).all()
        assert np.isnan(trace[count:]).all()
    assert (np.asarray(end.flips[count:]) == -1).all()


def test_the_iteration_limit_is_kept_and_told():
    end = _solve(given(**CASES["not class-constant"][0]), 16, LOOSE, max_iterations=2)
    assert (int(end.iterations), int(end.status)) == (2, Status.ITERATION_LIMIT)
    assert end.objective.shape == end.flips.shape == (2,)


@pytest.mark.parametrize("field", ["phi", "semantics"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_a_status_and_not_an_exception(field, value):
    data = given()
    array = np.array(getattr(data, field))
    array[3, 2] = value
    end = _solve(data._replace(**{field: array}), 8, PUBLISHED)
    assert int(end.status) == Status.NON_FINITE
    assert int(end.iterations) == 1


def test_a_tolerance_stops_earlier_at_the_first_slow_iteration(float64):
    data = given(**CASES["not class-constant"][0])
    whole, early = (_solve(data, 16, LOOSE, tolerance=tolerance) for tolerance in (0.0, 0.05))
    decrease = -np.diff(whole.objective) / np.asarray(whole.objective[:-1])
    first_slow = int(np.flatnonzero(decrease < 0.05)[0]) + 2
    assert first_slow < int(whole.iterations)
    assert (int(early.iterations), int(early.status)) == (first_slow, Status.CONVERGED)
    np.testing.assert_array_equal(early.objective[:first_slow], whole.objective[:first_slow])


def test_permuting_samples_permutes_codes(float64):
    data = given(**CASES["not class-constant"][0])
    order = np.random.default_rng(0).permutation(len(data.phi))
    inverse = np.argsort(order)
    moved = data._replace(
        phi=data.phi[order],
        semantics=data.semantics[order],
        neighbours=inverse[data.neighbours[order]],
        weights=data.weights[order],
    )
    start = start_of(data, 16)
    one = solve(problem_of(data), hyper_of(LOOSE), start)
    other = solve(problem_of(moved), hyper_of(LOOSE), start._replace(codes=start.codes[order]))
    np.testing.assert_array_equal(other.state.codes, one.state.codes[order])
    np.testing.assert_allclose(other.state.projection, one.state.projection, atol=1e-8)


def test_the_start_is_fair_signs_of_the_key():
    problem = problem_of(given())
    states = [init_state(problem, jax.random.key(seed), bits=40) for seed in (0, 0, 1)]
    codes = [np.asarray(state.codes) for state in states]
    assert set(np.unique(codes[0])) == {-1, 1}
    assert abs(codes[0].mean()) < 0.05
    assert abs(np.corrcoef(codes[0].T) - np.eye(40)).max() < 0.45
    np.testing.assert_array_equal(codes[0], codes[1])
    assert 0.4 < (codes[0] != codes[2]).mean() < 0.6
    np.testing.assert_array_equal(states[0].rotation, np.eye(9))


def test_a_rotated_start_is_a_start_like_another(float64):
    data = given(**CASES["not class-constant"][0])
    plain = start_of(data, 16)
    turned = start_of(data, 16, rotation=random_rotation(1, 9))
    ends = [solve(problem_of(data), hyper_of(LOOSE), start) for start in (plain, turned)]
    np.testing.assert_array_equal(ends[0].state.codes, ends[1].state.codes)


@pytest.mark.parametrize("options", [{"rotation": "cayley"}, {"max_iterations": 0}, {"max_sweeps": 0}])
def test_bad_options_are_refused(options, unchecked_shapes):
    with pytest.raises(ValueError, match="must be"):
        _solve(given(), 8, PUBLISHED, **options)


def test_a_code_of_no_bits_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        init_state(problem_of(given()), jax.random.key(0), bits=0)
