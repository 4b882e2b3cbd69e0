"""Bootstrap intervals of a mean, against SciPy's and by how often they hold the truth."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxprs import largest_array
from rounding import of_sums
from scipy import stats

from zsh_jax.core.metrics.bootstrap import bootstrap_interval

pytestmark = pytest.mark.usefixtures("strict_promotion")


@pytest.mark.parametrize("confidence", [0.5, 0.95])
def test_ends_are_scipys_but_for_the_draw(confidence):
    values = np.random.default_rng(0).beta(0.5, 2, 300)  # skewed, as average precision is
    found = bootstrap_interval(
        jax.random.key(0), jnp.asarray(values, jnp.float32), resamples=20_000, confidence=confidence
    )
    scipy = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, confidence_level=confidence, method="percentile", rng=1
    ).confidence_interval
    # An end is a quantile of 20,000 means: its error is about 0.02 of their deviation.
    np.testing.assert_allclose(found, scipy, atol=0.08 * values.std() / np.sqrt(300))


def test_the_truth_is_inside_as_often_as_is_said():
    samples = jax.random.exponential(jax.random.key(1), (600, 200))
    keys = jax.random.split(jax.random.key(2), 600)
    low, high = jax.vmap(lambda key, row: bootstrap_interval(key, row, resamples=400, confidence=0.9))(
        keys, samples
    )
    share = np.mean((np.asarray(low) <= 1) & (np.asarray(high) >= 1))
    assert 0.86 <= share <= 0.93  # 0.9, less a little for the skew; three deviations of the share are 0.037
    assert 0.2 < np.mean(np.asarray(low) > 1) / np.mean((np.asarray(low) > 1) | (np.asarray(high) < 1)) < 0.8


def test_equal_keys_draw_alike_and_other_keys_otherwise():
    values = jnp.asarray(np.random.default_rng(0).random(50), jnp.float32)
    first, again, other = (bootstrap_interval(jax.random.key(seed), values) for seed in (0, 0, 1))
    assert first == again
    assert first != other
    shifted = bootstrap_interval(jax.random.key(0), 2 * values + 1)
    np.testing.assert_allclose(shifted, 2 * np.array(first) + 1, rtol=of_sums(50))


def test_one_value_has_no_width_and_nan_no_interval():
    assert bootstrap_interval(jax.random.key(0), jnp.full(1, 0.25)) == (0.25, 0.25)
    assert np.isnan(bootstrap_interval(jax.random.key(0), jnp.full(9, jnp.nan))).all()


def test_the_block_changes_nothing_and_bounds_the_memory():
    values = jnp.asarray(np.random.default_rng(0).random(40), jnp.float32)
    whole = bootstrap_interval(jax.random.key(0), values, resamples=100)
    blocked = bootstrap_interval(jax.random.key(0), values, resamples=100, block=7)
    np.testing.assert_allclose(blocked, whole, rtol=of_sums(40))

    def run(key, values):
        return bootstrap_interval(key, values, resamples=1000, block=16)

    assert largest_array(run, jax.random.key(0), jnp.zeros(5000)) <= 4 * 16 * 5000
