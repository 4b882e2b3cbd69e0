"""The unhashed bounds against scikit-learn."""

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest
from method_data import function_of, small, toy, training
from sklearn.linear_model import Ridge
from sklearn.metrics import average_precision_score

import zsh_jax as zsh
from zsh_jax import METHODS
from zsh_jax.core.metrics.cosine import cosine_average_precision

pytestmark = pytest.mark.usefixtures("strict_promotion")


def _given(several):
    rng = np.random.default_rng(0)
    queries, database = rng.normal(size=(9, 6)), rng.normal(size=(300, 6))
    if several:
        return queries, rng.random((9, 4)) < 0.5, database, rng.random((300, 4)) < 0.3
    return queries, rng.integers(0, 4, 9), database, rng.integers(0, 4, 300)


def _expected(queries, query_labels, database, database_labels):
    values = []
    for vector, label in zip(queries, query_labels, strict=True):
        relevant = (database_labels & label).any(1) if np.ndim(label) else database_labels == label
        cosine = database @ vector / np.linalg.norm(database, axis=1) / np.linalg.norm(vector)
        values.append(average_precision_score(relevant, cosine) if relevant.any() else np.nan)
    return values


@pytest.mark.parametrize("several", [False, True], ids=["one label", "several labels"])
@pytest.mark.parametrize("block", [1, 4, 9, 100])
def test_average_precision_is_that_of_scikit_learn(several, block, float64):
    given = _given(several)
    found = cosine_average_precision(*map(jnp.asarray, given), block=block)
    np.testing.assert_allclose(found, _expected(*given), rtol=1e-12)


def test_float32_average_precision_is_as_good():
    given = _given(False)
    arrays = [jnp.asarray(a, jnp.float32 if a.dtype == float else jnp.int32) for a in given]
    np.testing.assert_allclose(cosine_average_precision(*arrays), _expected(*given), rtol=1e-5)


def test_a_query_with_nothing_relevant_is_not_a_zero(float64):
    queries, labels, database, database_labels = _given(False)
    labels[3] = 7
    found = cosine_average_precision(*map(jnp.asarray, (queries, labels, database, database_labels)))
    np.testing.assert_array_equal(np.isnan(found), np.arange(9) == 3)


def test_the_length_of_vectors_does_not_matter_nor_does_a_zero_one(float64):
    queries, labels, database, database_labels = _given(False)
    database[5] = 0
    lengths = np.random.default_rng(1).uniform(0.1, 9, (300, 1))
    one, other = (
        cosine_average_precision(*map(jnp.asarray, (queries, labels, rows, database_labels)))
        for rows in (database, lengths * database)
    )
    assert np.isfinite(one).all()
    np.testing.assert_allclose(one, other, rtol=1e-12)


def _fitted(name, data):
    weights = METHODS[name].weights()
    return METHODS[name].fit(jax.random.key(0), training(data), weights, small(name), bits=0)


@pytest.mark.parametrize("block", [1, 50, 4096])
def test_predictions_are_those_of_ridge_regression_on_rbf_features(block, float64):
    data, new = toy(), toy(1)
    function = function_of("cosine_predictions", data, _fitted("cosine_predictions", data))
    ridge = Ridge(alpha=1.0, fit_intercept=False, solver="svd").fit(data.phi, data.semantics)
    phi = oracle.rbf((new.raw - data.mean) / data.scale, data.anchors, data.bandwidth)
    found = zsh.project(function, jnp.asarray(new.raw), block=block)
    np.testing.assert_allclose(found, ridge.predict(phi), rtol=1e-7, atol=1e-9)


def test_the_bound_of_the_features_compares_them_as_they_are(float64):
    """Raw, not preprocessed: it reads nothing of the training samples."""
    data, new = toy(), toy(1)
    function = function_of("cosine_features", data, _fitted("cosine_features", data))
    np.testing.assert_array_equal(zsh.project(function, jnp.asarray(new.raw)), new.raw)


@pytest.mark.parametrize("name", ["cosine_features", "cosine_predictions"])
def test_a_bound_has_no_codes(name, float64):
    data = toy()
    function = function_of(name, data, _fitted(name, data))
    assert zsh.code_length(function) == 0
    with pytest.raises(ValueError, match="a bound has no codes"):
        zsh.encode(function, jnp.asarray(data.raw))
    with pytest.raises(ValueError, match="no class codes"):
        zsh.encode_classes(function, jnp.asarray(data.vectors))
