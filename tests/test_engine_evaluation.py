"""What the engine says of a cell's codes beside mAP: against the functions of the core, and what leaves what alone."""

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest
from test_engine import CUTOFFS, NAMES, _axes, _cells, _inputs, _plan

from zsh_jax import encode, evaluate_queries
from zsh_jax.core.metrics.bit_statistics import bit_statistics
from zsh_jax.core.metrics.bootstrap import bootstrap_interval, resampling_weights
from zsh_jax.data.seen_queries import draw_seen_queries
from zsh_jax.sweep import engine
from zsh_jax.sweep.grid import groups
from zsh_jax.sweep.memory import Sizes
from zsh_jax.sweep.plan import make_plan
from zsh_jax.sweep.splits import split_of
from zsh_jax.training.streams import streams

pytestmark = pytest.mark.usefixtures("float64")

SEEN = 15
OF_SEEN = {f"{of}_{kind}" for of in ("mean_average_precision", "chance") for kind in ("seen", "harmonic")}


@pytest.fixture(scope="module")
def inputs():
    return _inputs()


@pytest.fixture(scope="module")
def plan():
    return _plan(_inputs(), unseen=("ant",), zsh={"gamma": (0.0,)})


@pytest.fixture(scope="module")
def results(plan, inputs):
    with jax.enable_x64(True):
        every = engine.run(plan, inputs, cutoffs=CUTOFFS, seen_queries=SEEN, keeps_model=lambda cell: True)
        return [result for batch in every for result in batch]


def test_each_figure_is_that_of_the_core(plan, inputs, results):
    labels = inputs.dataset.labels
    for cell, result in zip(_cells(plan), results, strict=True):
        indices = split_of(inputs, cell.split)
        codes = encode(result.model, jnp.asarray(inputs.features))
        d = indices.database
        bits = bit_statistics(codes[d], jnp.asarray(labels[d]), bits=9)
        for name, value in bits._asdict().items():
            np.testing.assert_allclose(result.metrics[name], value, rtol=1e-9, err_msg=name)
        seen = draw_seen_queries(inputs.dataset, indices, cell.split.unseen, count=SEEN, seed=cell.split.seed)
        of_seen = []
        for row in seen:
            rest = d[d != row]
            one = evaluate_queries(
                codes[row][None], labels[row][None], codes[rest], jnp.asarray(labels[rest]), bits=9
            )
            of_seen.append(float(one.mean_average_precision[0]))
        unseen, found = (
            result.metrics[name] for name in ("mean_average_precision", "mean_average_precision_seen")
        )
        np.testing.assert_allclose(found, np.mean(of_seen), rtol=1e-9)
        harmonic = 1 / np.mean([1 / unseen, 1 / found])
        np.testing.assert_allclose(result.metrics["mean_average_precision_harmonic"], harmonic, rtol=1e-9)
        _chance_is_that_of_labels_alone(result.metrics, labels, indices, seen, cell.split.unseen)
        q = indices.queries
        each = evaluate_queries(codes[q], labels[q], codes[d], jnp.asarray(labels[d]), bits=9)
        key = streams(jax.random.key(cell.split.seed)).resamples
        weights = resampling_weights(key, size=len(q))
        low, high = bootstrap_interval(weights, each.mean_average_precision)
        np.testing.assert_allclose(result.metrics["mean_average_precision_low"], low, rtol=1e-9)
        np.testing.assert_allclose(result.metrics["mean_average_precision_high"], high, rtol=1e-9)
        assert low - 1e-9 <= unseen <= high + 1e-9  # queries may all have one code
        assert result.metrics["seen_queries"] == SEEN
        assert result.metrics["encoded_samples"] == len(labels)
        assert result.metrics["evaluated_queries"] == 20 + SEEN + 5  # of unseen classes, of seen, by name


def _chance_is_that_of_labels_alone(found, labels, indices, seen, unseen):
    def expected(queries, *, cutoff=None, without=0):
        n, each = len(indices.database) - without, []
        for label in queries:
            relevant = (labels[indices.database] == label).sum() - without
            ones = np.arange(n) < relevant
            each.append(oracle.tie_aware_average_precision(np.zeros(n, int), ones, cutoff))
        return np.mean(each)

    images, by_name = labels[indices.queries], [NAMES.index(unseen)]
    of_seen = expected(labels[seen], without=1)
    np.testing.assert_allclose(found["chance"], expected(images), rtol=1e-5)
    np.testing.assert_allclose(found["chance_at"], [expected(images, cutoff=n) for n in CUTOFFS], rtol=1e-5)
    total = (labels[indices.database] == images[0]).sum()  # of the one unseen class
    fewer = [expected(images, cutoff=n) * total / min(n, total) for n in CUTOFFS]
    np.testing.assert_allclose(found["chance_at_min"], fewer, rtol=1e-5)
    tie = np.array([len(indices.database)]), np.array([total])
    of_found = [oracle.average_precision_of_found(*tie, n)[0] for n in CUTOFFS]
    np.testing.assert_allclose(found["chance_at_found"], of_found, rtol=1e-5)
    np.testing.assert_allclose(found["chance_by_name"], expected(by_name), rtol=1e-5)
    np.testing.assert_allclose(found["chance_seen"], of_seen, rtol=1e-5)
    harmonic = 1 / np.mean([1 / expected(images), 1 / of_seen])
    np.testing.assert_allclose(found["chance_harmonic"], harmonic, rtol=1e-5)


def test_queries_of_seen_classes_change_no_other_figure(plan, inputs, results):
    without = [result for batch in engine.run(plan, inputs, cutoffs=CUTOFFS) for result in batch]
    for one, other in zip(results, without, strict=True):
        for name, value in other.metrics.items():
            if name in OF_SEEN:
                assert np.isnan(value)
                assert np.isfinite(one.metrics[name])
            elif not name.endswith("seconds") and name not in ("seen_queries", "evaluated_queries"):
                np.testing.assert_array_equal(one.metrics[name], value, err_msg=name)


@pytest.mark.parametrize("method", ["cosine_features", "cosine_predictions"])
def test_bounds_have_seen_queries_and_an_interval_but_no_bits(inputs, method):
    sizes = {"one-hot": Sizes(*inputs.features.shape, 5)}
    axes = _axes(method=(method,), unseen=("ant",), seed=(0,), bits=(0,))
    plan = make_plan(groups(axes), sizes, memory_gib=1.0)
    ((result,),) = engine.run(plan, inputs, seen_queries=SEEN)
    found = result.metrics
    assert (
        found["mean_average_precision_low"]
        < found["mean_average_precision"]
        < found["mean_average_precision_high"]
    )
    assert all(0 < found[name] < 1 for name in OF_SEEN)
    assert np.isnan(found["bit_balance"])
    assert found["chance"] < found["mean_average_precision"]
    assert np.isnan(found["chance_by_name"])
    assert found["encoded_samples"] == 0
    if method == "cosine_features":
        (cell,) = _cells(plan)
        indices = split_of(inputs, cell.split)
        unit = inputs.features / np.linalg.norm(inputs.features, axis=1, keepdims=True)
        labels, expected = inputs.dataset.labels, []
        for row in draw_seen_queries(inputs.dataset, indices, "ant", count=SEEN, seed=0):
            rest = indices.database[indices.database != row]
            relevant = (labels[rest] == labels[row])[np.argsort(-unit[rest] @ unit[row])]
            precision = np.cumsum(relevant) / np.arange(1, len(rest) + 1)
            expected.append(precision[relevant].mean())
        np.testing.assert_allclose(found["mean_average_precision_seen"], np.mean(expected), rtol=1e-9)
