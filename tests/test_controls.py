"""Semantics without meaning."""

import numpy as np
import pytest

from zsh_jax.data.semantics import random_orthogonal, shuffled
from zsh_jax.errors import InputError


def test_random_vectors_are_orthonormal_and_change_with_the_seed():
    draws = [random_orthogonal(10, seed=seed) for seed in (0, 0, 1)]
    np.testing.assert_allclose(draws[0] @ draws[0].T, np.eye(10), atol=1e-5)
    np.testing.assert_array_equal(draws[0], draws[1])
    assert not np.allclose(draws[0], draws[2], atol=0.1)


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_shuffled_vectors_are_the_same_and_none_is_at_its_place(classes):
    vectors = np.random.default_rng(0).normal(size=(classes, 4)).astype(np.float32)
    orders = set()
    for seed in range(40):
        found = shuffled(vectors, seed=seed)
        order = [int(np.flatnonzero((vectors == row).all(1))[0]) for row in found]
        assert sorted(order) == list(range(classes))
        assert all(place != origin for place, origin in enumerate(order))
        orders.add(tuple(order))
    assert len(orders) == {2: 1, 3: 2, 10: 40}[classes]


def test_one_class_cannot_be_shuffled():
    with pytest.raises(InputError, match="at least 2 classes"):
        shuffled(np.ones((1, 3), np.float32), seed=0)
