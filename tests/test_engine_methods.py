"""Baselines and bounds through the engine against the same calls made by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_engine import CUTOFFS, _axes, _inputs, _plan

from zsh_jax import (
    HashFunction,
    JointHashFunction,
    Preprocessing,
    anchors,
    bandwidth,
    encode,
    evaluate,
    pack_codes,
    rbf_features,
    standardisation,
)
from zsh_jax.baselines.bounds import cosine_average_precision
from zsh_jax.baselines.catalogue import BASELINES
from zsh_jax.baselines.data import TrainingData
from zsh_jax.baselines.families import encode_any, with_preprocessing
from zsh_jax.baselines.hash_functions import Linear, LinearHashFunction, encode_linear
from zsh_jax.core.joint import encode_class_joint
from zsh_jax.data.semantics import semantic_targets
from zsh_jax.errors import InputError
from zsh_jax.sweep import engine
from zsh_jax.sweep.grid import groups
from zsh_jax.sweep.splits import split_of
from zsh_jax.sweep.streams import streams

pytestmark = pytest.mark.usefixtures("float64")

FEW = {"seed": (0, 3), "unseen": ("bee",)}


def _results(inputs, **changes):
    plan = _plan(inputs, **FEW, **changes)
    cells = [cell for batch in plan.batches for cell in batch.cells()]
    return cells, [
        r for b in engine.run(plan, inputs, cutoffs=CUTOFFS, keeps_model=lambda cell: True) for r in b
    ]


def _data(cell, inputs):
    indices = split_of(inputs, cell.split)
    raw = jnp.asarray(inputs.features[indices.training])
    mean, scale = standardisation(raw)
    x = (raw - mean) / scale
    chosen = anchors(streams(cell.split.seed).anchors, x, count=cell.split.anchors)
    width = bandwidth(x, chosen)
    labels = inputs.dataset.labels[indices.training]
    vectors = inputs.semantics["one-hot"].vectors
    data = TrainingData(
        x, rbf_features(x, chosen, width), jnp.eye(5)[labels], jnp.asarray(semantic_targets(labels, vectors))
    )
    return indices, data, (mean, scale, chosen, width)


@pytest.mark.parametrize("method", ["lsh", "cca_itq", "sdh", "semantic_ridge"])
def test_each_baseline_is_what_it_gives_alone(method):
    inputs = _inputs()
    cells, results = _results(inputs, method=(method,), multiple=(1.0, 5.0))
    assert len(results) == 4
    for cell, result in zip(cells, results, strict=True):
        indices, data, (mean, scale, chosen, width) = _data(cell, inputs)
        baseline = BASELINES[method]
        hash_map = baseline.fit(
            streams(cell.split.seed).start, data, baseline.options(cell.weights.multiple), bits=9
        )
        if isinstance(hash_map, Linear):
            codes = encode_linear(LinearHashFunction(mean, scale, *hash_map), jnp.asarray(inputs.features))
        else:
            function = HashFunction(mean, scale, chosen, width, hash_map.projection)
            codes = encode(function, jnp.asarray(inputs.features))
        assert baseline.linear == isinstance(hash_map, Linear)
        q, d, labels = indices.queries, indices.database, jnp.asarray(inputs.dataset.labels)
        expected = evaluate(codes[q], labels[q], codes[d], labels[d], bits=9, cutoffs=CUTOFFS)
        for name, value in expected._asdict().items():
            np.testing.assert_allclose(result.metrics[name], value, rtol=1e-9, atol=1e-12, err_msg=name)
        assert np.isnan(result.metrics["mean_average_precision_by_name"])
        assert result.metrics["iterations"] == 0
        assert result.metrics["status"] == "converged"
        assert type(result.model).__name__ == ("LinearHashFunction" if baseline.linear else "HashFunction")
        np.testing.assert_allclose(result.model.projection, hash_map.projection, rtol=1e-8, atol=1e-8)


def test_the_joint_form_is_what_it_gives_alone_by_name_too():
    inputs = _inputs()
    cells, results = _results(inputs, method=("joint_random",), multiple=(1.0, 5.0))
    assert len(results) == 4
    for cell, result in zip(cells, results, strict=True):
        indices, data, (mean, scale, chosen, width) = _data(cell, inputs)
        baseline = BASELINES["joint_random"]
        hash_map = baseline.fit(
            streams(cell.split.seed).start, data, baseline.options(cell.weights.multiple), bits=9
        )
        function = with_preprocessing(hash_map, Preprocessing(mean, scale, None, None), chosen, width)
        codes = encode_any(function, jnp.asarray(inputs.features))
        q, d, labels = indices.queries, indices.database, jnp.asarray(inputs.dataset.labels)
        expected = evaluate(codes[q], labels[q], codes[d], labels[d], bits=9)
        value = result.metrics["mean_average_precision"]
        assert value == pytest.approx(float(expected.mean_average_precision), rel=1e-9)
        named = pack_codes(encode_class_joint(hash_map, jnp.asarray(inputs.semantics["one-hot"].vectors)))
        np.testing.assert_array_equal(result.class_codes, named)
        asked = jnp.asarray(indices.asked)
        by_name = evaluate(named[asked], asked, codes[d], labels[d], bits=9).mean_average_precision
        assert result.metrics["mean_average_precision_by_name"] == pytest.approx(float(by_name), rel=1e-9)
        assert isinstance(result.model, JointHashFunction)


def test_bounds_are_cosine_on_the_features_themselves_and_on_predictions():
    inputs = _inputs()
    cells, results = _results(inputs, method=("cosine_features",), bits=(0,))
    for cell, result in zip(cells, results, strict=True):
        indices = split_of(inputs, cell.split)
        x, labels = (jnp.asarray(array) for array in (inputs.features, inputs.dataset.labels))
        q, d = indices.queries, indices.database
        expected = cosine_average_precision(x[q], labels[q], x[d], labels[d]).mean()
        assert result.metrics["mean_average_precision"] == pytest.approx(float(expected), rel=1e-9)
        assert np.isnan(result.metrics["precision_radius2"])
        assert result.model is None
    _, predicted = _results(inputs, method=("cosine_predictions",), bits=(0,), multiple=(1.0, 1e6))
    values = [result.metrics["mean_average_precision"] for result in predicted]
    assert all(0.2 < value <= 1 for value in values)
    assert values[0] != values[1]


def test_bits_are_for_codes_and_codes_for_bits():
    for changes in ({"method": ("itq",), "bits": (0,)}, {"method": ("cosine_features",), "bits": (16,)}):
        with pytest.raises(InputError, match=r"sweep\.bits"):
            groups(_axes(**changes))


def test_methods_share_a_prepared_split():
    plan = _plan(_inputs(), **FEW, method=("lsh", "zsh", "sdh"))
    assert len({batch.splits for batch in plan.batches}) == 1
    assert all(batch.has_samples and batch.has_locality for batch in plan.batches)
    assert not any(batch.has_samples for batch in _plan(_inputs(), **FEW).batches)
    assert jax.tree.leaves(plan.peak_bytes)[0] > _plan(_inputs(), **FEW).peak_bytes
