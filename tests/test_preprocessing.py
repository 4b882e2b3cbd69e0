"""Preprocessing of features against scikit-learn, and what a fit on training samples alone means."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler, normalize

from zsh_jax.core import preprocessing as module
from zsh_jax.core.preprocessing import KINDS, apply_preprocessing, fit_preprocessing

pytestmark = pytest.mark.usefixtures("strict_promotion")


def _features(n=300, d=12, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + rng.normal(size=d) * 5).astype(np.float32)


def _sklearn(kind, train, other):
    if kind == "standardise":
        return StandardScaler().fit(train).transform(other)
    if kind == "pca":
        return PCA(whiten=True, svd_solver="full").fit(train).transform(other)
    return normalize(other) if kind == "unit" else other


@pytest.mark.parametrize("kind", KINDS)
def test_other_samples_are_treated_as_scikit_learn_treats_them(kind):
    train, other = _features(), _features(50, seed=1)
    got = apply_preprocessing(fit_preprocessing(jnp.asarray(train), kind=kind), jnp.asarray(other))
    expected = _sklearn(kind, train.astype(np.float64), other.astype(np.float64))
    if kind == "pca":  # the sign of a direction is free
        expected = expected * np.sign((expected * np.asarray(got)).sum(0))
    # The covariance's eigenvalues lie between 0.04 and 35, the nearest two 0.1 apart: 900 x 12 sums x eps.
    np.testing.assert_allclose(got, expected, rtol=2e-3, atol=2e-3)


def test_whitened_training_samples_have_unit_covariance():
    train = jnp.asarray(_features())
    whitened = np.asarray(apply_preprocessing(fit_preprocessing(train, kind="pca"), train))
    np.testing.assert_allclose(np.cov(whitened.T), np.eye(12), atol=5e-3)


def test_fewer_directions_are_the_leading_ones(float64):
    train = jnp.asarray(_features(), float)
    all_of_them = apply_preprocessing(fit_preprocessing(train, kind="pca"), train)
    few = apply_preprocessing(fit_preprocessing(train, kind="pca", dimensions=3), train)
    assert few.shape == (300, 3)
    np.testing.assert_allclose(few, all_of_them[:, :3], rtol=1e-9, atol=1e-9)


def test_directions_without_variance_are_dropped_not_blown_up():
    flat = np.concatenate([_features(d=4), np.full((300, 1), 7.0), _features(d=4)], 1).astype(np.float32)
    train = jnp.asarray(flat)
    for kind in ("standardise", "pca"):
        z = np.asarray(apply_preprocessing(fit_preprocessing(train, kind=kind), train))
        assert np.abs(z).max() < 10
        assert np.isfinite(z).all()
    fewer_than_features = jnp.asarray(_features(5))
    fitted = fit_preprocessing(fewer_than_features, kind="pca")
    assert fitted.basis.shape == (12, 4)
    z = np.asarray(apply_preprocessing(fitted, fewer_than_features))
    np.testing.assert_allclose(np.cov(z.T), np.eye(4), atol=1e-2)


def test_a_constant_feature_becomes_zero():
    train = jnp.full((20, 3), 0.1)
    for kind in ("standardise", "pca"):
        np.testing.assert_allclose(
            apply_preprocessing(fit_preprocessing(train, kind=kind), train), 0, atol=1e-5
        )


def test_unit_length_holds_for_rows_of_any_size_and_zero_stays_zero():
    rows = jnp.asarray(np.array([[3e30, 4e30], [3e-30, -4e-30], [0, 0]], np.float32))
    z = apply_preprocessing(fit_preprocessing(rows, kind="unit"), rows)
    np.testing.assert_allclose(z, [[0.6, 0.8], [0.6, -0.8], [0, 0]], rtol=1e-6)


def test_the_other_samples_do_not_matter_to_the_fit(float64):
    train, other = jnp.asarray(_features(), float), jnp.asarray(_features(40, seed=1), float)
    fitted = fit_preprocessing(train, kind="pca")
    together = apply_preprocessing(fitted, other)
    alone = jnp.concatenate([apply_preprocessing(fitted, row[None]) for row in other[:5]])
    np.testing.assert_allclose(together[:5], alone, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_vmapping_over_splits_is_the_loop(kind, float64):
    splits = jnp.stack([jnp.asarray(_features(60, 5, seed), float) for seed in range(3)])
    fitted = jax.vmap(lambda x: fit_preprocessing(x, kind=kind))(splits)
    applied = jax.vmap(apply_preprocessing)(fitted, splits)
    for split, one in zip(splits, applied, strict=True):
        alone = apply_preprocessing(fit_preprocessing(split, kind=kind), split)
        np.testing.assert_allclose(one, alone, rtol=1e-7, atol=1e-7)


def test_kinds_without_a_basis_share_one_program():
    chex.clear_trace_counter()
    counted = jax.jit(chex.assert_max_traces(module.apply_preprocessing.__wrapped__, n=1))
    x = jnp.asarray(_features())
    for kind in ("standardise", "unit", "none"):
        counted(fit_preprocessing(x, kind=kind), x)


def test_float64_stays_float64(float64):
    x = jnp.asarray(_features().astype(np.float64))
    for kind in KINDS:
        assert apply_preprocessing(fit_preprocessing(x, kind=kind), x).dtype == jnp.float64


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"kind": "zca"}, "kind must be one of"),
        ({"kind": "pca", "dimensions": 13}, "1 to 12"),
        ({"kind": "pca", "dimensions": 0}, "1 to 12"),
        ({"kind": "unit", "dimensions": 3}, "needs kind='pca'"),
    ],
)
def test_what_cannot_be_fitted_is_said(settings, said):
    with pytest.raises(ValueError, match=said):
        fit_preprocessing(jnp.asarray(_features()), **settings)
