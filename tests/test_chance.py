"""The average precision of a random order, against every order of small databases, and codes that say nothing."""

from itertools import permutations

import jax.numpy as jnp
import numpy as np
import oracle
import pytest

from zsh_jax import evaluate_queries
from zsh_jax.core.metrics.chance import chance_average_precision

pytestmark = pytest.mark.usefixtures("strict_promotion")

CUTOFFS = (None, 1, 3, 50)


@pytest.mark.parametrize("several", [False, True], ids=["one label", "several labels"])
@pytest.mark.parametrize("out", [False, True], ids=["all", "leaving one out"])
def test_chance_is_the_mean_over_all_orders(several, out, float64):
    database = np.array([0, 1, 0, 2, 1, 0])
    queries = database if out else np.array([2, 0, 1])
    if several:
        database, queries = (np.eye(3, dtype=bool)[labels] for labels in (database, queries))
        database[1:3, 2] = True
        queries = database if out else queries
    found = chance_average_precision(
        jnp.asarray(queries), jnp.asarray(database), leave_one_out=out, cutoffs=CUTOFFS, block=2
    )
    assert found.shape == (len(queries), len(CUTOFFS))
    for row, label in enumerate(queries):
        relevant = (database & label).any(1) if several else database == label
        relevant = np.delete(relevant, row) if out else relevant
        for place, cutoff in enumerate(CUTOFFS):
            if relevant.any():
                every = [oracle.average_precision(order, cutoff) for order in set(permutations(relevant))]
                np.testing.assert_allclose(found[row, place], np.mean(every), rtol=1e-12)
            else:
                assert np.isnan(found[row, place])


def test_codes_that_are_all_the_same_get_chance_and_no_more():
    rng = np.random.default_rng(0)
    database, queries = jnp.asarray(rng.integers(0, 7, 900)), jnp.arange(7)
    codes = jnp.full((900, 2), 5, jnp.uint8)
    same = evaluate_queries(codes[:7], queries, codes, database, bits=16, cutoffs=(10,))
    chance = chance_average_precision(queries, database, cutoffs=(None, 10))
    np.testing.assert_allclose(chance[:, 0], same.mean_average_precision, rtol=1e-6)
    np.testing.assert_allclose(chance[:, 1], same.mean_average_precision_at[:, 0], rtol=1e-6)


def test_chance_is_the_share_of_relevant_items_where_there_are_many_and_more_where_there_are_few():
    labels = np.zeros(59_000, int)
    labels[:5_000] = 1
    labels[5_000] = 2
    many, few = chance_average_precision(jnp.array([1, 2]), jnp.asarray(labels))[:, 0]
    assert abs(many - 5_000 / 59_000) < 2e-4
    np.testing.assert_allclose(few, (1 / np.arange(1, 59_001)).sum() / 59_000, rtol=1e-5)
