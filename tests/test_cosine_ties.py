"""Average precision by cosine where cosines are equal: against float64, fractions, and random orders of the ties."""

from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest

from zsh_jax.core.metrics.cosine import cosine_average_precision
from zsh_jax.core.metrics.equal_rows import first_equal_rows
from zsh_jax.core.metrics.score_ranking import score_average_precision

pytestmark = pytest.mark.usefixtures("strict_promotion")

N, CLASSES = 240, 4


def _binary(rng):
    return (rng.random((N, 40)) < 0.06).astype(float)


def _vectors(kind):
    """Rows of which many have equal cosines; whole numbers whose cosines are the same."""
    rng = np.random.default_rng(3)
    binary = _binary(rng)
    lengths = rng.uniform(0.01, 30, (N, 1))
    if kind == "binary":
        return binary, binary
    if kind == "binary of unit length":
        return binary / np.maximum(np.linalg.norm(binary, axis=1, keepdims=True), 1e-9), binary
    if kind == "binary of any length":
        return binary * lengths, binary
    if kind == "counts":
        counts = rng.integers(1, 40, (N, 40)) * binary
        return counts, counts
    if kind == "signs":
        signs = np.repeat(rng.choice([-1.0, 1.0], (N, 10)), 4, axis=1)
        return signs / 7, signs
    real = rng.normal(size=(12, 40)).astype(np.float32).astype(float)[rng.integers(0, 12, N)]
    real *= 2.0 ** rng.integers(-3, 4, (N, 1))
    real[rng.random(N) < 0.2] = 0
    return real, None


def _labels(several):
    rng = np.random.default_rng(4)
    labels = rng.integers(0, CLASSES, N)
    return np.eye(CLASSES, dtype=bool)[labels] | (rng.random((N, CLASSES)) < 0.1) if several else labels


def _relevant(labels, row):
    return labels == labels[row] if labels.ndim == 1 else (labels & labels[row]).any(axis=1)


def _ranks(query, rows, whole):
    """Place of each row's cosine among the different ones, the largest first: exact for whole numbers."""
    if whole:
        dots = rows @ query
        cosines = [
            Fraction(int(d) * abs(int(d)), max(int(row @ row), 1)) for d, row in zip(dots, rows, strict=True)
        ]
    else:
        length = np.linalg.norm(rows, axis=1) * np.linalg.norm(query)
        cosines = np.round(
            np.where(length > 0, rows @ query / np.where(length > 0, length, 1), 0), 9
        ).tolist()
    places = {value: place for place, value in enumerate(sorted(set(cosines), reverse=True))}
    return np.array([places[value] for value in cosines])


KINDS = ["binary", "binary of unit length", "binary of any length", "counts", "signs", "copies and zeros"]


@pytest.mark.parametrize("several", [False, True], ids=["one label", "several labels"])
@pytest.mark.parametrize("kind", KINDS)
def test_ties_are_shared_out_exactly_in_float32(kind, several):
    given, whole = _vectors(kind)
    labels = _labels(several)
    rows = np.array([0, 7, 100, N - 1])
    exact = given if whole is None else whole
    database = (jnp.asarray(given, jnp.float32), jnp.asarray(labels))
    asked = (database[0][rows], database[1][rows])
    found = cosine_average_precision(*asked, *database, block=3)
    without = cosine_average_precision(*asked, *database, jnp.asarray(rows), block=3)
    tied = []
    for i, row in enumerate(rows):
        rank, relevant = _ranks(exact[row], exact, whole is not None), _relevant(labels, row)
        tied.append(len(rank) - len(set(rank.tolist())))
        np.testing.assert_allclose(found[i], oracle.tie_aware_average_precision(rank, relevant), rtol=3e-6)
        rest = np.arange(N) != row
        expected = oracle.tie_aware_average_precision(rank[rest], relevant[rest])
        np.testing.assert_allclose(without[i], expected, rtol=3e-6)
    assert min(tied) > N // 10  # the case is one of ties


def test_the_value_is_the_mean_over_random_orders_of_the_ties(float64):
    given, _ = _vectors("binary")
    labels = _labels(False)
    rng = np.random.default_rng(0)
    rank, relevant = _ranks(given[5], given, True), _relevant(labels, 5)
    drawn = [oracle.average_precision(relevant[np.lexsort((rng.random(N), rank))]) for _ in range(2000)]
    database = (jnp.asarray(given), jnp.asarray(labels))
    (found,) = cosine_average_precision(database[0][5:6], database[1][5:6], *database)
    assert abs(found - np.mean(drawn)) < 4 * np.std(drawn) / np.sqrt(len(drawn))
    worst = oracle.average_precision(relevant[np.lexsort((relevant, rank))])
    assert found > worst + 0.05


@pytest.mark.parametrize("x64", [True, False])
def test_scores_of_any_number_of_ties(x64):
    rng = np.random.default_rng(0)
    judge = jax.jit(score_average_precision)
    for levels in (1, 2, 7, 10_000):
        for share in (0.01, 0.4, 1.0):
            level, relevant = rng.integers(0, levels, 500), rng.random(500) < share
            relevant[0] = True
            with jax.enable_x64(x64):
                found = judge(jnp.asarray(3.0 - level), jnp.asarray(relevant))  # of either sign, and 0
            exact = oracle.tie_aware_average_precision(level, relevant)
            np.testing.assert_allclose(found, exact, rtol=1e-12 if x64 else 1e-5)


def test_plus_and_minus_zero_are_one_score():
    scores, relevant = jnp.array([0.0, -0.0, 0.0, -0.0]), jnp.array([True, False, False, True])
    expected = oracle.tie_aware_average_precision(np.zeros(4), np.asarray(relevant))
    np.testing.assert_allclose(jax.jit(score_average_precision)(scores, relevant), expected, rtol=1e-6)


@pytest.mark.parametrize("place", ["query", "database"])
def test_what_is_not_finite_is_not_judged(place):
    given, _ = _vectors("binary")
    labels = jnp.asarray(_labels(False))
    queries, database = jnp.asarray(given[:3], jnp.float32), jnp.asarray(given, jnp.float32)
    if place == "query":
        queries = queries.at[1, 0].set(jnp.nan)
    else:
        database = database.at[4, 0].set(jnp.inf)
    found = cosine_average_precision(queries, labels[:3], database, labels)
    np.testing.assert_array_equal(np.isnan(found), [False, True, False] if place == "query" else [True] * 3)


@pytest.mark.parametrize("shape", [(1, 1), (301, 33), (97, 1)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_first_equal_row(shape, dtype):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(max(shape[0] // 4, 1), shape[1])).astype(dtype)[
        rng.integers(0, max(shape[0] // 4, 1), shape[0])
    ]
    rows[::5] = 0.0
    rows[::10] *= -1.0
    with jax.enable_x64(dtype is np.float64):
        found = np.asarray(first_equal_rows(jnp.asarray(rows)))
    expected = [next(j for j in range(len(rows)) if (rows[j] == row).all()) for row in rows]
    np.testing.assert_array_equal(found, expected)


def test_rows_that_differ_in_one_bit_or_in_order_are_different():
    row = np.arange(1, 65, dtype=np.float32)
    rows = np.stack([row, row[::-1], np.nextafter(row, np.float32(100)), np.roll(row, 1)])
    near = np.repeat(row[None], 64, 0)
    near[np.arange(64), np.arange(64)] = np.nextafter(row, np.float32(100))
    every = np.concatenate([rows, near])
    np.testing.assert_array_equal(first_equal_rows(jnp.asarray(every)), np.arange(len(every)))
