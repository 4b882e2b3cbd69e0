"""Features that JAX on the CPU reads where they are."""

import jax
import numpy as np
import pytest
from test_engine import _inputs

from zsh_jax.data.aligned import empty_aligned
from zsh_jax.data.numpy_files import read_npy
from zsh_jax.sweep.load import samples_of


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (1000, 17), (0, 4)])
def test_an_array_starts_at_a_multiple_of_64_bytes(shape):
    found = [empty_aligned(*shape) for _ in range(5)]
    for array in found:
        assert array.shape == shape
        assert array.dtype == np.float32
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert array.ctypes.data % 64 == 0 or not array.size


def _placed(features):
    inputs = _inputs()
    return samples_of(inputs._replace(features=features)).features


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="an accelerator has memory of its own")
def test_aligned_and_mapped_features_are_not_copied(tmp_path):
    features = empty_aligned(300, 7)
    features[:] = np.random.default_rng(0).normal(size=features.shape)
    np.save(tmp_path / "features.npy", features)
    mapped = read_npy(tmp_path / "features.npy", mapped=True)
    for array in (features, mapped):
        placed = _placed(array)
        assert placed.unsafe_buffer_pointer() == array.ctypes.data
        np.testing.assert_array_equal(placed, array)


def test_other_features_are_the_same_numbers(float64):
    inputs = _inputs()
    odd = empty_aligned(300, 8).ravel()[1:2101].reshape(300, 7)
    odd[:] = np.random.default_rng(0).normal(size=odd.shape)
    placed = samples_of(inputs._replace(features=odd)).features
    assert placed.dtype == np.float64
    np.testing.assert_array_equal(placed, odd)
    odd[:] = 0
    assert np.asarray(placed).any()
