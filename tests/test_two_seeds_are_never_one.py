"""JAX keeps 32 bits of a seed; so no seed that a sweep takes may be beyond them."""

import jax
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from zsh_jax.sweep.axes import TAKES
from zsh_jax.takes import SEED
from zsh_jax.training.streams import streams

SEEDS = st.integers(0, SEED) | st.sampled_from([0, 2**31 - 1, 2**31, SEED])


@settings(derandomize=True, deadline=None, max_examples=50)
@given(one=SEEDS, other=SEEDS)
def test_two_seeds_have_two_keys_for_each_purpose(one, other):
    for mine, yours in zip(*(streams(jax.random.key(seed)) for seed in (one, other)), strict=True):
        same = np.array_equal(jax.random.key_data(mine), jax.random.key_data(yours))
        assert same == (one == other)


def test_a_seed_that_would_be_that_of_another_is_none():
    assert np.array_equal(
        jax.random.key_data(jax.random.key(SEED + 6)), jax.random.key_data(jax.random.key(5))
    )
    assert not TAKES["seed"].test(SEED + 6)
    assert TAKES["seed"].test(SEED)
