"""Grids of several values on several axes: each cell is what it gives alone, whatever shares its program.

Sizes are unequal on purpose: XLA mixed up axes of unequal lengths in programs of several weights and several splits.
"""

import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_engine import NAMES, _axes, _inputs

from zsh_jax.baselines.catalogue import BASELINES
from zsh_jax.data.semantics import one_hot
from zsh_jax.sweep import engine
from zsh_jax.sweep.compiled import Compiled
from zsh_jax.sweep.grid import groups
from zsh_jax.sweep.inputs import Semantics
from zsh_jax.sweep.memory import Sizes
from zsh_jax.sweep.plan import make_plan

pytestmark = pytest.mark.slow

SPLITS = {
    "seed": (0, 3, 5, 8),
    "unseen": ("ant", "bee", "cow", "dog+elk"),
    "seen_classes": (2, 3, 0),
    "bandwidth": (1.0, 0.5, 2.0, 4.0),
    "preprocessing": ("standardise", "unit", "none"),
    "neighbours": (4, 7, 2),
    "edge_weights": ("heat", "binary"),
    "laplacian": ("plain", "normalised"),
    "graph": ("knn", "anchors"),
}
RATIOS = {"alpha": (1e-5, 0.1, 1.0, 10.0), "beta": (1e-4, 1.0, 0.1, 9.0), "gamma": (1e-6, 0.0, 0.1, 1.0)}
LAMS = {"lam": (0.01, 1.0, 30.0, 200.0), "tolerance": (0.0, 0.3, 0.9, 0.01)}
AXES = SPLITS | RATIOS | LAMS
# How many values of the one and of the other, by what they are: few shapes, so that few programs are compiled.
SIZES = {
    ("split", "split"): (2, 3),
    ("split", "ratio"): (2, 3),
    ("split", "lam"): (2, 4),
    ("ratio", "ratio"): (2, 4),
    ("ratio", "lam"): (3, 2),
    ("lam", "lam"): (3, 4),
}

VARIANTS = {
    "random rotation": {"rotation": ("random",)},
    "coupled": {"rotation": ("coupled",)},
    "semantic locality": {"locality": ("semantics",)},
    "relaxed": {"codes": ("relaxed",), "gradient_steps": (3,)},
    "restarts": {"restarts": (2,)},
    "growing alpha": {"alpha_growth": (2.0,), "max_iterations": (3,)},
    "more bits than semantics": {"bits": (12,)},
}


class _OnlyTraining(Compiled):
    """Prepares and trains; what would encode and evaluate returns ones, since cells differ before."""

    def run(self, function, *args, use=None, **static):
        if function.__name__ not in ("encode_cells", "evaluate_cells"):
            return super().run(function, *args, use=use, **static)
        made, _ = self.shapes(function, *args, **static)
        return jax.tree.map(lambda leaf: jnp.ones(leaf.shape, leaf.dtype), made), 0.0

    def shapes(self, function, *args, use=None, **static):
        return jax.eval_shape(partial(function, **static), *args), 0

    def release(self, needed):
        """Grids to come share the programs."""


@pytest.fixture(scope="module")
def programs():
    """What is compiled for one grid serves the next."""
    return _OnlyTraining()


@pytest.fixture(scope="module")
def alone():
    """Cells that were run by themselves, by their identity: many grids hold the same ones."""
    return {}


@pytest.fixture
def results(programs, monkeypatch, float64):
    """Runs a grid, in double precision: what rounds differently in a batch flips no bit."""
    monkeypatch.setattr(engine, "Compiled", lambda: programs)
    made = _inputs()
    inputs = made._replace(
        features=made.features.astype(np.float64),
        semantics={"one-hot": Semantics("one-hot", one_hot(len(NAMES)).astype(np.float64))},
    )
    sizes = {"one-hot": Sizes(*inputs.features.shape, len(NAMES))}

    def run(**changes):
        small = {
            "unseen": ("bee",),
            "seed": (0,),
            "training_samples": (60,),
            "bits": (4,),
            "max_iterations": (4,),
        }
        plan = make_plan(groups(_axes(**small | changes)), sizes, memory_gib=1.0)
        assert len(plan.batches) == len(plan.groups)
        return [one for batch in engine.run(plan, inputs, keeps_model=lambda cell: True) for one in batch]

    return run


def _check(results, alone, grid, **fixed):
    together = results(**fixed, **grid)
    assert len(together) == np.prod([len(values) for values in grid.values()])
    cells = [tuple(one.cell[axis] for axis in grid) for one in together]
    assert sorted(cells) == sorted(itertools.product(*grid.values()))
    models = []
    for one, values in zip(together, cells, strict=True):
        if tuple(one.cell.items()) not in alone:
            asked = fixed | {axis: (value,) for axis, value in zip(grid, values, strict=True)}
            (found,) = results(**asked)
            alone[tuple(found.cell.items())] = found
        single = alone[tuple(one.cell.items())]
        for name in ("status", "iterations"):
            assert one.metrics[name] == single.metrics[name], (one.cell, name)
        np.testing.assert_allclose(one.metrics["objective"], single.metrics["objective"], rtol=1e-8)
        np.testing.assert_array_equal(one.history["flips"], single.history["flips"])
        if one.class_codes is not None:
            np.testing.assert_array_equal(one.class_codes, single.class_codes)
        if one.model is not None:
            for mine, its in zip(jax.tree.leaves(one.model), jax.tree.leaves(single.model), strict=True):
                np.testing.assert_allclose(mine, its, rtol=0, atol=1e-7 * max(np.abs(its).max(), 1e-30))
            models.append(np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(one.model)]))
    return models


@pytest.mark.parametrize(
    ("first", "second"),
    list(itertools.combinations(AXES, 2)),
    ids=[f"{first}-{second}" for first, second in itertools.combinations(AXES, 2)],
)
def test_each_pair_of_axes_of_the_published_form(first, second, results, alone):
    one, other = SIZES[_kind(first), _kind(second)]
    _check(results, alone, {first: AXES[first][:one], second: AXES[second][:other]})


def _kind(axis):
    return "split" if axis in SPLITS else "ratio" if axis in RATIOS else "lam"


@pytest.mark.parametrize("sizes", [(3, 2, 3), (2, 3, 4)], ids=str)
def test_a_grid_of_splits_and_two_kinds_of_weights(sizes, results, alone):
    s, r, k = sizes
    models = _check(
        results, alone, {"seed": SPLITS["seed"][:s], "alpha": RATIOS["alpha"][:r], "lam": LAMS["lam"][:k]}
    )
    assert len({model.tobytes() for model in models}) >= s * r  # the grid does something


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_variant_of_the_published_form(variant, results, alone):
    weight = "delta" if variant == "semantic locality" else "beta"
    other = "learning_rate" if variant == "relaxed" else "lam"
    values = {
        "delta": (0.0, 0.1, 1.0),
        "beta": RATIOS["beta"][:3],
        "learning_rate": (0.1, 0.3),
        "lam": (0.01, 9.0),
    }
    grid = {"unseen": SPLITS["unseen"], weight: values[weight], other: values[other]}
    _check(results, alone, grid, **VARIANTS[variant])


@pytest.mark.parametrize("method", BASELINES)
def test_each_method_that_has_one_knob(method, results, alone):
    grid = {"seed": (0, 3), "alpha": (1e-5, 0.1, 1.0), "multiple": (1.0, 3.0, 10.0, 0.3)}
    _check(results, alone, grid, method=(method,))


def test_the_bound_of_predictions(results):
    grid = {"unseen": ("ant", "bee"), "alpha": (1e-5, 0.1, 1.0), "multiple": (1.0, 1e3, 1e5, 1e7)}
    fixed = {"method": ("cosine_predictions",), "bits": (0,)}
    for one in results(**fixed, **grid):
        (alone,) = results(**fixed, **{axis: (one.cell[axis],) for axis in grid})
        found, expected = (row.metrics["mean_average_precision"] for row in (one, alone))
        np.testing.assert_allclose(found, expected, rtol=1e-10)
