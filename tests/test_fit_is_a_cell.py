"""One's own arrays through `zsh_jax.fit` give what a cell of a sweep gives that has the same seed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_engine import _cells, _inputs, _plan

import zsh_jax
from zsh_jax.sweep import engine
from zsh_jax.sweep.splits import split_of

pytestmark = pytest.mark.usefixtures("float64")

CASES = {
    "zsh": (
        "zsh",
        {"lam": (0.1, 1.0), "rotation": ("random",), "restarts": (2,)},
        {"bandwidth": (2.0,), "laplacian": ("normalised",), "edge_weights": ("binary",)},
    ),
    "joint": ("joint", {"centring": (0.3, 0.9)}, {"preprocessing": ("unit",)}),
    "joint_fixed": ("joint_fixed", {"odds": (0.5, 3.0), "rank": (5,)}, {"preprocessing": ("unit",)}),
    "cca_itq": ("cca_itq", {"ridge": (1e-3, 0.1)}, {"preprocessing": ("pca",), "pca_dimensions": (5,)}),
}
PASSED_ON = (
    "anchors",
    "neighbours",
    "bandwidth",
    "laplacian",
    "edge_weights",
    "preprocessing",
    "pca_dimensions",
)


@pytest.mark.parametrize(("method", "own", "shared"), CASES.values(), ids=CASES)
def test_a_cell_of_a_seed_is_what_fit_gives_for_that_seed(method, own, shared):
    inputs = _inputs()
    plan = _plan(inputs, method=(method,), unseen=("bee",), seed=(0, 3), **{method: own}, **shared)
    results = [one for batch in engine.run(plan, inputs, keeps_model=lambda cell: True) for one in batch]
    assert len(results) == 4
    vectors, features = inputs.semantics["one-hot"].vectors, jnp.asarray(inputs.features)
    found = []
    for cell, result in zip(_cells(plan), results, strict=True):
        training = split_of(inputs, cell.split).training
        settings = {axis: result.cell[axis] for axis in (*PASSED_ON, *own) if axis in result.cell}
        assert shared.keys() | own.keys() <= settings.keys()
        model = zsh_jax.fit(
            jax.random.key(cell.split.seed),
            inputs.features[training],
            vectors,
            inputs.dataset.labels[training],
            bits=9,
            method=method,
            **settings,
        )
        assert jax.tree.structure(model) == jax.tree.structure(result.model)
        codes = zsh_jax.encode(model, features)
        np.testing.assert_array_equal(codes, zsh_jax.encode(result.model, features))
        found.append(np.asarray(codes).tobytes())
        if method == "cca_itq":
            assert model.class_head is result.model.class_head is None
            continue
        by_name = zsh_jax.encode_classes(model, jnp.asarray(vectors, float))
        np.testing.assert_array_equal(
            by_name, zsh_jax.encode_classes(result.model, jnp.asarray(vectors, float))
        )
    assert len(set(found)) >= 2  # a seed of its own, at least, makes codes of its own
