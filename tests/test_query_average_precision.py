"""Average precision of queries alone: that of `evaluate_queries`, and without the query where it is an item itself."""

import jax.numpy as jnp
import numpy as np
import oracle
import pytest
from rounding import of_sums

from zsh_jax import evaluate_queries, pack_codes
from zsh_jax.core.metrics.cosine import cosine_average_precision
from zsh_jax.core.metrics.query_average_precision import query_average_precision

pytestmark = pytest.mark.usefixtures("strict_promotion")


def _case(several, bits=11, n=300, classes=5):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, n)
    codes = (rng.random((classes, bits)) < 0.5)[labels] ^ (rng.random((n, bits)) < 0.2)
    if several:
        labels = np.eye(classes, dtype=bool)[labels] | (rng.random((n, classes)) < 0.1)
    return codes, labels


def _relevant(labels, row):
    return labels == labels[row] if labels.ndim == 1 else (labels & labels[row]).any(axis=1)


@pytest.mark.parametrize("several", [False, True], ids=["one label", "several labels"])
def test_other_queries_are_those_of_evaluate(several):
    codes, labels = _case(several)
    packed, labels = pack_codes(jnp.where(codes, 1.0, -1.0)), jnp.asarray(labels)
    arguments = (packed[:40], labels[:40], packed[40:], labels[40:])
    expected = evaluate_queries(*arguments, bits=11).mean_average_precision
    found = query_average_precision(*arguments, bits=11)
    np.testing.assert_allclose(found, expected, rtol=of_sums(12))  # distances 0 to 11


@pytest.mark.parametrize("several", [False, True], ids=["one label", "several labels"])
def test_leaving_one_out_is_taking_it_off_the_database(several):
    codes, labels = _case(several)
    rows = np.array([3, 50, 51, 299])
    packed = pack_codes(jnp.where(codes, 1.0, -1.0))
    database = (packed, jnp.asarray(labels))
    found = query_average_precision(packed[rows], database[1][rows], *database, bits=11, leave_one_out=True)
    for row, value in zip(rows, found, strict=True):
        rest = np.arange(len(codes)) != row
        distances = oracle.hamming(codes[[row]], codes[rest])[0]
        expected = oracle.tie_aware_average_precision(distances, _relevant(labels, row)[rest])
        np.testing.assert_allclose(value, expected, rtol=2e-5)
    kept = query_average_precision(packed[rows], database[1][rows], *database, bits=11)
    assert (kept > found).all()  # finding oneself first can only help


def test_nothing_else_relevant_is_nan():
    codes, labels = _case(False)
    labels[17] = 99
    packed, labels = pack_codes(jnp.where(codes, 1.0, -1.0)), jnp.asarray(labels)
    query = (packed[17:18], labels[17:18])
    assert np.isnan(query_average_precision(*query, packed, labels, bits=11, leave_one_out=True)).all()


@pytest.mark.parametrize("several", [False, True], ids=["one label", "several labels"])
def test_cosine_leaves_one_out_too(several):
    _, labels = _case(several)
    vectors = np.random.default_rng(1).normal(size=(len(labels), 6)).astype(np.float32)
    vectors[9] = vectors[3]  # as near to the third as it is itself
    rows = np.array([3, 9, 120])
    database = (jnp.asarray(vectors), jnp.asarray(labels))
    found = cosine_average_precision(vectors[rows], database[1][rows], *database, jnp.asarray(rows))
    for row, value in zip(rows, found, strict=True):
        rest = np.arange(len(vectors)) != row
        alone = cosine_average_precision(
            vectors[[row]], database[1][row][None], vectors[rest], database[1][rest]
        )
        np.testing.assert_allclose(value, alone[0], rtol=1e-5)
