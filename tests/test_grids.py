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

from zsh_jax.data.semantics import one_hot
from zsh_jax.inputs.load import Semantics
from zsh_jax.methods.table import METHODS
from zsh_jax.sweep import engine
from zsh_jax.sweep.axes import own_axes
from zsh_jax.sweep.compiled import Compiled
from zsh_jax.sweep.grid import groups
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
# Every two axes of a split are in one of these triples: the lines of a 3 x 3 grid that wraps around.
_PLANE = np.array(list(SPLITS)).reshape(3, 3)
SPLIT_TRIPLES = [tuple(map(str, line)) for line in (*_PLANE, *_PLANE.T)] + [
    tuple(str(_PLANE[i, (start + step * i) % 3]) for i in range(3)) for step in (1, 2) for start in range(3)
]

VARIANTS = {
    "random rotation": ("zsh", {"rotation": ("random",)}),
    "semantic locality": ("zsh", {"locality": ("semantics",)}),
    "semantic locality of relaxed codes": ("zsh_relaxed", {"locality": ("semantics",)}),
    "restarts": ("zsh", {"restarts": (2,)}),
    "growing alpha": ("zsh", {"alpha_growth": (2.0,), "max_iterations": (3,)}),
    "more bits than semantics": ("zsh", {"bits": (12,)}),
    "restarts of the coupled form": ("zsh_coupled", {"restarts": (2,)}),
    "all frames turned": ("joint_fixed", {"turned": ("all",), "rank": (2,)}),
}
WEIGHTS = (
    RATIOS
    | LAMS
    | {
        "learning_rate": (0.1, 0.3, 0.01, 1.0),
        "nu": (1e-5, 0.1, 1e-3, 10.0),
        "ridge": (1.0, 30.0, 1e-4, 1e3),
        "odds": (1.5, 0.1, 9.0, 0.5),
        "centring": (0.6, 0.9, 1.0, 0.8),  # with less, bits may be one for all samples, and a turn free
        "shrinkage": (0.3, 3.0, 0.01, 0.0),
        "weight_decay": (1.0, 0.0, 30.0, 0.1),
        "quantisation": (0.1, 10.0, 0.0, 1.0),
        "slope": (10.0, 1.0, 30.0, 3.0),
        "growth": (50.0, 0.0, 5.0, 500.0),
        "margin": (0.2, 0.5, 0.0, 1.0),
        "scale": (8.0, 2.0, 30.0, 1.0),
    }
)
"""Values of each weight, of whichever method it is."""
OTHERWISE = {("ksh", "tolerance"): (0.01, 1e3, 10.0, 1e-4)}
FEW_STEPS = {
    "zsh": {"max_iterations": (4,)},
    "zsh_coupled": {"max_iterations": (4,)},
    "zsh_relaxed": {"max_iterations": (4,), "gradient_steps": (3,)},
    "ksh": {"max_iterations": (30,)},
    **{name: {"epochs": (2,)} for name in ("dpsh", "hashnet", "dtsh", "greedyhash", "csq", "orthohash")},
}
"""Options that make a solve short."""


AT_LEAST = 4  # cells of a grid that run by themselves too


class _OnlyTraining(Compiled):
    """Prepares and trains; what would encode and evaluate returns ones, since cells differ before."""

    def run(self, function, *args, use=None, whole=(), lies=None, **static):
        if function.__name__ not in ("encode_cells", "evaluate_cells"):
            return super().run(function, *args, use=use, **static)
        made, _ = self.shapes(function, *args, **static)
        return jax.tree.map(lambda leaf: jnp.ones(leaf.shape, leaf.dtype), made), 0.0

    def shapes(self, function, *args, use=None, whole=(), lies=None, **static):
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

    def run(method="zsh", **changes):
        own = FEW_STEPS.get(method, {}) | {
            axis: changes.pop(axis) for axis in own_axes(METHODS[method]) if axis in changes
        }
        small = {"unseen": ("bee",), "seed": (0,), "training_samples": (60,)}
        small["bits"] = (4,) if METHODS[method].has_codes else (0,)
        plan = make_plan(
            groups(_axes(**small | changes | {"method": (method,), method: own})), sizes, memory_gib=1.0
        )
        assert len(plan.batches) == len(plan.groups)
        return [one for batch in engine.run(plan, inputs, keeps_model=lambda cell: True) for one in batch]

    return run


def _some(cells):
    """Places of a few cells, among which is each value of each axis."""
    seen, chosen = set(), []
    for place in np.random.default_rng(0).permutation(len(cells)):
        new = set(enumerate(cells[place])) - seen
        if new or len(chosen) < AT_LEAST:
            chosen.append(place)
            seen |= new
    return chosen


def _check(results, alone, grid, **fixed):
    """Cells of a grid against the same ones by themselves; what was learnt, cell by cell."""
    together = results(**fixed, **grid)
    assert len(together) == np.prod([len(values) for values in grid.values()])
    cells = [tuple(one.cell[axis] for axis in grid) for one in together]
    assert sorted(cells) == sorted(itertools.product(*grid.values()))
    for place in _some(cells):
        one = together[place]
        if tuple(one.cell.items()) not in alone:
            asked = fixed | {axis: (value,) for axis, value in zip(grid, cells[place], strict=True)}
            (found,) = results(**asked)
            alone[tuple(found.cell.items())] = found
        _assert_same(one, alone[tuple(one.cell.items())])
    return [_learnt(one) for one in together]


def _assert_same(one, single):
    for name in ("status", "iterations"):
        assert one.metrics[name] == single.metrics[name], (one.cell, name)
    np.testing.assert_allclose(one.metrics["objective"], single.metrics["objective"], rtol=1e-8)
    np.testing.assert_array_equal(one.history["flips"], single.history["flips"])
    np.testing.assert_allclose(_judged(one), _judged(single), rtol=1e-10)
    assert jax.tree.structure(one.model) == jax.tree.structure(single.model)
    for mine, its in zip(jax.tree.leaves(one.model), jax.tree.leaves(single.model), strict=True):
        np.testing.assert_allclose(mine, its, rtol=0, atol=1e-7 * max(np.abs(its).max(), 1e-30))
        assert mine.dtype != np.uint8 or (mine == its).all()  # packed codes are the same to the bit


def _judged(one):
    """Of a bound, which has no model and is judged here."""
    return one.metrics["mean_average_precision"] if one.model is None else 0.0


def _learnt(one):
    if one.model is None:
        return np.float64(_judged(one))
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(one.model)])


def test_the_triples_hold_every_pair_of_axes_of_a_split():
    held = {pair for triple in SPLIT_TRIPLES for pair in itertools.combinations(sorted(triple), 2)}
    assert held == set(itertools.combinations(sorted(SPLITS), 2))


@pytest.mark.parametrize("axes", SPLIT_TRIPLES, ids="-".join)
def test_axes_of_a_split(axes, results, alone):
    sizes = {axis: 2 for axis in axes}
    sizes[max(axes, key=lambda axis: len(SPLITS[axis]))] = 3
    _check(results, alone, {axis: SPLITS[axis][:size] for axis, size in sizes.items()})


@pytest.mark.parametrize("split", SPLITS)
def test_an_axis_of_a_split_and_all_weights(split, results, alone):
    sizes = {split: 2, "alpha": 2, "beta": 3, "gamma": 2, "lam": 2, "tolerance": 2}
    values = SPLITS | RATIOS | LAMS
    _check(results, alone, {axis: values[axis][:size] for axis, size in sizes.items()})


@pytest.mark.optimised
@pytest.mark.parametrize("sizes", [(3, 2, 3), (2, 3, 4)], ids=str)
def test_a_grid_of_splits_and_two_kinds_of_weights(sizes, results, alone):
    s, r, k = sizes
    models = _check(
        results, alone, {"seed": SPLITS["seed"][:s], "alpha": RATIOS["alpha"][:r], "lam": LAMS["lam"][:k]}
    )
    assert len({model.tobytes() for model in models}) >= s * r  # the grid does something


@pytest.mark.parametrize(("method", "fixed"), VARIANTS.values(), ids=VARIANTS)
def test_each_variant_of_a_method(method, fixed, results, alone):
    weights = METHODS[method].weights._fields
    shared = "delta" if "locality" in fixed else "beta" if "beta" in weights else "ridge"
    other = next(name for name in ("learning_rate", "lam", "tolerance", "odds") if name in weights)
    values = {"delta": (0.0, 0.1, 1.0)}.get(shared, WEIGHTS.get(shared, ())[:3])
    grid = {"unseen": SPLITS["unseen"], shared: values, other: WEIGHTS[other][:2]}
    assert len({one.tobytes() for one in _check(results, alone, grid, method=method, **fixed)}) >= 4


def _weights_of(method):
    """Those that a method reads as it is published: delta it does not."""
    return tuple(name for name in METHODS[method].weights._fields if name != "delta")


def _values(method, axis):
    return OTHERWISE.get((method, axis), WEIGHTS.get(axis))


def _grid(method):
    """Two axes of a split; two weights that share a factorisation, and two others, one of them with three values."""
    weights = _weights_of(method)
    shared = [weight for weight in weights if weight in METHODS[method].shared][:2]
    others = [weight for weight in weights if weight not in METHODS[method].shared][:2]
    grid = {"seed": SPLITS["seed"][:2], "unseen": SPLITS["unseen"][: 1 if len(shared + others) > 2 else 3]}
    return grid | {
        weight: _values(method, weight)[: 3 if weight == (shared + others)[-1] else 2]
        for weight in shared + others
    }


@pytest.mark.parametrize("method", [method for method in METHODS if method != "zsh"])
def test_axes_of_each_method(method, results, alone):
    learnt = _check(results, alone, _grid(method), method=method)
    draws = bool(METHODS[method].reads)  # the one that learns nothing is told by its queries alone
    assert len({one.tobytes() for one in learnt}) > 1 or not draws


def test_two_weights_of_one_method_over_several_splits(results, alone):
    grid = {"seed": SPLITS["seed"][:3], "nu": WEIGHTS["nu"][:2], "lam": WEIGHTS["lam"]}
    learnt = _check(results, alone, grid, method="sdh")
    assert len({one.tobytes() for one in learnt}) > 3 * 2  # each seed and nu, and lam within them
    grid = {"nu": WEIGHTS["nu"][:3], "ridge": WEIGHTS["ridge"][:2], "lam": WEIGHTS["lam"][:2]}
    # Here no weight flips a code, and the ridge on the projection alone tells.
    assert len({one.tobytes() for one in _check(results, alone, grid, method="fsdh")}) >= 2


def test_each_weight_has_values():
    assert all(_values(method, weight) for method in METHODS for weight in _weights_of(method))
