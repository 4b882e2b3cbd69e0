"""Searches beside Hamming distance in a sweep: those of the core for each cell, and nothing else changes."""

import jax.numpy as jnp
import numpy as np
import oracle
import pytest
from bad_input import launched, make_data, put, tiny_config
from report_sweeps import identity
from test_engine import CUTOFFS, _inputs, _plan

from zsh_jax import METHODS, apply_preprocessing, evaluate_searches, project
from zsh_jax.core.metrics.search import search_costs
from zsh_jax.report.contents import contents
from zsh_jax.report.read import read_sweeps
from zsh_jax.report.tables.searches import search_table
from zsh_jax.sweep import engine
from zsh_jax.sweep.config import for_dataset
from zsh_jax.sweep.searches import SEARCHES, Searching, costs_of, map_of, searching_of
from zsh_jax.sweep.splits import split_of
from zsh_jax.tracking.results import read_results

FIRST = 25
EVERY = Searching(tuple(SEARCHES), FIRST)
FEW = {"unseen": ("ant",), "seed": (0, 3)}


def _several_labels(inputs):
    hot = np.arange(5) == inputs.dataset.labels[:, None]
    hot |= np.random.default_rng(0).random(hot.shape) < 0.1
    hot[:, 0] = inputs.dataset.labels == 0  # the unseen class stays apart
    return inputs._replace(dataset=inputs.dataset._replace(labels=hot))


def _run(axes, inputs, searching=EVERY):
    made = _plan(inputs, **FEW | axes)
    keep = {"cutoffs": CUTOFFS, "keeps_model": lambda cell: True}
    ran = engine.run(made, inputs, searching=searching, **keep)
    return list(zip(made.cells(), (one for batch in ran for one in batch), strict=True))


CASES = {
    "several labels": {"method": ("random_rotation",), "bits": (6,)},
    "one label": {"method": ("semantic_ridge",), "semantic_ridge": {"ridge": (0.1, 10.0)}, "seed": (0,)},
}


@pytest.mark.parametrize("case", CASES)
def test_each_search_is_that_of_the_core_for_the_cell_s_hash_function(case, float64):
    inputs = _several_labels(_inputs()) if case == "several labels" else _inputs()
    labels = inputs.dataset.labels
    found = _run(CASES[case], inputs)
    assert len(found) == 2
    for cell, result in found:
        split, model = split_of(inputs, cell.split), result.model
        q, d = split.queries, split.database
        arguments = (jnp.asarray(one) for rows in (q, d) for one in (inputs.features[rows], labels[rows]))
        expected = evaluate_searches(model, *arguments, first=FIRST)
        for name in ("hamming", "asymmetric", "rescored"):
            one = getattr(expected, name)
            value = result.metrics[map_of(name)]
            np.testing.assert_allclose(value, one.mean_average_precision, rtol=1e-9, err_msg=name)
        costs = search_costs(bits=cell.program.bits, dimensions=7, first=FIRST)
        defined = cell.program.method == "random_rotation"
        assert np.isfinite(result.metrics["mean_average_precision_rabitq"]) == defined
        for name, cost in costs.items():
            for field, value in cost._asdict().items():
                stated = result.metrics[f"{field}_{name}"]
                assert stated == value if defined or name != "rabitq" else np.isnan(stated)
        assert result.metrics["rescored"] == FIRST
        if defined:
            value = _rabitq(model, inputs.features, labels, split)
            np.testing.assert_allclose(result.metrics["mean_average_precision_rabitq"], value, rtol=1e-9)
    if case == "one label":
        _nothing_else_changes(found, _run(CASES[case], inputs, Searching(first=7)))


def _nothing_else_changes(found, without):
    fields = ("bytes_per_item", "operations_per_item", "operations_per_query")
    added = {map_of(name) for name in SEARCHES} | {"rescored", "search_seconds"}
    added |= {f"{field}_{name}" for field in fields for name in ("hamming", *SEARCHES)}
    for (_, result), (_, other) in zip(found, without, strict=True):
        assert result.cell == other.cell
        assert result.metrics.keys() - other.metrics.keys() == added
        for name, value in other.metrics.items():
            if not name.endswith("seconds"):
                np.testing.assert_array_equal(result.metrics[name], value, err_msg=name)


def _rabitq(model, features, labels, split):
    """By loops: l signs, the length of x and the sum of its projections, from the mean of the training samples."""
    x = np.asarray(apply_preprocessing(model.preprocessing, jnp.asarray(features)))
    centre = x[split.training].mean(0)
    values = np.asarray(project(model, jnp.asarray(features)))
    each = []
    for query in split.queries:
        scores = []
        for item in split.database:
            length = np.linalg.norm(x[item] - centre)
            # <o~, q> / <o~, o>, both times the root of l, and the item's length
            product = np.sign(values[item]) @ values[query] / np.abs(values[item]).sum() * length**2
            scores.append(2 * product - length**2)
        tied = np.unique(-np.round(scores, 9), return_inverse=True)[1]
        shared = labels[split.database] == labels[query]
        if labels.ndim == 2:
            shared = (labels[split.database] & labels[query]).any(1)
        each.append(oracle.tie_aware_average_precision(tied, shared))
    return np.mean(each)


def test_a_bound_has_no_searches_and_no_costs():
    costs = costs_of(EVERY, METHODS["cosine_features"], 0, 7)
    assert len(costs) == 3 * (1 + len(SEARCHES))
    assert np.isnan(list(costs.values())).all()
    assert costs_of(Searching(), METHODS["zsh"], 16, 7) == {}


def test_searches_have_one_order_however_they_are_asked_for():
    config = for_dataset("shapes")
    assert searching_of(config) == Searching()
    config.evaluation.search, config.evaluation.rescored = ("rabitq", "asymmetric"), 7
    assert searching_of(config) == Searching(("asymmetric", "rabitq"), 7)


def test_a_sweep_prints_and_writes_them_and_a_rerun_without_them_is_refused(launch, tmp_path, capsys):
    make_data(tmp_path)
    changes = {"sweep.method": ("random_rotation",), "evaluation.search": ("rabitq", "rescored")}
    config = put(tiny_config(tmp_path), changes | {"evaluation.rescored": 9, "report": False})
    assert launched(launch, tmp_path, config) == 0
    said = capsys.readouterr().out
    assert "mAP rescored" in said
    assert "mAP RaBitQ" in said
    assert "mAP asymmetric" not in said
    rows = read_results(tmp_path / "workdir" / "results.jsonl")
    (row,) = rows
    assert 0 < row["mean_average_precision_rescored"] != row["mean_average_precision_rabitq"] > 0
    assert row["bytes_per_item_rescored"] == 1 + 4 * 8
    (part,) = contents(read_sweeps([tmp_path / "workdir"]))
    (table,) = [table for table in part.tables if table.name == "searches"]
    stated = [line.entries[0].numbers["mean"] for line in table.lines]
    assert stated == [row[map_of(name)] for name in ("hamming", "rescored", "rabitq")]
    assert launched(launch, tmp_path, config) == 0  # all cells are finished
    capsys.readouterr()
    config = put(config, {"evaluation.search": ()})
    assert launched(launch, tmp_path, config) == 2
    said = capsys.readouterr().err
    assert "evaluation.search ('rescored', 'rabitq'), not ()" in said


def test_the_table_has_a_line_for_each_search_that_a_setting_has():
    def row(method, seed, **found):
        costs = {"bytes_per_item_hamming": 2, "bytes_per_item_asymmetric": 2, "bytes_per_item_rabitq": 10}
        return identity(method, seed=seed) | costs | found

    hamming, asymmetric, rabitq = map(map_of, ("hamming", "asymmetric", "rabitq"))
    rows = [row("itq", seed, **{hamming: 0.2, asymmetric: 0.3 + seed / 10}) for seed in (0, 1)]
    rows += [row("lsh", seed, **{hamming: 0.1, asymmetric: 0.2, rabitq: 0.4}) for seed in (0, 1)]
    rows += [identity("sdh", seed=0) | {hamming: 0.9}]  # of a sweep without the option
    table = search_table(rows, name="searches")
    assert [line.head[1:] for line in table.lines] == [
        ("itq", "Hamming"),
        ("itq", "asymmetric"),
        ("lsh", "Hamming"),
        ("lsh", "asymmetric"),
        ("lsh", "RaBitQ"),
    ]
    assert table.lines[1].entries[0].numbers["mean"] == pytest.approx(0.35)
    assert [line.entries[1].text for line in table.lines] == ["2", "2", "2", "2", "10"]
    assert "Rescored" not in table.caption
