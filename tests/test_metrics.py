"""Average precision and its kin against every order of the ties, fractions, scikit-learn and the oracle."""

from fractions import Fraction
from itertools import permutations, product

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest
from sklearn.metrics import average_precision_score

from zsh_jax import expected_precision_at, tie_aware_average_precision
from zsh_jax.core.metrics.average_precision import harmonic_difference
from zsh_jax.core.metrics.ranking import distance_histograms, relevance, stable_average_precision

pytestmark = pytest.mark.usefixtures("strict_promotion")

BITS = 8


def _histograms(d, relevant, bits=BITS):
    d, relevant = np.asarray(d), np.asarray(relevant, bool)
    items = np.bincount(d, minlength=bits + 1)
    return jnp.asarray(items), jnp.asarray(np.bincount(d[relevant], minlength=bits + 1))


def _orders(d):
    """Every ranking by distance, ties in every order."""
    runs = [np.flatnonzero(d == value) for value in np.unique(d)]
    for chosen in product(*(permutations(run) for run in runs)):
        yield np.concatenate(chosen)


def _cases():
    """All ties of up to five items with all patterns of relevance, and longer random ones."""
    for n in range(1, 6):
        for cuts in product([0, 1], repeat=n - 1):
            d = np.concatenate([[0], np.cumsum(cuts)]).astype(int)
            for pattern in product([False, True], repeat=n):
                if any(pattern):
                    yield d, np.array(pattern)
    rng = np.random.default_rng(0)
    for _ in range(20):
        yield rng.permutation([0, 0, 0, 2, 2, 5, 5, 5]), np.append(rng.random(7) < 0.5, True)


@pytest.mark.parametrize("x64", [True, False])
@pytest.mark.parametrize("cutoff", [None, 1, 3, 4, 100])
def test_average_precision_is_the_mean_over_all_orders_of_ties(cutoff, x64):
    cases = list(_cases())
    expected = [
        np.mean([oracle.average_precision(relevant[order], cutoff) for order in _orders(d)])
        for d, relevant in cases
    ]
    with jax.enable_x64(x64):
        items, relevant = map(jnp.stack, zip(*(_histograms(*case) for case in cases), strict=True))
        dtype = jnp.result_type(float)
        found = tie_aware_average_precision(items, relevant, cutoff=cutoff, dtype=dtype)
    assert found.dtype == (np.float64 if x64 else np.float32)
    np.testing.assert_allclose(found, expected, rtol=1e-12 if x64 else 2e-6)


@pytest.mark.parametrize("cutoff", [1, 3, 4, 100])
def test_precision_at_is_the_mean_over_all_orders_of_ties(cutoff, float64):
    cases = list(_cases())
    expected = [
        np.mean([relevant[order][:cutoff].sum() / cutoff for order in _orders(d)]) for d, relevant in cases
    ]
    items, relevant = map(jnp.stack, zip(*(_histograms(*case) for case in cases), strict=True))
    found = expected_precision_at(items, relevant, cutoff=cutoff, dtype=jnp.float64)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_without_ties_average_precision_is_scikit_learn_s(float64):
    rng = np.random.default_rng(0)
    for _ in range(10):
        d, relevant = rng.permutation(60), rng.random(60) < 0.3
        found = tie_aware_average_precision(*_histograms(d, relevant, 64), dtype=jnp.float64)
        assert float(found) == pytest.approx(average_precision_score(relevant, -d), rel=1e-12)


def test_perfect_worst_and_all_tied_rankings(float64):
    def found(items, relevant):
        return float(tie_aware_average_precision(jnp.array(items), jnp.array(relevant), dtype=jnp.float64))

    assert found([3, 0, 7], [3, 0, 0]) == pytest.approx(1)
    assert found([7, 0, 3], [0, 0, 3]) == pytest.approx((1 / 8 + 2 / 9 + 3 / 10) / 3)
    assert found([4, 0, 0], [1, 0, 0]) == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)
    assert np.isnan(found([4, 0, 0], [0, 0, 0]))


@pytest.mark.parametrize("start", [0, 1, 7, 31, 32, 33, 1000, 100_000, 1_000_000])
@pytest.mark.parametrize("count", [0, 1, 2, 25, 32, 5000])
def test_harmonic_difference_keeps_its_digits(start, count):
    exact = float(sum(Fraction(1, i) for i in range(start + 1, start + count + 1)) if count < 100 else 0)
    exact = exact or float((1 / np.arange(start + 1, start + count + 1, dtype=np.longdouble)).sum())
    args = np.float64(start), np.float64(count)
    found = harmonic_difference(*(jnp.asarray(a, jnp.float32) for a in args))
    np.testing.assert_allclose(found, exact, rtol=1e-5)
    with jax.enable_x64(True):
        found = harmonic_difference(*(jnp.asarray(a) for a in args))
    np.testing.assert_allclose(found, exact, rtol=1e-9)


@pytest.mark.parametrize("cutoff", [None, 1, 100, 1000, 59_000])
def test_float32_average_precision_of_a_large_database_is_near_float64(cutoff):
    rng = np.random.default_rng(0)
    d = rng.binomial(64, 0.3 + 0.2 * (labels := rng.integers(0, 10, 59_000) > 0))
    exact = oracle.tie_aware_average_precision(d, ~labels, cutoff)
    found = tie_aware_average_precision(*_histograms(d, ~labels, 64), cutoff=cutoff)
    np.testing.assert_allclose(found, exact, rtol=2e-5)


@pytest.mark.parametrize("cutoff", [1, 5, 17, 50, 10_000])
def test_stable_average_precision_is_that_of_a_stable_sort(cutoff, float64):
    rng = np.random.default_rng(cutoff)
    for share in (0.02, 0.5, 1.0):
        d, relevant = rng.integers(0, BITS + 1, 50), rng.random(50) < share
        found = stable_average_precision(
            jnp.asarray(d, jnp.int32),
            jnp.asarray(relevant),
            *distance_histograms(jnp.asarray(d, jnp.int32), jnp.asarray(relevant), bits=BITS),
            cutoff=cutoff,
            dtype=jnp.float64,
        )
        assert float(found) == pytest.approx(oracle.stable_average_precision(d, relevant, cutoff), rel=1e-12)


def test_stable_average_precision_depends_on_the_database_order():
    d, relevant = np.zeros(6, np.int32), np.array([1, 1, 0, 0, 0, 0], bool)

    def found(relevant):
        both = jnp.asarray(d), jnp.asarray(relevant)
        return float(stable_average_precision(*both, *distance_histograms(*both, bits=BITS), cutoff=6))

    assert found(relevant) == pytest.approx(1)
    assert found(relevant[::-1]) == pytest.approx((1 / 5 + 2 / 6) / 2)


def test_histograms_count_items_and_relevant_ones():
    rng = np.random.default_rng(0)
    d, relevant = rng.integers(0, BITS + 1, 500), rng.random(500) < 0.2
    items, hits = distance_histograms(jnp.asarray(d), jnp.asarray(relevant), bits=BITS)
    expected = _histograms(d, relevant)
    np.testing.assert_array_equal(items, expected[0])
    np.testing.assert_array_equal(hits, expected[1])


def test_relevant_is_the_same_class_or_a_shared_label():
    np.testing.assert_array_equal(relevance(jnp.array(2), jnp.array([2, 0, 2])), [True, False, True])
    hot = jnp.array([[1, 0, 1], [0, 1, 0], [0, 0, 0], [0, 0, 1]])
    np.testing.assert_array_equal(relevance(jnp.array([0, 0, 1]), hot), [True, False, False, True])
    np.testing.assert_array_equal(relevance(jnp.array([0, 0, 0]), hot), [False] * 4)
