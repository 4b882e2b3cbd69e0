"""Packed codes: nothing is lost, and distances between bytes are distances between bits."""

import jax.numpy as jnp
import numpy as np
import pytest
from draws import few_draws
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from zsh_jax import hamming_distances, pack_codes, unpack_codes

pytestmark = pytest.mark.usefixtures("strict_promotion")

BITS = st.sampled_from([1, 7, 8, 33, 64])
SEEDS = st.integers(0, 2**32 - 1)


def _codes(seed, rows, bits):
    return np.random.default_rng(seed).choice([-1.0, 1.0], (rows, bits))


@few_draws(20)
@given(BITS, SEEDS)
def test_unpacking_undoes_packing(bits, seed):
    codes = _codes(seed, 6, bits)
    packed = pack_codes(jnp.asarray(codes))
    assert packed.shape == (6, -(-bits // 8))
    np.testing.assert_array_equal(unpack_codes(packed, bits=bits), codes)


@few_draws(20)
@given(BITS, SEEDS)
def test_bytes_are_those_of_numpy(bits, seed):
    codes = _codes(seed, 6, bits)
    np.testing.assert_array_equal(pack_codes(jnp.asarray(codes)), np.packbits(codes > 0, axis=1))


@few_draws(20)
@given(BITS, SEEDS)
def test_distances_equal_scipy_and_are_symmetric(bits, seed):
    a, b = _codes(seed, 6, bits), _codes(seed + 1, 9, bits)
    packed_a, packed_b = pack_codes(jnp.asarray(a)), pack_codes(jnp.asarray(b))
    found = hamming_distances(packed_a, packed_b)
    np.testing.assert_array_equal(found, np.rint(cdist(a, b, "hamming") * bits))
    np.testing.assert_array_equal(hamming_distances(packed_b, packed_a), found.T)
    assert not np.diag(hamming_distances(packed_a, packed_a)).any()


def test_codes_of_any_leading_axes_pack_alike():
    codes = _codes(0, 12, 10)
    stacked = pack_codes(jnp.asarray(codes.reshape(3, 4, 10)))
    np.testing.assert_array_equal(stacked.reshape(12, 2), pack_codes(jnp.asarray(codes)))
    np.testing.assert_array_equal(unpack_codes(stacked, bits=10), codes.reshape(3, 4, 10))


def test_the_wrong_number_of_bytes_is_refused():
    packed = pack_codes(jnp.ones((2, 9)))
    for bits in (8, 17):
        with pytest.raises(ValueError, match="do not hold"):
            unpack_codes(packed, bits=bits)
