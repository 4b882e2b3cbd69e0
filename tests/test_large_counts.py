"""Databases of ten million codes and more: counts stay exact, and no program holds an array of pairs or of bits."""

from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rounding import of_sums

from zsh_jax import evaluate_queries
from zsh_jax.core.metrics import bit_counts
from zsh_jax.core.metrics.average_precision import tie_aware_average_precision
from zsh_jax.core.metrics.bit_counts import counts_by_product, counts_by_words
from zsh_jax.core.metrics.bit_statistics import _correlation, bit_statistics
from zsh_jax.core.metrics.exact_products import as_float, product, product_difference
from zsh_jax.core.metrics.histograms import Histograms, count_by_comparison
from zsh_jax.core.metrics.histograms_by_planes import count_by_planes
from zsh_jax.core.metrics.in_blocks import _metrics_of, evaluate_in_blocks

pytestmark = pytest.mark.usefixtures("strict_promotion")
BITS = 64


def _histograms(total, share, queries=5, seed=0):
    """Synthetic counts of a database of `total` items, as of random codes; int64."""
    rng = np.random.default_rng(seed)
    near = np.exp(-0.5 * ((np.arange(BITS + 1) - 32) / 4) ** 2)
    items = np.stack([rng.multinomial(total, near / near.sum()) for _ in range(queries)])
    return items, rng.binomial(items, share)


def _harmonic(first, last):
    """The sum of 1 / i for first < i <= last, of whole numbers, in float64."""
    if last <= 10_000:
        return (1 / np.arange(first + 1, last + 1)).sum()
    if first < 10_000:
        return _harmonic(first, 10_000) + _harmonic(10_000, last)
    return np.log(last / first) + 0.5 * (1 / last - 1 / first) - (1 / last**2 - 1 / first**2) / 12


def _expected_average_precision(items, relevant, cutoff=None):
    """Tie-aware average precision of one query in float64, in the ranks of one distance after the other."""
    before = found = 0
    gain = 0.0
    for n, r in zip(items.tolist(), relevant.tolist(), strict=True):
        places = n if cutoff is None else min(max(cutoff - before, 0), n)
        if r and places:
            slope = (r - 1) / (n - 1) if n > 1 else 0.0
            inverse = _harmonic(before, before + places)
            shares = places - before * inverse if before else float(places)
            gain += r / n * ((found + 1 - slope) * inverse + slope * shares)
        before, found = before + n, found + r
    return gain / relevant.sum()


@pytest.mark.parametrize("total", [10_000_000, 300_000_000])
@pytest.mark.parametrize("share", [0.1, 1e-4])
def test_metrics_of_huge_counts_equal_float64(total, share):
    items, relevant = _histograms(total, share)
    found = _metrics_of(
        Histograms(jnp.asarray(items, jnp.int32), jnp.asarray(relevant, jnp.int32)), cutoffs=(1000,)
    )
    ball, hits = items.cumsum(1), relevant.cumsum(1)
    for query in range(len(items)):
        for values, cutoff in (
            (found.mean_average_precision, None),
            (found.mean_average_precision_at[:, 0], 1000),
        ):
            expected = _expected_average_precision(items[query], relevant[query], cutoff)
            np.testing.assert_allclose(values[query], expected, rtol=of_sums(4 * BITS))
    precision = np.where(ball > 0, hits / np.maximum(ball, 1), 0)
    np.testing.assert_allclose(found.precision_curve, precision, rtol=of_sums(3))
    np.testing.assert_allclose(found.recall_curve, hits / hits[:, -1:], rtol=of_sums(3))
    assert (found.mean_average_precision_worst <= found.mean_average_precision).all()
    assert (found.mean_average_precision <= found.mean_average_precision_best).all()


@pytest.mark.parametrize("total", [10_000_000, 300_000_000])
def test_chance_in_a_huge_database_is_the_formula(total):
    relevant = np.array([total * 7 // 10, 12_345, 1])
    items = jnp.full((3, 1), total, jnp.int32)
    found = jax.jit(tie_aware_average_precision)(items, jnp.asarray(relevant[:, None], jnp.int32))
    m = (relevant - 1) / (total - 1)
    np.testing.assert_allclose(found, m + (1 - m) * _harmonic(0, total) / total, rtol=of_sums(10))


WORDS = np.array([0, 1, 2, 65_535, 65_536, 9_999_999, 10_000_000, 2**31 - 1, 2**32 - 1], np.uint32)


def test_products_of_words_are_exact():
    a, b = (grid.ravel() for grid in np.meshgrid(WORDS, WORDS))
    high, low = product(jnp.asarray(a), jnp.asarray(b))
    wide = [int(x) << 32 | int(y) for x, y in zip(high, low, strict=True)]
    assert wide == [int(x) * int(y) for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(as_float(high, low, jnp.float32), a.astype(float) * b, rtol=of_sums(2))


def test_differences_of_products_that_nearly_cancel_keep_their_digits():
    rng = np.random.default_rng(0)
    a, b, c = (rng.integers(1, 10_000_001, 500) for _ in range(3))
    d = a * b // c
    fits = d < 2**32
    a, b, c, d = (one[fits] for one in (a, b, c, d))
    expected = np.array(
        [abs(int(w) * int(x) - int(y) * int(z)) for w, x, y, z in zip(a, b, c, d, strict=True)]
    )
    words = [jnp.asarray(one, jnp.uint32) for one in (a, b, c, d)]
    np.testing.assert_allclose(product_difference(*words, jnp.float32), expected, rtol=of_sums(2))
    np.testing.assert_allclose(
        product_difference(*words[2:], *words[:2], jnp.float32), expected, rtol=of_sums(2)
    )


RARE = np.array([5_000_123, 4_999_001, 17, 9_999_985])
EVEN = np.array([5_000_123, 4_999_001, 5_012_345, 4_000_003])
BITS_SET = {
    "nearly independent": (EVEN, EVEN[:, None] * EVEN[None] // 10_000_000 + 40),
    "rare": (
        RARE,
        np.array(
            [
                [5_000_123, 2_499_700, 9, 5_000_110],
                [2_499_700, 4_999_001, 8, 4_998_990],
                [9, 8, 17, 3],
                [5_000_110, 4_998_990, 3, 9_999_985],
            ]
        ),
    ),
}


@pytest.mark.parametrize("case", BITS_SET)
def test_the_correlation_of_bits_of_ten_million_codes_from_their_counts(case):
    """In float32 the products n c and a b of nearly independent bits cancel, and three digits are left."""
    n, (ones, both) = 10_000_000, BITS_SET[case]
    differing = ones[:, None] + ones[None] - 2 * both
    counts = (jnp.asarray(ones, jnp.int32), jnp.asarray(differing, jnp.int32))
    found = jax.jit(lambda *counts: _correlation(*counts, n, jnp.dtype(jnp.float32)))(*counts)
    of_one = [int(one) * (n - int(one)) for one in ones]
    pairs = [
        abs(n * int(both[i, j]) - int(ones[i]) * int(ones[j])) / float(Fraction(of_one[i] * of_one[j])) ** 0.5
        for i in range(4)
        for j in range(4)
        if i != j
    ]
    np.testing.assert_allclose(found, np.mean(pairs), rtol=of_sums(30))


def _database(n, queries=3, bits=24, classes=5, seed=0):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 256, (n + queries, bits // 8)).astype(np.uint8)
    labels = rng.integers(0, classes, n + queries).astype(np.int32)
    return codes[:queries], labels[:queries], codes[queries:], labels[queries:]


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("size", [128, 1000])
def test_metrics_of_a_database_in_blocks_are_those_of_the_whole(several, size):
    queries, query_labels, codes, labels = _database(300)
    if several:
        query_labels, labels = np.eye(5, dtype=bool)[query_labels], np.eye(5, dtype=bool)[labels]
    whole = evaluate_queries(queries, query_labels, codes, labels, bits=24, cutoffs=(10,))
    blocks = ((codes[row : row + size], labels[row : row + size]) for row in range(0, 300, size))
    found = evaluate_in_blocks(queries, query_labels, blocks, bits=24, cutoffs=(10,))
    for one, other in zip(found, whole, strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match="no block"):
        evaluate_in_blocks(queries, query_labels, iter(()), bits=24)


@pytest.mark.parametrize("rows", [7, 64, 1000])
def test_bits_are_counted_in_blocks(monkeypatch, rows):
    _, _, codes, _ = _database(333)
    monkeypatch.setattr(bit_counts, "ROWS", rows)
    bits = np.unpackbits(codes, axis=1).astype(np.int64)
    for form in (counts_by_product, counts_by_words):
        ones, differing = form(jnp.asarray(codes), bits=24)
        np.testing.assert_array_equal(ones, bits.sum(0))
        np.testing.assert_array_equal(differing, (bits[:, :, None] != bits[:, None]).sum(0))


def _temporary(function, n, queries=1000, bits=BITS):
    """Bytes beside arguments and results, as the compiler states them."""
    arguments = (
        jax.ShapeDtypeStruct((queries, bits // 8), jnp.uint8),
        jax.ShapeDtypeStruct((queries,), jnp.int32),
        jax.ShapeDtypeStruct((n, bits // 8), jnp.uint8),
        jax.ShapeDtypeStruct((n,), jnp.int32),
    )
    return jax.jit(function).lower(*arguments).compile().memory_analysis().temp_size_in_bytes


PROGRAMS = {
    "comparison": (lambda *arrays: count_by_comparison(*arrays, bits=BITS), 32),
    "planes": (lambda *arrays: count_by_planes(*arrays, bits=BITS), 32),
    "product of bits": (lambda q, ql, codes, labels: counts_by_product(codes, bits=BITS), 16),
    "metrics": (lambda *arrays: evaluate_queries(*arrays, bits=BITS, cutoffs=(100,)), 32),
    "statistics": (lambda q, ql, codes, labels: bit_statistics(codes, labels, bits=BITS), 128),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_memory_grows_by_a_few_words_a_code(program):
    """Not by the queries (4,000 bytes a code in float32), nor by unpacked bits (256): `PROGRAMS` has bytes a code."""
    function, bytes_a_code = PROGRAMS[program]
    small, large = (_temporary(function, n) for n in (10**6, 10**7))
    assert (large - small) / 9e6 <= bytes_a_code
    # Compiled for the CPU, the forms for accelerators hold the comparisons of a block, which others fuse with sums.
    assert small <= 10**6 * bytes_a_code + (128 << 20) or program in ("comparison", "planes")
