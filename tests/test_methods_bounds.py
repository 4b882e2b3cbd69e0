"""The unhashed bounds against scikit-learn."""

import jax.numpy as jnp
import numpy as np
import oracle
import pytest
from baseline_methods import toy
from sklearn.metrics import average_precision_score

from zsh_jax import HashFunction
from zsh_jax.baselines.bounds import cosine_average_precision, predictions

pytestmark = pytest.mark.usefixtures("strict_ranks")


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


@pytest.mark.parametrize("block", [1, 50, 4096])
def test_predictions_are_the_projected_rbf_features(block, float64):
    data = toy()
    projection = np.random.default_rng(0).normal(size=(21, 7))
    function = HashFunction(
        *(jnp.asarray(a) for a in (data.mean, data.scale, data.anchors, data.bandwidth, projection))
    )
    new = toy(1)
    phi = oracle.rbf((new.raw - data.mean) / data.scale, data.anchors, data.bandwidth)
    np.testing.assert_allclose(
        predictions(function, jnp.asarray(new.raw), block=block), phi @ projection, rtol=1e-9, atol=1e-10
    )
