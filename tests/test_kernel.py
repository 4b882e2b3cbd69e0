"""RBF features, bandwidth and anchors against SciPy and scikit-learn."""

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest
from scipy.spatial.distance import cdist
from sklearn.metrics.pairwise import rbf_kernel

from zsh_jax import choose_bandwidth, draw_anchors, rbf_features
from zsh_jax.core.kernel import squared_distances

pytestmark = pytest.mark.usefixtures("strict_promotion")


@pytest.fixture
def samples():
    rng = np.random.default_rng(0)
    return 2 + rng.normal(size=(60, 12)), 3 * rng.normal(size=(7, 12)) - 1


def test_bandwidth_is_half_the_mean_squared_distance(samples, float64):
    x, a = samples
    found = float(choose_bandwidth(jnp.asarray(x), jnp.asarray(a)))
    assert found == pytest.approx(cdist(x, a, "sqeuclidean").mean() / 2, rel=1e-12)
    assert found == pytest.approx(oracle.bandwidth(x, a), rel=1e-12)


def test_bandwidth_keeps_its_digits_far_from_the_origin(samples):
    x, a = samples
    x, a = (x + 300).astype(np.float32), (a + 300).astype(np.float32)
    exact = cdist(x.astype(float), a.astype(float), "sqeuclidean").mean() / 2
    assert float(choose_bandwidth(jnp.asarray(x), jnp.asarray(a))) == pytest.approx(exact, rel=1e-5)


@pytest.mark.parametrize("x64", [True, False])
def test_features_equal_scikit_learn(samples, x64):
    x, a = samples
    sigma_squared = cdist(x, a, "sqeuclidean").mean() / 2
    with jax.enable_x64(x64):
        phi = rbf_features(jnp.asarray(x), jnp.asarray(a), jnp.asarray(sigma_squared))
    assert phi.dtype == (np.float64 if x64 else np.float32)
    tolerance = 1e-12 if x64 else 1e-5
    np.testing.assert_allclose(phi[:, :-1], rbf_kernel(x, a, gamma=0.5 / sigma_squared), atol=tolerance)
    np.testing.assert_allclose(phi, oracle.rbf(x, a, sigma_squared), atol=tolerance)


def test_the_last_feature_is_the_constant_one_and_an_anchor_s_own_is_one(samples):
    _, a = samples
    a = jnp.asarray(a, jnp.float32)
    phi = rbf_features(a, a, jnp.float32(40.0))
    np.testing.assert_array_equal(phi[:, -1], 1)
    np.testing.assert_allclose(np.diag(phi[:, :-1]), 1, atol=1e-5)


def test_squared_distances_equal_scipy_and_are_never_negative(samples, float64):
    x, a = samples
    np.testing.assert_allclose(
        squared_distances(jnp.asarray(x), jnp.asarray(a)), cdist(x, a, "sqeuclidean"), rtol=1e-10
    )
    far = jnp.asarray(1e6 + x)
    assert float(squared_distances(far, far).min()) >= 0


@pytest.mark.parametrize("count", [1, 40, 60])
def test_anchors_are_distinct_rows_of_the_samples(samples, count):
    x = jnp.asarray(samples[0], jnp.float32)
    drawn = np.asarray(draw_anchors(jax.random.key(1), x, count=count))
    rows = {row.tobytes() for row in drawn}
    assert drawn.shape == (count, 12)
    assert len(rows) == count
    assert rows <= {row.tobytes() for row in np.asarray(x)}


def test_anchors_depend_on_the_key_alone(samples):
    x = jnp.asarray(samples[0], jnp.float32)
    first = draw_anchors(jax.random.key(1), x, count=9)
    np.testing.assert_array_equal(first, draw_anchors(jax.random.key(1), x, count=9))
    assert not np.array_equal(first, draw_anchors(jax.random.key(2), x, count=9))


@pytest.mark.parametrize("count", [0, 61])
def test_more_anchors_than_samples_or_none_are_refused(samples, count):
    with pytest.raises(ValueError, match="cannot draw"):
        draw_anchors(jax.random.key(0), jnp.asarray(samples[0]), count=count)
