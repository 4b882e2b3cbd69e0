"""The benchmarks: their NumPy implementation agrees with the package, and their table and file are sound."""

import json

import jax
import numpy as np
import pytest

import zsh_jax as zsh
from benchmarks import package, synthetic
from benchmarks.__main__ import main
from benchmarks.compare import Compared, compared_table, in_rows
from benchmarks.floors import PRODUCT, Floor, Probes, Work
from benchmarks.reference import retrieval
from benchmarks.reference import training as plain
from benchmarks.row import Result
from benchmarks.rows import ROWS
from benchmarks.rows.retrieval import encoder
from benchmarks.sizes import SMALL
from benchmarks.table import read, table
from benchmarks.timing import Budget, Times, in_turns

KEY = jax.random.key(0)


@pytest.fixture
def data(float64):
    drawn = synthetic.training(SMALL)
    vectors = drawn.vectors.astype(float)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return drawn._replace(features=drawn.features.astype(float), vectors=vectors)


def test_the_numpy_loop_and_the_package_learn_the_same_functions(data):
    prepared = package.prepared(data, SMALL, KEY)
    anchors = package.anchors(data, SMALL, KEY)
    reference = plain.prepare(data.features, anchors, data.vectors[data.labels], k=SMALL.neighbours)
    np.testing.assert_allclose(prepared.data.locality, reference.locality, rtol=1e-9, atol=1e-9)

    alphas = np.array([1e-5, 1e-3])
    keys = jax.random.split(KEY, 1)
    found, passes = package.fit_cells(prepared.data, keys, alphas, bits=SMALL.bits, passes=SMALL.passes)
    start = package.start_codes(prepared.data.problem, keys[0], SMALL.bits)
    for alpha, projection, made in zip(alphas, found[:, 0], passes[:, 0], strict=True):
        solved = plain.solve(reference, plain.Weights(alpha=alpha), start, passes=SMALL.passes)
        assert solved.passes == int(made)
        model = zsh.HashFunction(prepared.preprocessing, zsh.RBF(*prepared.rbf), zsh.Linear(projection))
        (codes,) = package.encode_all([model], data.features)
        mine = encoder([model], np.float64)._replace(projections=[solved.projection])
        (expected,) = retrieval.encode(mine, data.features)
        np.testing.assert_array_equal(codes, expected)


def test_the_sort_of_each_query_and_the_package_find_the_same_map(float64):
    bits = SMALL.lengths[0]
    data = synthetic.retrieval(SMALL, bits)
    scores = package.evaluation(data, bits)()
    arrays = (data.queries, data.query_labels, data.database, data.database_labels)
    expected = retrieval.average_precisions(*arrays).mean()
    assert package.worst_average_precision(scores) == pytest.approx(expected, rel=1e-12)


def test_a_table_is_printed_and_its_file_is_read_back(tmp_path, capsys):
    path = tmp_path / "results.json"
    rows = ["rbf", "laplacian", "steps", "encode"]
    assert main(["--small", "--rounds", "1", "--json", str(path), "--only", *rows]) == 0
    printed = capsys.readouterr().out
    results = read(path)
    assert table(results) in printed
    names = [result.name for result in results]
    assert names[:6] == ["RBF features", "Phi'L Phi", "P-step", "R-step", "W-step", "B-step"]
    assert names[6:] == ["encode 320 samples, 16 bits", "encode 320 samples, 2 lengths"]
    for result in results:
        assert min(result.value, result.floor, result.numpy_float64, result.numpy_float32) > 0
        assert result.bound in ("product", "memory")
    stated = json.loads(path.read_text())
    assert stated["device"].startswith(jax.default_backend())
    assert stated["sizes"]["samples"] == SMALL.samples
    assert stated["rows"][0]["over_floor"] == results[0].over_floor


def test_functions_take_turns_and_their_first_calls_are_not_timed():
    called = []
    times = in_turns({name: lambda name=name: called.append(name) for name in "ab"}, Budget(3, 60.0))
    assert called == list("abababab")
    called.clear()
    in_turns({name: lambda name=name: called.append(name) for name in "ab"}, Budget(1, 60.0), ready="b")
    assert called == list("aab")
    assert times.rounds == 3
    assert in_turns({"a": lambda: None}, Budget(3, 0.0)).rounds == 1


def test_a_floor_is_the_larger_of_products_and_bytes():
    times = Times({"product": [2.0, 9.0, 2.0], "memory": [0.5, 0.5, 0.5]})
    passes = Probes(dict.fromkeys(("product", "memory"), lambda: None), {"product": 100.0, "memory": 10.0})
    assert passes.floor(Work(flops=500, bytes=20), times) == Floor(10.0, PRODUCT)
    assert passes.floor(Work(flops=50, bytes=40), times) == Floor(2.0, "memory")


def test_ratios_and_what_is_missing():
    result = Result("a", 2.0, floor=1.0, bound="product", numpy_float64=6.0)
    assert (result.over_floor, result.against_float64, result.against_float32) == (2.0, 3.0, None)
    assert Result("b", 700.0, "MiB").over_floor is None
    assert "700 MiB" in table([result, Result("b", 700.0, "MiB")])


def test_a_comparison_is_of_medians_and_a_row_may_be_missing_on_one_side():
    here = [[Result("a", 1.0), Result("b", 5.0)], [Result("a", 3.0)], [Result("a", 2.0)]]
    there = [[Result("a", 8.0)], [Result("a", 6.0)], []]
    rows = in_rows(here, there)
    assert rows == [Compared("a", 2.0, 7.0, "s"), Compared("b", 5.0, None, "s")]
    assert [row.ratio for row in rows] == [3.5, None]
    assert "3.5" in compared_table(rows, "main")


def test_rows_that_need_what_is_not_there_are_left_out(capsys):
    assert main(["--small", "--only", "sweep"]) == 0
    assert "sweep: needs --cifar" in capsys.readouterr().err
    assert len({row.name for row in ROWS}) == len(ROWS)
