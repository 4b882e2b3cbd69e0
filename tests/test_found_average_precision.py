"""mAP@N by each divisor: against every order of the ties, SciPy's distribution, scikit-learn, and what programs do."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest
from sklearn.metrics import average_precision_score
from tie_orders import histograms_of, orders, tied_cases

from zsh_jax import (
    average_precision_of_found,
    tie_aware_average_precision,
)
from zsh_jax.core.metrics.evaluate import at_each, over_least
from zsh_jax.core.metrics.histograms import Histograms

pytestmark = pytest.mark.usefixtures("strict_promotion")

CUTOFFS = (1, 2, 3, 4, 6, 100)
OVER = {"worst": np.min, "expected": np.mean, "best": np.max}


@partial(jax.jit, static_argnames="cutoffs")
def _found(items, relevant, *, cutoffs):
    return average_precision_of_found(items, relevant, cutoffs=cutoffs, dtype=jnp.result_type(float))


@partial(jax.jit, static_argnames="cutoffs")
def _by_count(items, relevant, *, cutoffs):
    """Divided by all relevant items, and by these or the places, whatever is less."""
    histograms = Histograms(items, relevant)
    by_all = at_each(tie_aware_average_precision, histograms, cutoffs)
    return by_all, by_all * over_least(histograms, cutoffs)


def _of_found(relevant_in_order, cutoff):
    """As the released programs have it: the mean of the precisions at the relevant ranks, 0 if there are none."""
    ranks = np.flatnonzero(relevant_in_order[:cutoff]) + 1
    return np.mean(np.arange(1, len(ranks) + 1) / ranks) if len(ranks) else 0.0


@pytest.fixture(scope="module")
def cases():
    found = list(tied_cases())[::3]
    rng = np.random.default_rng(1)  # ties of both kinds on both sides of the cut-off, and a large divided tie
    found += [
        (rng.permutation([0, 1, 1, 1, 1, 1, 1]), rng.permutation([1, 1, 1, 1, 0, 0, 0]) > 0) for _ in range(3)
    ]
    return found


@pytest.fixture(scope="module")
def ranked(cases):
    """Every order of relevant and other items of each case: each stands for as many orders of the items."""
    return [np.unique([relevant[order] for order in orders(d)], axis=0) for d, relevant in cases]


@pytest.fixture(scope="module")
def histograms(cases):
    return [
        np.stack(each, dtype=np.int32) for each in zip(*(histograms_of(*case) for case in cases), strict=True)
    ]


@pytest.mark.parametrize("x64", [True, False])
def test_it_is_the_mean_and_the_ends_over_all_orders_of_ties(ranked, histograms, x64):
    with jax.enable_x64(x64):
        found = _found(*map(jnp.asarray, histograms), cutoffs=CUTOFFS)
    tolerance = 1e-12 if x64 else 3e-6
    for place, cutoff in enumerate(CUTOFFS):
        every = [[_of_found(order, cutoff) for order in each] for each in ranked]
        nothing = [np.mean([not order[:cutoff].any() for order in each]) for each in ranked]
        expected = {name: [over(values) for values in every] for name, over in OVER.items()}
        for name, values in (expected | {"nothing": nothing}).items():
            one = getattr(found, name)[:, place]
            assert one.dtype == (np.float64 if x64 else np.float32)
            np.testing.assert_allclose(
                one, values, rtol=tolerance, atol=tolerance, err_msg=f"{name}, {cutoff}"
            )


def test_the_smaller_divisor_is_the_number_of_places_or_of_relevant_items(ranked, histograms, float64):
    found = _by_count(*map(jnp.asarray, histograms), cutoffs=CUTOFFS)[1]
    for place, cutoff in enumerate(CUTOFFS):
        expected = [
            np.mean([oracle.average_precision(order, cutoff) for order in each])
            * (total := each[0].sum())
            / min(cutoff, total)
            for each in ranked
        ]
        np.testing.assert_allclose(found[:, place], expected, rtol=1e-12)


def test_without_a_cut_and_without_ties_it_is_scikit_learn_s(float64):
    rng = np.random.default_rng(0)
    for _ in range(5):
        d, relevant = rng.permutation(60), rng.random(60) < 0.3
        near = d < 20  # the first twenty by themselves
        expected = [average_precision_score(relevant[rows], -d[rows]) for rows in (near, d < 60)]
        found = _found(*histograms_of(d, relevant, 64), cutoffs=(20, 60))
        for name in OVER:
            np.testing.assert_allclose(getattr(found, name), expected, rtol=1e-12)


@pytest.fixture(scope="module")
def large():
    """Histograms of 32 bits of 59,000 items: few and many relevant, near and far."""
    rng = np.random.default_rng(2)
    pairs = []
    for share, near, spread in (
        (0.1, 0.1, 32),
        (0.001, 0.2, 32),
        (0.9, 0.05, 32),
        (0.3, 0.0, 4),
        (0.0002, 0.3, 2),
    ):
        relevant = rng.random(59_000) < share
        d = rng.binomial(spread, 0.45 - near * relevant)
        pairs.append(histograms_of(d, relevant, 32))
    return [np.stack(each) for each in zip(*pairs, strict=True)]


@pytest.mark.parametrize("x64", [True, False])
def test_large_ties_are_summed_as_by_scipy(large, x64):
    cutoffs = (100, 1000, 30_000)
    with jax.enable_x64(x64):
        found = _found(*map(jnp.asarray, large), cutoffs=cutoffs)
    tolerance = 1e-9 if x64 else 2e-5
    for place, cutoff in enumerate(cutoffs):
        expected = np.array(
            [oracle.average_precision_of_found(*pair, cutoff) for pair in zip(*large, strict=True)]
        )
        for name, values in zip(("expected", "worst", "best"), expected.T, strict=True):
            one = getattr(found, name)[:, place]
            np.testing.assert_allclose(
                one, values, rtol=tolerance, atol=tolerance / 10, err_msg=f"{name}, {cutoff}"
            )


def test_fewest_found_is_not_the_worst(float64):
    """Three relevant items first, then a tie: more of them, found late, lower the mean of the precisions."""
    found = _found(jnp.array([3, 10, 0]), jnp.array([3, 2, 0]), cutoffs=(10,))
    assert _of_found(np.array([1] * 3 + [0] * 8 + [1] * 2), 10) == 1
    assert float(found.worst[0]) == pytest.approx((3 + 4 / 9 + 5 / 10) / 5)


def test_nothing_relevant_is_no_number(float64):
    assert np.isnan(_found(jnp.array([3, 4]), jnp.array([0, 0]), cutoffs=(5,))).all()


def test_axes_are_free_and_cut_offs_may_be_none(histograms, float64):
    items, relevant = (jnp.asarray(each[:6]) for each in histograms)
    flat = _found(items, relevant, cutoffs=(3, 4))
    boxed = _found(items.reshape(2, 3, -1), relevant.reshape(2, 3, -1), cutoffs=(3, 4))
    np.testing.assert_array_equal(boxed.expected.reshape(6, 2), flat.expected)
    assert _found(items, relevant, cutoffs=()).best.shape == (6, 0)


def test_an_example_of_the_three_divisors():
    """That of docs/metrics.md: of 18 relevant items, nine are among the first 15 ranks, at these."""
    ranks = np.array([2, 3, 6, 7, 8, 9, 10, 12, 15])
    total = (np.arange(1, 10) / ranks).sum()
    rows = np.zeros(40, int)
    rows[ranks - 1] = 1
    rows[-9:] = 1
    histograms = jnp.ones((1, 40), int), jnp.asarray(rows)[None]
    by_all, by_min = _by_count(*histograms, cutoffs=(15,))
    of_found = _found(*histograms, cutoffs=(15,)).expected
    found = [float(value[0, 0]) for value in (of_found, by_min, by_all)]
    np.testing.assert_allclose(found, [total / 9, total / 15, total / 18], rtol=1e-6)
    assert [round(value, 2) for value in found] == [0.61, 0.37, 0.31]
