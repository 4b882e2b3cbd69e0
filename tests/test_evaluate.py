"""Metrics of packed codes, from codes and labels to means, against the oracle query by query."""

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest
from jaxprs import largest_array

from zsh_jax import evaluate, evaluate_queries, pack_codes

pytestmark = pytest.mark.usefixtures("strict_promotion")

CUTOFFS = (1, 10, 200)


def _case(seed=0, *, q=30, n=400, bits=10, classes=6, noise=0.25, several=False):
    """Codes near a random codeword of their class; boolean codes and labels."""
    rng = np.random.default_rng(seed)
    words = rng.random((classes, bits)) < 0.5
    labels = [rng.integers(0, classes, size) for size in (q, n)]
    codes = [words[label] ^ (rng.random((len(label), bits)) < noise) for label in labels]
    if several:
        labels = [np.maximum(np.eye(classes)[y], rng.random((len(y), classes)) < 0.1) for y in labels]
    return codes[0], labels[0], codes[1], labels[1]


def _arguments(case):
    query, query_labels, database, database_labels = case
    return (
        pack_codes(jnp.where(query, 1.0, -1.0)),
        jnp.asarray(query_labels),
        pack_codes(jnp.where(database, 1.0, -1.0)),
        jnp.asarray(database_labels),
    )


def _relevant(case):
    _, query_labels, _, database_labels = case
    if query_labels.ndim == 1:
        return query_labels[:, None] == database_labels[None]
    return query_labels @ database_labels.T > 0


def _expected(case, bits):
    """Every metric of every query, straight from its definition."""
    each = []
    for d, r in zip(oracle.hamming(case[0], case[2]), _relevant(case), strict=True):
        balls = [d <= radius for radius in range(bits + 1)]
        precision = [r[ball].mean() if ball.any() else 0.0 for ball in balls]
        recall = [r[ball].sum() / r.sum() for ball in balls]
        radius = min(2, bits)
        counts = [np.bincount(one, minlength=bits + 1) for one in (d, d[r])]
        at = np.array([oracle.tie_aware_average_precision(d, r, cutoff) for cutoff in CUTOFFS])
        shares = np.array([r[d == value].mean() for value in np.sort(d)])  # of each place's tie
        each.append(
            (
                oracle.tie_aware_average_precision(d, r),
                oracle.order_average_precision(d, r, worst=True),
                oracle.order_average_precision(d, r, worst=False),
                precision[radius],
                recall[radius],
                float(not balls[radius].any()),
                at,
                at * r.sum() / np.minimum(CUTOFFS, r.sum()),
                [oracle.average_precision_of_found(*counts, cutoff)[0] for cutoff in CUTOFFS],
                [shares[:cutoff].sum() / cutoff for cutoff in CUTOFFS],
                precision,
                recall,
            )
        )
    return [np.array(column) for column in zip(*each, strict=True)]


CASES = {
    "one label": ({}, 10),
    "several labels": ({"several": True}, 10),
    "mostly empty balls": ({"bits": 37, "noise": 0.15}, 37),
    "one bit": ({"bits": 1, "noise": 0.4}, 1),
    "whole bytes": ({"bits": 32, "noise": 0.1}, 32),
}


@pytest.mark.parametrize("x64", [True, False])
@pytest.mark.parametrize(("options", "bits"), CASES.values(), ids=CASES)
def test_all_metrics_equal_the_oracle(options, bits, x64):
    case = _case(**options)
    expected = _expected(case, bits)
    with jax.enable_x64(x64):
        each = evaluate_queries(*_arguments(case), bits=bits, cutoffs=CUTOFFS)
    for name, one, wanted in zip(each._fields, each, expected, strict=True):
        assert one.dtype == (np.float64 if x64 else np.float32)
        tolerance = 1e-10 if x64 else 2e-5
        np.testing.assert_allclose(one, wanted, rtol=tolerance, atol=tolerance, err_msg=name)


def test_the_cases_have_empty_balls_and_full_ones():
    shares = [_expected(_case(**options), bits)[5].mean() for options, bits in CASES.values()]
    assert min(shares) == 0
    assert 0.3 < max(shares) < 1


def test_a_ball_with_items_at_its_centre_alone_is_not_empty():
    query, far = np.zeros((1, 9), bool), np.ones((2, 9), bool)
    near = (query, np.zeros(1, int), np.vstack([query, query, far]), np.array([0, 1, 0, 0]))
    metrics = evaluate(*_arguments(near), bits=9)
    assert (float(metrics.empty_radius2), float(metrics.precision_radius2)) == (0, 0.5)
    assert float(metrics.recall_radius2) == pytest.approx(1 / 3)
    metrics = evaluate(*_arguments((query, np.zeros(1, int), far, np.array([0, 0]))), bits=9)
    assert (float(metrics.empty_radius2), float(metrics.precision_radius2)) == (1, 0)


def test_a_large_random_case_in_float32():
    case = _case(1, q=200, n=3000, bits=24, classes=10, noise=0.3)
    each = evaluate_queries(*_arguments(case), bits=24)
    d, r = oracle.hamming(case[0], case[2]), _relevant(case)
    aware = [oracle.tie_aware_average_precision(*pair) for pair in zip(d, r, strict=True)]
    np.testing.assert_allclose(each.mean_average_precision, aware, rtol=2e-6)
    for worst, found in (
        (True, each.mean_average_precision_worst),
        (False, each.mean_average_precision_best),
    ):
        expected = [oracle.order_average_precision(*pair, worst=worst) for pair in zip(d, r, strict=True)]
        np.testing.assert_allclose(found, expected, rtol=2e-6)


def test_the_order_of_the_database_changes_nothing():
    case = _case()
    order = np.random.default_rng(1).permutation(len(case[2]))
    permuted = (*case[:2], case[2][order], case[3][order])
    for one, other in zip(
        *(evaluate_queries(*_arguments(each), bits=10, cutoffs=CUTOFFS) for each in (case, permuted)),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_no_cutoffs_give_empty_axes():
    metrics = evaluate(*_arguments(_case()), bits=10)
    assert metrics.precision_at.shape == metrics.mean_average_precision_at.shape == (0,)


def test_a_query_with_nothing_relevant_is_an_error_and_not_a_zero():
    case = list(_case())
    case[1] = case[1].copy()
    case[1][7] = 99
    each = evaluate_queries(*_arguments(case), bits=10)
    lost = np.isnan(each.mean_average_precision)
    np.testing.assert_array_equal(np.flatnonzero(lost), [7])
    with pytest.raises(ValueError, match=r"1 of 30 queries .*query 7"):
        evaluate(*_arguments(case), bits=10)
    inside = jax.jit(lambda *arguments: evaluate(*arguments, bits=10))(*_arguments(case))
    assert np.isnan(inside.mean_average_precision)


@pytest.mark.parametrize(
    ("change", "options"),
    [
        (lambda q, y, d, z: (q[:0], y[:0], d, z), {}),
        (lambda q, y, d, z: (q, y, d[:0], z[:0]), {}),
        (lambda q, y, d, z: (q, y[1:], d, z), {}),
        (lambda q, y, d, z: (q, y, d, z[1:]), {}),
        (lambda q, y, d, z: (q, y, d, jax.nn.one_hot(z, 6)), {}),
        (lambda q, y, d, z: (q, y, d, z), {"bits": 17}),
        (lambda q, y, d, z: (q, y, d, z), {"cutoffs": (0,)}),
    ],
    ids=["no query", "no database", "query labels", "database labels", "mixed labels", "bits", "cut-off"],
)
def test_arguments_that_do_not_fit_are_refused(change, options, unchecked_shapes):
    with pytest.raises(ValueError, match=r"\w"):
        evaluate(*change(*_arguments(_case())), **{"bits": 10, **options})


def test_no_array_is_queries_by_database():
    q, n = 1000, 50_000
    codes = [jax.ShapeDtypeStruct((size, 8), jnp.uint8) for size in (q, n)]
    labels = [jax.ShapeDtypeStruct((size,), jnp.int32) for size in (q, n)]

    def run(a, b, c, d):
        return evaluate_queries(a, b, c, d, bits=64)

    assert (
        largest_array(run, codes[0], labels[0], codes[1], labels[1]) <= 8 * n < q * n
    )  # the codes themselves
