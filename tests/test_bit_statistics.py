"""Statistics of codes against NumPy, one bit, one code and one class at a time."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxprs import largest_array
from rounding import of_sums

from zsh_jax import pack_codes
from zsh_jax.core.metrics.bit_counts import counts_by_product, counts_by_words
from zsh_jax.core.metrics.bit_statistics import bit_statistics
from zsh_jax.core.metrics.equal_codes import equal_by_hash, equal_by_sort

pytestmark = pytest.mark.usefixtures("strict_promotion")


def _codes(n, bits, *, noise=0.2, classes=4, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    return (rng.random((classes, bits)) < 0.5)[labels] ^ (rng.random((n, bits)) < noise), labels


def _expected(codes, members):
    """`members`: (n, classes) booleans."""
    bits = codes.shape[1]
    signs = np.where(codes, 1.0, -1.0)
    pairs = []
    for i in range(bits):
        for j in set(range(bits)) - {i}:
            steady = np.ptp(signs[:, i]) == 0 or np.ptp(signs[:, j]) == 0
            pairs.append(0.0 if steady else abs(np.corrcoef(signs[:, i], signs[:, j])[0, 1]))
    of_class = [len(np.unique(codes[member], axis=0)) for member in members.T if member.any()]
    return (
        np.abs(signs.mean(0)).mean(),
        np.mean(pairs) if pairs else 0.0,
        len(np.unique(codes, axis=0)) / len(codes),
        np.mean(of_class),
    )


def _statistics(codes, labels):
    packed = pack_codes(jnp.where(codes, 1.0, -1.0))
    return bit_statistics(packed, jnp.asarray(labels), bits=codes.shape[1])


@pytest.mark.parametrize("several", [False, True], ids=["one label", "several labels"])
@pytest.mark.parametrize(("n", "bits"), [(500, 7), (700, 32), (300, 37), (200, 1), (1, 5), (90, 70)])
def test_statistics_equal_numpy(n, bits, several):
    codes, labels = _codes(n, bits)
    members = labels[:, None] == np.arange(6)  # two classes without an item
    if several:
        members |= np.random.default_rng(1).random((n, 6)) < 0.1
        members[:, 5] = False
        members[0] |= np.arange(6) == 0
    found = _statistics(codes, members if several else labels)
    np.testing.assert_allclose(found, _expected(codes, members), rtol=of_sums(n), atol=1e-6)


def test_a_bit_that_never_changes_correlates_with_none():
    codes, labels = _codes(400, 6)
    codes[:, [1, 4]] = True, False
    found = _statistics(codes, labels)
    np.testing.assert_allclose(found, _expected(codes, labels[:, None] == np.arange(4)), rtol=of_sums(400))
    steady = _statistics(np.ones((10, 3), bool), np.zeros(10, int))
    np.testing.assert_allclose(steady, (1, 0, 0.1, 1))


@pytest.mark.parametrize("x64", [True, False])
def test_bits_that_never_change_correlate_with_none_whatever_their_number(x64):
    """n times the rounded 1/n, which is what a compiler may make of n / n, is not 1 for some n."""
    with jax.enable_x64(x64):
        numbers = [n for n in range(2, 200) if np.float64(n) * (1 / np.float64(n)) != 1] + [41, 300]
        for n in numbers[:1] + numbers[-2:]:
            several = jnp.asarray(np.full((2, n, 1), 255, np.uint8))
            alike = jax.vmap(lambda codes, n=n: bit_statistics(codes, jnp.zeros(n, jnp.int32), bits=3))(
                several
            )
            np.testing.assert_array_equal(alike.bit_correlation, 0)


def test_a_bit_that_hardly_ever_changes_keeps_its_digits():
    codes, labels = _codes(50_000, 3)
    codes[:, 0] = False
    codes[7, 0] = True
    codes[:, 1] = codes[:, 0] ^ (np.arange(50_000) == 9)
    expected = _expected(codes, labels[:, None] == np.arange(4))
    np.testing.assert_allclose(_statistics(codes, labels), expected, rtol=1e-4)


def test_equal_and_opposite_bits_correlate_wholly():
    bit = np.random.default_rng(0).random(300) < 0.4
    found = _statistics(np.stack([bit, ~bit, bit], axis=1), np.arange(300) % 2)
    np.testing.assert_allclose(found.bit_correlation, 1, rtol=1e-5)
    assert float(found.distinct_codes) == pytest.approx(2 / 300)
    assert float(found.codes_per_class) == 2


def test_codes_that_differ_in_their_last_bit_alone_are_told_apart():
    codes = np.zeros((6, 97), bool)
    codes[::2, -1] = True
    found = _statistics(codes, np.array([0, 0, 0, 1, 2, 2]))
    assert float(found.distinct_codes) == pytest.approx(1 / 3)
    assert float(found.codes_per_class) == pytest.approx((2 + 1 + 2) / 3)


def test_the_order_changes_nothing():
    codes, labels = _codes(333, 20)
    order = np.random.default_rng(3).permutation(333)
    np.testing.assert_array_equal(_statistics(codes[order], labels[order]), _statistics(codes, labels))


@pytest.mark.parametrize("form", [counts_by_words, counts_by_product])
@pytest.mark.parametrize(("n", "bits"), [(2100, 40), (33, 7), (5, 1)])
def test_counts_of_bits_are_numpys_in_both_forms(form, n, bits):
    codes, _ = _codes(n, bits)
    ones, differing = jax.jit(form, static_argnames="bits")(
        pack_codes(jnp.where(codes, 1.0, -1.0)), bits=bits
    )
    np.testing.assert_array_equal(ones, codes.sum(0))
    np.testing.assert_array_equal(differing, (codes[:, :, None] != codes[:, None]).sum(0))


@pytest.mark.parametrize("form", [equal_by_hash, equal_by_sort])
@pytest.mark.parametrize(("n", "values"), [(1, 1), (40, 3), (700, 20), (3000, 10_000)])
def test_equal_rows_have_one_row_of_theirs_in_both_forms(form, n, values):
    words = np.random.default_rng(0).integers(0, values, (n, 2)).astype(np.uint32)
    words[:, 1] %= 2
    same = np.asarray(jax.jit(form)(jnp.asarray(words)))
    np.testing.assert_array_equal(words[same], words)
    assert len(np.unique(same)) == len(np.unique(words, axis=0)) == (same == np.arange(n)).sum()


def test_memory_is_bounded():
    n = 50_000
    codes, labels = jax.ShapeDtypeStruct((n, 16), jnp.uint8), jax.ShapeDtypeStruct((n,), jnp.int32)
    assert largest_array(lambda c, y: bit_statistics(c, y, bits=128), codes, labels) < 20 * n
