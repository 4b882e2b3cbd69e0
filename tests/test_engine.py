"""The engine against the same steps taken by hand, one cell at a time.

In float64: a batch rounds otherwise than a cell alone, on each processor in its own way, and float32 then flips bits.
"""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from zsh_jax import (
    RBF,
    HashFunction,
    Hyperparameters,
    Linear,
    Metrics,
    apply_preprocessing,
    choose_bandwidth,
    class_dictionary,
    draw_anchors,
    encode,
    encode_classes,
    evaluate,
    fit_preprocessing,
    init_state,
    knn_graph,
    make_problem,
    objective,
    rbf_features,
    solve,
)
from zsh_jax.data.dataset import Dataset
from zsh_jax.data.semantics import one_hot, semantic_targets
from zsh_jax.inputs.load import Inputs, Semantics
from zsh_jax.sweep import engine, load, stages
from zsh_jax.sweep.axes import Cell
from zsh_jax.sweep.collect import identity
from zsh_jax.sweep.config import defaults
from zsh_jax.sweep.evaluate import encode_cells, evaluate_cells
from zsh_jax.sweep.grid import groups
from zsh_jax.sweep.load import prepare_splits
from zsh_jax.sweep.memory import Sizes, cell_bytes, fixed_bytes, split_bytes
from zsh_jax.sweep.plan import make_plan
from zsh_jax.sweep.splits import split_of
from zsh_jax.sweep.train import train
from zsh_jax.training.streams import streams

pytestmark = pytest.mark.usefixtures("float64")

NAMES = ("ant", "bee", "cow", "dog", "elk")
PER_CLASS = 60
CUTOFFS = (5, 50)


def _inputs(damage=False):
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(len(NAMES)), PER_CLASS).astype(np.int32)
    features = 2 * rng.normal(size=(len(NAMES), 7))[labels] + rng.normal(size=(len(labels), 7))
    if damage:
        features[labels == 1, 3] = np.nan
    ids = np.array([f"{i:03d}" for i in range(len(labels))])
    dataset = Dataset("beasts", ids, np.full(len(ids), "train"), labels, NAMES)
    return Inputs(dataset, "made-up", features, {"one-hot": Semantics("one-hot", one_hot(len(NAMES)))})


def _axes(**changes):
    """Small axes; a method's own stand below its name, as in `zsh={"lam": (0.1, 1.0)}`."""
    axes = defaults().sweep.to_dict() | {
        "unseen": ("ant", "dog+elk"),
        "semantics": ("one-hot",),
        "training_samples": (100,),
        "queries": (20,),
        "anchors": (15,),
        "neighbours": (4,),
        "bits": (9,),
        "seed": (0, 3),
    }
    return axes | changes


def _plan(inputs, memory_gib=1.0, **changes):
    sizes = {"one-hot": Sizes(*inputs.features.shape, len(NAMES))}
    return make_plan(groups(_axes(**changes)), sizes, memory_gib=memory_gib)


def _tight(inputs):
    """Memory for one data split and two cells, in GiB."""
    batch = _plan(inputs).batches[0]
    cell, reads = next(batch.cells()), batch.reads
    sizes = Sizes(*inputs.features.shape, len(NAMES))
    need = fixed_bytes(sizes, cell.split, reads) + split_bytes(sizes, cell.split, reads)
    return (need + 2.5 * cell_bytes(sizes, cell.split, cell.program)) / 2**30


def _cells(plan):
    return [cell for batch in plan.batches for cell in batch.cells()]


def _by_hand(cell: Cell, inputs: Inputs):
    indices = split_of(inputs, cell.split)
    x = jnp.asarray(inputs.features[indices.training])
    kind = cell.split.preprocessing
    fitted = fit_preprocessing(x, kind=kind, dimensions=cell.split.pca_dimensions if kind == "pca" else None)
    x = apply_preprocessing(fitted, x)
    keys = streams(jax.random.key(cell.split.seed))
    chosen = draw_anchors(keys.anchors, x, count=cell.split.anchors)
    width = choose_bandwidth(x, chosen)
    labels = inputs.dataset.labels
    targets = jnp.asarray(semantic_targets(labels[indices.training], inputs.semantics["one-hot"].vectors))
    graph = knn_graph(x, k=cell.split.neighbours) if cell.weights.gamma else None
    problem = make_problem(rbf_features(x, chosen, width), targets, graph)
    w, options = cell.weights, cell.program.options
    hyper = Hyperparameters(w.lam, w.alpha, w.beta, w.gamma)
    solution = solve(
        problem,
        hyper,
        init_state(problem, keys.start, bits=cell.program.bits),
        rotation=options.rotation,
        max_iterations=options.max_iterations,
        max_sweeps=options.max_sweeps,
        tolerance=w.tolerance,
    )
    head, class_head = Linear(solution.state.projection), class_dictionary(solution.state)
    function = HashFunction(fitted, RBF(chosen, width), head, class_head)
    codes = encode(function, jnp.asarray(inputs.features))
    q, d = indices.queries, indices.database
    metrics = evaluate(
        codes[q], jnp.asarray(labels[q]), codes[d], jnp.asarray(labels[d]), bits=9, cutoffs=CUTOFFS
    )
    return (problem, hyper, solution), function, metrics


GRIDS = {
    "seeds and unseen": {},
    "weights": {
        "seed": (0,),
        "unseen": ("bee",),
        "zsh": {"lam": (0.01, 1.0), "alpha": (1e-5, 0.1), "tolerance": (0.0, 0.1)},
    },
    "static": {
        "seed": (1,),
        "unseen": ("bee",),
        "zsh": {"rotation": ("procrustes", "none"), "max_iterations": (2,)},
    },
    "preprocessing": {
        "seed": (0,),
        "unseen": ("bee",),
        "preprocessing": ("unit", "pca", "none"),
        "pca_dimensions": (5,),
    },
    "no locality": {"zsh": {"gamma": (0.0,)}, "unseen": ("cow",)},
}
MANY = {"seed": (0, 3), "unseen": ("bee",), "zsh": {"lam": (0.01, 0.1, 1.0)}}
"""Several data splits, and of each more cells than fit."""


@pytest.mark.parametrize(
    ("changes", "tight"),
    [*((changes, False) for changes in GRIDS.values()), (MANY, True)],
    ids=[*GRIDS, "many batches"],
)
def test_each_cell_is_what_the_core_gives_alone(changes, tight):
    inputs = _inputs()
    plan = _plan(inputs, _tight(inputs) if tight else 1.0, **changes)
    results = [
        r for batch in engine.run(plan, inputs, cutoffs=CUTOFFS, keeps_model=lambda cell: True) for r in batch
    ]
    cells = _cells(plan)
    assert len(results) == len(cells) == len(plan)
    for cell, result in zip(cells, results, strict=True):
        assert result.cell == identity(cell, inputs)
        (problem, hyper, solution), function, metrics = _by_hand(cell, inputs)
        count = int(solution.iterations)
        assert result.metrics["iterations"] == count
        assert result.metrics["status"] == ("converged" if int(solution.status) == 0 else "iteration_limit")
        np.testing.assert_array_equal(result.history["flips"], solution.flips[:count])
        np.testing.assert_allclose(result.history["objective"], solution.objective[:count], rtol=1e-9)
        final = objective(problem, hyper, solution.state).total
        np.testing.assert_allclose(result.metrics["objective"], final, rtol=1e-9)
        for name in solution.terms._fields[1:]:
            expected = getattr(solution.terms, name)[:count]
            np.testing.assert_allclose(
                result.history[name], expected, rtol=1e-7, atol=1e-9 * solution.objective[0]
            )
        for one, other in zip(*map(jax.tree.leaves, (result.model, function)), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-8)
        for name in Metrics._fields:
            np.testing.assert_allclose(
                result.metrics[name], getattr(metrics, name), rtol=1e-9, atol=1e-12, err_msg=name
            )


def test_the_class_head_comes_with_the_model_and_with_no_other():
    inputs = _inputs()
    plan = _plan(inputs, _tight(inputs), seed=(0, 3), unseen=("bee",), zsh={"lam": (0.01, 1.0)})
    keeps = {identity(cell, inputs)["lam"]: cell.weights.lam > 0.5 for cell in _cells(plan)}
    results = [
        r for batch in engine.run(plan, inputs, keeps_model=lambda cell: keeps[cell["lam"]]) for r in batch
    ]
    vectors = jnp.asarray(inputs.semantics["one-hot"].vectors)
    for cell, result in zip(_cells(plan), results, strict=True):
        if cell.weights.lam < 0.5:
            assert result.model is None
            continue
        _, function, _ = _by_hand(cell, inputs)
        expected = encode_classes(function, vectors)
        np.testing.assert_array_equal(encode_classes(result.model, vectors), expected)
        labels = inputs.dataset.labels
        q = jnp.asarray(split_of(inputs, cell.split).query_classes)
        d = jnp.asarray(split_of(inputs, cell.split).database)
        codes = encode(function, jnp.asarray(inputs.features))
        by_name = evaluate(expected[q], q, codes[d], jnp.asarray(labels)[d], bits=9).mean_average_precision
        assert result.metrics["mean_average_precision_by_name"] == pytest.approx(float(by_name), rel=1e-9)


def test_many_batches_are_many():
    inputs = _inputs()
    batches = _plan(inputs, _tight(inputs), **MANY).batches
    assert {len(batch.splits) for batch in batches} == {1}
    assert len(batches) >= 4 > len(_plan(inputs, **MANY).batches)


def test_a_failed_solve_has_no_metrics_and_says_so():
    inputs = _inputs(damage=True)
    results = [r for batch in engine.run(_plan(inputs, unseen=("bee", "ant")), inputs) for r in batch]
    for result in results:
        trained_on_damage = result.cell["unseen"] == "ant"
        assert result.metrics["status"] == ("non_finite" if trained_on_damage else "converged")
        assert np.isnan(result.metrics["mean_average_precision"]) == trained_on_damage


def test_what_is_done_is_left_out():
    inputs = _inputs()
    plan = _plan(inputs, bits=(8, 9))
    everything = [r.cell for batch in engine.run(plan, inputs) for r in batch]
    rest = [r.cell for b in engine.run(plan, inputs, is_done=lambda cell: cell["seed"] == 3) for r in b]
    assert rest == [cell for cell in everything if cell["seed"] != 3]
    assert not list(engine.run(plan, inputs, is_done=lambda cell: True))


def test_nothing_compiles_twice(monkeypatch):
    """Seeds, unseen classes of one number, and weights are data to one program; a rerun of a shape is another call."""
    jax.clear_caches()
    chex.clear_trace_counter()
    programs = {
        "prepare_splits": (prepare_splits, ("how", "reads"), 1),
        "train": (train, ("program", "samples", "outer"), 2),
        "encode_cells": (encode_cells, ("feature_map",), 1),
        "evaluate_cells": (evaluate_cells, ("bits", "cutoffs"), 1),
    }
    for name, (function, static, times) in programs.items():
        counted = chex.assert_max_traces(function.__wrapped__, n=times)
        where = load if name == "prepare_splits" else stages
        monkeypatch.setattr(where, name, jax.jit(counted, static_argnames=static))
    inputs = _inputs()
    plan = _plan(
        inputs,
        _tight(inputs),
        seed=(0, 1, 2, 3),
        unseen=("ant", "bee", "cow"),
        zsh={"rotation": ("procrustes", "none"), "lam": (0.01, 0.1)},
    )
    assert len(plan.batches) >= 4
    assert len({len(batch) for batch in plan.batches}) == 1
    assert len([r for batch in engine.run(plan, inputs) for r in batch]) == 48


def test_streams_of_a_seed_are_independent():
    keys = [jax.random.key_data(key).tolist() for seed in (0, 1) for key in streams(jax.random.key(seed))]
    assert len({tuple(key) for key in keys}) == 6
