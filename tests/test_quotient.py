"""Quotients that are equal where they should be, against exact fractions."""

from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np

from zsh_jax.core.metrics.quotient import equal_quotients, quotient_of_digits

N = 20_000
QUOTIENT = jax.jit(quotient_of_digits)


def _whole(seed):
    return np.random.default_rng(seed).integers(1, 4096, N)


def test_equal_quotients_are_equal_numbers():
    a, b, times = (_whole(seed) for seed in range(3))
    one = QUOTIENT(*(jnp.asarray(x, jnp.float32) for x in (a, b)))
    other = QUOTIENT(*(jnp.asarray(x * times, jnp.float32) for x in (a, b)))
    exact = (a * times < 2**24) & (b * times < 2**24)
    assert exact.mean() > 0.3
    np.testing.assert_array_equal(np.asarray(one)[exact], np.asarray(other)[exact])


def test_quotients_are_cut_off_after_24_digits():
    rng = np.random.default_rng(0)
    a = (rng.normal(size=500) * 10.0 ** rng.integers(-15, 15, 500)).astype(np.float32)
    b = np.abs(rng.normal(size=500) * 10.0 ** rng.integers(-15, 15, 500)).astype(np.float32)
    found = np.asarray(QUOTIENT(a, b))
    for x, y, z in zip(a.tolist(), b.tolist(), found.tolist(), strict=True):
        below, exact = abs(Fraction(z)), abs(Fraction(x)) / Fraction(y)
        assert below <= exact < below + Fraction(float(np.spacing(np.float32(abs(z)))))
    np.testing.assert_array_equal(np.sign(found), np.sign(a))


def test_what_is_not_normal_is_divided_as_the_processor_does():
    a = np.array([0, np.inf, -np.inf, np.nan, 1e-40, 1e30, 1e-30], np.float32)
    b = np.array([2, 2, 2, 2, 2, 1e-30, 1e30], np.float32)
    np.testing.assert_array_equal(QUOTIENT(a, b), jnp.asarray(a) / jnp.asarray(b))


def test_float64_is_divided_as_it_is(float64):
    a, b = jnp.asarray([1.0, 2.0]), jnp.asarray([3.0, 7.0])
    np.testing.assert_array_equal(equal_quotients(a, b), np.array([1.0, 2.0]) / np.array([3.0, 7.0]))
