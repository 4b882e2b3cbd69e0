"""The tables of metrics and of data sets: an entry says all there is to say, and every entry can be used."""

import re
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from test_engine import CUTOFFS, _inputs, _plan

from zsh_jax.core.metrics.bit_statistics import BitStatistics
from zsh_jax.core.metrics.evaluate import Metrics
from zsh_jax.data.catalogue import DATASETS, PROTOCOLS
from zsh_jax.report.table import COLUMNS
from zsh_jax.sweep import engine
from zsh_jax.sweep.config import for_dataset
from zsh_jax.sweep.metrics import METRICS, Metric, harmonic

DOCS = Path(__file__).resolve().parent.parent / "docs"


def test_every_field_of_an_evaluation_is_a_metric():
    assert {*Metrics._fields, *BitStatistics._fields} <= set(METRICS)


def test_the_chance_of_a_metric_is_a_metric_of_the_same_kind():
    named = {metric.chance: metric for metric in METRICS.values() if metric.chance}
    assert set(named) == {name for name in METRICS if name.startswith("chance")}
    for name, metric in named.items():
        assert METRICS[name].is_list == metric.is_list


def test_heads_and_files_of_metrics_are_told_apart():
    heads = [metric.head for metric in METRICS.values() if metric.head]
    files = [metric.table[0] for metric in METRICS.values() if metric.table]
    assert len(set(heads)) == len(heads) == len(COLUMNS)
    assert len(set(files)) == len(files)


@pytest.mark.parametrize(("method", "bits"), [("lsh", 9), ("cosine_features", 0)])
def test_a_result_has_every_metric_in_the_order_of_the_table(method, bits):
    inputs = _inputs()
    plan = _plan(inputs, method=(method,), bits=(bits,), seed=(0,), unseen=("bee",))
    ((result,),) = engine.run(plan, inputs, cutoffs=CUTOFFS)
    assert list(result.metrics)[: len(METRICS)] == list(METRICS)
    for name, metric in METRICS.items():
        values = result.metrics[name]
        assert isinstance(values, list) == metric.is_list
        if not bits and metric.of_codes:
            assert np.isnan(values).all(), name


def test_a_new_entry_is_measured_like_the_others(monkeypatch):
    found = _inputs()
    plan = _plan(found, method=("lsh",), bits=(9,), seed=(0,), unseen=("bee",))
    worst = Metric("worst_query", lambda one: one.queries.mean_average_precision.min())
    entries = dict(METRICS) | {worst.name: worst}
    monkeypatch.setattr("zsh_jax.sweep.metrics.METRICS", entries)
    monkeypatch.setattr("zsh_jax.sweep.collect.METRICS", entries)
    ((result,),) = engine.run(plan, found, cutoffs=(2,))
    assert 0 <= result.metrics["worst_query"] < result.metrics["mean_average_precision"]


def test_the_harmonic_mean_is_that_of_the_reciprocals():
    one, other = np.random.default_rng(0).uniform(0.1, 1, (2, 20))
    expected = 1 / ((1 / one + 1 / other) / 2)
    np.testing.assert_allclose(harmonic(jnp.asarray(one), jnp.asarray(other)), expected, rtol=1e-6)


@pytest.mark.parametrize("name", DATASETS)
def test_a_data_set_has_a_licence_a_place_and_a_protocol_of_its_own(name):
    spec = DATASETS[name]
    assert spec.name == name
    assert spec.licence
    assert not (spec.path and (spec.stored_as or spec.obtain))
    assert any(re.split("[/:]", one.dataset)[0] == name for one in spec.protocols.values())


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_protocol_makes_a_configuration_of_its_data_set(name):
    protocol, config = PROTOCOLS[name], for_dataset(name)
    assert config.dataset.name == protocol.dataset
    assert config.sweep.unseen == protocol.unseen
    assert config.sweep.semantics == (protocol.semantics,)
    sizes = config.sweep.training_samples, config.sweep.queries, config.sweep.anchors
    assert sizes == ((protocol.training_samples,), (protocol.queries,), (protocol.anchors,))


def test_every_data_set_stands_in_the_documentation():
    told = (DOCS / "data.md").read_text("utf-8").lower()
    for name in PROTOCOLS:
        assert re.search(rf"\b{name.replace('_', '.')}", told) or name.replace("_", " ") in told, name
