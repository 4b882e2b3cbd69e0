"""Batches on the CPU: one cell after the other, with what they share in one copy, and the results of a loop."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jaxprs import equations

from zsh_jax.core.one_by_one import one_by_one_on_cpu

pytestmark = pytest.mark.usefixtures("strict_promotion", "float64")

SHARED = np.random.default_rng(0).normal(size=(7, 7)) / 7


@one_by_one_on_cpu
def _passes(given, start):
    """Apply a matrix until a vector is small; how often depends on the cell."""
    matrix, limit = given

    def more(carry):
        return (jnp.abs(carry[0]).max() > limit) & (carry[1] < 50)

    vector, count = lax.while_loop(more, lambda c: (matrix @ c[0], c[1] + 1), (start, jnp.array(0)))
    return {"vector": vector, "count": count}


STARTS = np.random.default_rng(1).normal(size=(3, 7)) * np.array([[1e-3], [1.0], [1e3]])
LIMITS = np.array([1e-1, 1e-6])


def _batch():
    """A new function each time: JAX keeps what it has traced, for whatever platform that was."""

    def over_limits_and_starts(matrix, limits, starts):
        over_starts = jax.vmap(_passes, in_axes=((None, None), 0))
        return jax.vmap(over_starts, in_axes=((None, 0), None))((matrix, limits), starts)

    return over_limits_and_starts


@pytest.mark.parametrize("platform", ["cpu", "gpu"])
def test_a_batch_of_any_depth_is_the_loop(platform, monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: platform)
    found = jax.jit(_batch())(*map(jnp.asarray, (SHARED, LIMITS, STARTS)))
    assert len(np.unique(found["count"])) >= 4  # cells differ in how long they take
    for i, limit in enumerate(LIMITS):
        for j, start in enumerate(STARTS):
            alone = _passes((jnp.asarray(SHARED), jnp.asarray(limit)), jnp.asarray(start))
            assert int(found["count"][i, j]) == int(alone["count"])
            np.testing.assert_allclose(found["vector"][i, j], alone["vector"], rtol=1e-12)


@pytest.mark.parametrize(("platform", "together"), [("cpu", False), ("gpu", True)])
def test_cells_take_turns_on_the_cpu_alone(platform, together, monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: platform)
    arguments = map(jnp.asarray, (SHARED, LIMITS, STARTS))
    every = equations(_batch(), *arguments)
    products = [eq for eq in every if eq.primitive.name == "dot_general"]
    assert products
    for product in products:
        shapes = [value.aval.shape for value in product.invars]
        assert (7, 7) in shapes  # the shared matrix is never copied
        assert (max(map(len, shapes)) > 2) == together
