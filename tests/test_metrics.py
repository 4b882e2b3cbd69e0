"""Average precision and its kin against every order of the ties, fractions, scikit-learn and the oracle."""

from fractions import Fraction

import hypothesis
import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score
from tie_orders import BITS, histograms_of, orders, tied_cases

from zsh_jax import (
    best_average_precision,
    expected_precision_at,
    tie_aware_average_precision,
    worst_average_precision,
)
from zsh_jax.core.metrics.harmonic import harmonic_difference, rank_shares
from zsh_jax.core.metrics.relevance import label_words, relevance

pytestmark = pytest.mark.usefixtures("strict_promotion")


@pytest.mark.parametrize("x64", [True, False])
@pytest.mark.parametrize("cutoff", [None, 1, 3, 4, 100])
def test_average_precision_is_the_mean_over_all_orders_of_ties(cutoff, x64):
    cases = list(tied_cases())
    expected = [
        np.mean([oracle.average_precision(relevant[order], cutoff) for order in orders(d)])
        for d, relevant in cases
    ]
    with jax.enable_x64(x64):
        items, relevant = map(jnp.stack, zip(*(histograms_of(*case) for case in cases), strict=True))
        dtype = jnp.result_type(float)
        found = tie_aware_average_precision(items, relevant, cutoff=cutoff, dtype=dtype)
    assert found.dtype == (np.float64 if x64 else np.float32)
    np.testing.assert_allclose(found, expected, rtol=1e-12 if x64 else 2e-6)


@pytest.mark.parametrize("cutoff", [1, 3, 4, 100])
def test_precision_at_is_the_mean_over_all_orders_of_ties(cutoff, float64):
    cases = list(tied_cases())
    expected = [
        np.mean([relevant[order][:cutoff].sum() / cutoff for order in orders(d)]) for d, relevant in cases
    ]
    items, relevant = map(jnp.stack, zip(*(histograms_of(*case) for case in cases), strict=True))
    found = expected_precision_at(items, relevant, cutoff=cutoff, dtype=jnp.float64)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_without_ties_average_precision_is_scikit_learn_s(float64):
    rng = np.random.default_rng(0)
    for _ in range(10):
        d, relevant = rng.permutation(60), rng.random(60) < 0.3
        found = tie_aware_average_precision(*histograms_of(d, relevant, 64), dtype=jnp.float64)
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
    np.testing.assert_allclose(found, exact, rtol=5e-7)
    with jax.enable_x64(True):
        found = harmonic_difference(*(jnp.asarray(a) for a in args))
    np.testing.assert_allclose(found, exact, rtol=1e-11)


@pytest.mark.parametrize("start", [0, 1, 7, 31, 32, 33, 1000, 59_000, 1_000_000])
@pytest.mark.parametrize("count", [0, 1, 2, 25, 32, 33, 1200, 59_000])
def test_rank_shares_keep_their_digits(start, count):
    place = np.arange(1, count + 1, dtype=np.longdouble)
    exact = float((place / (start + place)).sum())
    args = np.float64(start), np.float64(count)
    found = rank_shares(*(jnp.asarray(a, jnp.float32) for a in args))
    np.testing.assert_allclose(found, exact, rtol=5e-7)
    with jax.enable_x64(True):
        found = rank_shares(*(jnp.asarray(a) for a in args))
    np.testing.assert_allclose(found, exact, rtol=1e-11)


@pytest.mark.parametrize("cutoff", [None, 1, 100, 1000, 59_000])
def test_float32_average_precision_of_a_large_database_is_near_float64(cutoff):
    rng = np.random.default_rng(0)
    d = rng.binomial(64, 0.3 + 0.2 * (labels := rng.integers(0, 10, 59_000) > 0))
    exact = oracle.tie_aware_average_precision(d, ~labels, cutoff)
    found = tie_aware_average_precision(*histograms_of(d, ~labels, 64), cutoff=cutoff)
    np.testing.assert_allclose(found, exact, rtol=2e-6)


@pytest.mark.parametrize("x64", [True, False])
@pytest.mark.parametrize("cutoff", [None, 1, 3, 100])
def test_no_order_of_ties_is_worse_than_the_worst_or_better_than_the_best(cutoff, x64):
    cases = list(tied_cases())
    every = [
        [oracle.average_precision(relevant[order], cutoff) for order in orders(d)] for d, relevant in cases
    ]
    with jax.enable_x64(x64):
        items, relevant = map(jnp.stack, zip(*(histograms_of(*case) for case in cases), strict=True))
        options = {"cutoff": cutoff, "dtype": jnp.result_type(float)}
        worst = worst_average_precision(items, relevant, **options)
        best = best_average_precision(items, relevant, **options)
    tolerance = 1e-12 if x64 else 2e-6
    np.testing.assert_allclose(worst, [min(orders) for orders in every], rtol=tolerance)
    np.testing.assert_allclose(best, [max(orders) for orders in every], rtol=tolerance)


@hypothesis.given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=9, max_size=9))
def test_the_mean_lies_between_worst_and_best_and_without_ties_all_are_equal(pairs):
    relevant, others = np.array(pairs).T
    hypothesis.assume(relevant.sum() > 0)
    args = jnp.asarray(relevant + others), jnp.asarray(relevant)
    worst, mean, best = (
        np.asarray(rule(*args))
        for rule in (worst_average_precision, tie_aware_average_precision, best_average_precision)
    )
    slack = 1 + 1e-6
    assert 0 < worst <= mean * slack <= best * slack**2 <= 1 + 1e-5
    if not (relevant * others).any():  # a distance holds relevant items alone, or others
        np.testing.assert_allclose([worst, best], mean, rtol=1e-6)


@pytest.mark.parametrize("cutoff", [1, 5, 17, 50, 10_000])
def test_the_released_figure_is_the_worst_order_where_relevant_items_are_stored_last(cutoff, float64):
    rng = np.random.default_rng(cutoff)
    for share in (0.02, 0.5, 1.0):
        d, relevant = rng.integers(0, BITS + 1, 50), np.sort(rng.random(50) < share)
        if not relevant.any():
            continue
        options = {"cutoff": cutoff, "of_found": True, "dtype": jnp.float64}
        worst = worst_average_precision(*histograms_of(d, relevant), **options)
        np.testing.assert_allclose(worst, oracle.stable_average_precision(d, relevant, cutoff), rtol=1e-12)
        best = best_average_precision(*histograms_of(d, relevant), **options)
        first = slice(None, None, -1)  # stored first
        expected = oracle.stable_average_precision(d[first], relevant[first], cutoff)
        np.testing.assert_allclose(best, expected, rtol=1e-12)


def test_nothing_relevant_is_nan_and_nothing_found_is_zero():
    items, relevant = jnp.array([5, 5]), jnp.array([0, 1])
    for rule in (worst_average_precision, best_average_precision):
        assert np.isnan(rule(items, jnp.zeros(2, int), cutoff=3, of_found=True))
        assert np.isnan(rule(items, jnp.zeros(2, int)))
        assert rule(items, relevant, cutoff=3, of_found=True) == 0


@pytest.mark.parametrize("share", [0.1, 1e-4])
def test_worst_and_best_of_a_large_database_keep_their_digits(share):
    rng = np.random.default_rng(0)
    relevant = rng.random(59_000) < share
    d = rng.binomial(64, np.where(relevant, 0.4, 0.5))
    for rule, worst in ((worst_average_precision, True), (best_average_precision, False)):
        found = rule(*histograms_of(d, relevant, 64))
        np.testing.assert_allclose(found, oracle.order_average_precision(d, relevant, worst=worst), rtol=2e-6)


def test_relevant_is_the_same_class_or_a_shared_label():
    np.testing.assert_array_equal(relevance(jnp.array(2), jnp.array([2, 0, 2])), [True, False, True])
    hot = label_words(jnp.array([[1, 0, 1], [0, 1, 0], [0, 0, 0], [0, 0, 1]]))
    asked = label_words(jnp.array([[0, 0, 1], [0, 0, 0]]))
    np.testing.assert_array_equal(relevance(asked[0], hot), [True, False, False, True])
    np.testing.assert_array_equal(relevance(asked[1], hot), [False] * 4)


@pytest.mark.parametrize("classes", [7, 32, 81])
def test_words_of_labels_share_a_bit_where_rows_share_a_label(classes):
    rng = np.random.default_rng(0)
    queries, database = (rng.random((n, classes)) < 2 / classes for n in (20, 90))
    found = [
        relevance(query, label_words(jnp.asarray(database))) for query in label_words(jnp.asarray(queries))
    ]
    np.testing.assert_array_equal(found, queries.astype(int) @ database.T > 0)
