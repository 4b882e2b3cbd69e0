"""Bootstrap intervals of a mean, against SciPy's and by how often they hold the truth."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rounding import of_sums
from scipy import stats

from zsh_jax.core.metrics.bootstrap import bootstrap_interval, resampling_weights


def _interval(key, values, *, resamples=1000, **options):
    weights = resampling_weights(key, size=len(values), resamples=resamples)
    return bootstrap_interval(weights, values, **options)


pytestmark = pytest.mark.usefixtures("strict_promotion")


@pytest.mark.parametrize("confidence", [0.5, 0.95])
def test_ends_are_scipys_but_for_the_draw(confidence):
    values = np.random.default_rng(0).beta(0.5, 2, 300)  # skewed, as average precision is
    found = _interval(
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
    low, high = jax.vmap(lambda key, row: _interval(key, row, resamples=400, confidence=0.9))(keys, samples)
    share = np.mean((np.asarray(low) <= 1) & (np.asarray(high) >= 1))
    assert 0.86 <= share <= 0.93  # 0.9, less a little for the skew; three deviations of the share are 0.037
    assert 0.2 < np.mean(np.asarray(low) > 1) / np.mean((np.asarray(low) > 1) | (np.asarray(high) < 1)) < 0.8


def test_equal_keys_draw_alike_and_other_keys_otherwise():
    values = jnp.asarray(np.random.default_rng(0).random(50), jnp.float32)
    first, again, other = (_interval(jax.random.key(seed), values) for seed in (0, 0, 1))
    assert first == again
    assert first != other
    shifted = _interval(jax.random.key(0), 2 * values + 1)
    np.testing.assert_allclose(shifted, 2 * np.array(first) + 1, rtol=of_sums(50))


def test_one_value_has_no_width_and_nan_no_interval():
    assert _interval(jax.random.key(0), jnp.full(1, 0.25)) == (0.25, 0.25)
    assert np.isnan(_interval(jax.random.key(0), jnp.full(9, jnp.nan))).all()


def test_weights_are_those_of_draws_with_replacement():
    weights = np.asarray(resampling_weights(jax.random.key(0), size=37, resamples=4000))
    counts = 37 * weights
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-5)
    np.testing.assert_allclose(weights.sum(1), 1, rtol=of_sums(37))
    # A count is binomial(37, 1/37): mean 1, variance 36/37; over 4,000 resamples within five deviations.
    np.testing.assert_allclose(counts.mean(0), 1, atol=5 / np.sqrt(4000))
    np.testing.assert_allclose(counts.var(), 36 / 37, rtol=0.02)


def test_an_interval_is_that_of_the_means_of_drawn_values(float64):
    rng = np.random.default_rng(0)
    values, drawn = rng.random(50), rng.integers(0, 50, (200, 50))
    weights = np.stack([np.bincount(row, minlength=50) for row in drawn]) / 50
    found = bootstrap_interval(jnp.asarray(weights), jnp.asarray(values), confidence=0.9)
    np.testing.assert_allclose(found, np.quantile(values[drawn].mean(1), [0.05, 0.95]), rtol=1e-12)
