"""A cell is known by its settings and by the content of what it was learnt from, never by a path or a name alone."""

import shutil

import numpy as np
import pytest
from rows import outcome, rewrite, rows_of
from small_sweeps import NAMES, PER_CLASS, arguments, configured, write_features, write_vectors

from zsh_jax.methods.table import METHODS
from zsh_jax.report.__main__ import main as report
from zsh_jax.report.read import read_sweeps
from zsh_jax.report.summary import summarise
from zsh_jax.sweep.axes import SHARED_AXES, own_axes
from zsh_jax.sweep.collect import identity
from zsh_jax.sweep.layout import lay_out
from zsh_jax.tracking.results import cell_id
from zsh_jax.tracking.vectors import load_vectors

FINGERPRINTS = {f"fingerprint_{kind}" for kind in ("labels", "features", "semantics", "split")}
VECTORS = {"sweep__semantics": "('word_vectors',)"}
ZSH = {"sweep__method": "('zsh',)"}  # which reads all that there is
LABELS = {"dataset__arrays__labels": "('labels',)"}
PRECOMPUTED = {"features__name": "precomputed"}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Pairs of files of one name and other content."""
    folder = tmp_path_factory.mktemp("files")
    write_features(folder / "data.npz")
    other = np.random.default_rng(5).normal(size=(len(NAMES) * PER_CLASS, 7)).astype(np.float32)
    write_features(folder / "two" / "data.npz", other=other)
    for seed, name in enumerate("AB"):
        write_features(folder / name / "data.npz", seed=seed)
        write_vectors(folder / name / "v.txt", seed=seed)
        features = np.load(folder / name / "data.npz")["features"]
        ids = [f"data_{row:05d}" for row in range(len(features))]
        (folder / name / "feat").mkdir()
        np.savez(folder / name / "feat" / "data.npz", id=ids, features=features)
    write_features(folder / "shuffled" / "data.npz", labels_seed=3)
    return folder


def _cells(config):
    plan, inputs = lay_out(config)
    return [identity(cell, inputs) for group in plan.groups for cell in group.cells()]


INPUTS = {  # file of features, settings of one sweep, and of the other; what differs by content
    "dataset.path": ({"path": "A/data.npz"}, {"path": "B/data.npz"}, {"features"}),
    "labels": ({"path": "data.npz"}, {"path": "shuffled/data.npz"}, {"labels", "features", "split"}),
    "dataset.arrays": (
        {"path": "two/data.npz", "dataset__arrays__features": "('features',)"} | LABELS,
        {"path": "two/data.npz", "dataset__arrays__features": "('other',)"} | LABELS,
        {"features"},
    ),
    "features.path": (
        {"features__path": "A/feat"} | PRECOMPUTED,
        {"features__path": "B/feat"} | PRECOMPUTED,
        {"features"},
    ),
    "semantics.path": (
        {"semantics__path": "A/v.txt"} | VECTORS,
        {"semantics__path": "B/v.txt"} | VECTORS,
        {"semantics"},
    ),
    "semantics.synonyms": (
        {"semantics__path": "A/v.txt"} | VECTORS,
        {"semantics__path": "A/v.txt", "semantics__synonyms": "(('ant','fox'),)"} | VECTORS,
        {"semantics"},
    ),
    "semantics.limit": (
        {"semantics__path": "A/v.txt"} | VECTORS,
        {"semantics__path": "A/v.txt", "semantics__limit": 7} | VECTORS,
        {"semantics"},
    ),
}


def _configured(files, given):
    given = {key: files / value if key.endswith("path") else value for key, value in given.items()}
    return configured(given.pop("path", files / "data.npz"), "somewhere", **given)


@pytest.mark.parametrize(("one", "other", "differs"), INPUTS.values(), ids=INPUTS)
def test_another_input_is_another_cell(files, one, other, differs):
    (first,), (second,), (again,) = (_cells(_configured(files, given | ZSH)) for given in (one, other, one))
    assert first == again
    assert cell_id(first) == cell_id(again) != cell_id(second)
    assert (
        first.keys() == second.keys() >= FINGERPRINTS | {"precision", *SHARED_AXES, *own_axes(METHODS["zsh"])}
    )
    unlike = {key for key in first if first[key] != second[key]}
    assert unlike == {f"fingerprint_{kind}" for kind in differs}


@pytest.mark.parametrize("name", [name for name in INPUTS if name.startswith("semantics")])
def test_class_vectors_that_a_method_does_not_read_make_no_other_cell(files, name):
    one, other, _ = INPUTS[name]
    (first,), (second,) = (_cells(_configured(files, given)) for given in (one, other))
    assert first == second
    assert first["method"] == "lsh"
    assert not first.keys() & {"semantics", "fingerprint_semantics", *own_axes(METHODS["zsh"])}


def test_a_copy_of_the_data_elsewhere_is_the_same_cell(files, tmp_path):
    shutil.copytree(files / "A", tmp_path / "moved")
    given = {"path": "A/data.npz", "semantics__path": "A/v.txt"} | VECTORS | ZSH
    here = _cells(_configured(files, given))
    moved = {"semantics__path": tmp_path / "moved" / "v.txt"} | VECTORS | ZSH
    there = _cells(configured(tmp_path / "moved" / "data.npz", "x", **moved))
    assert here == there


def test_each_split_has_its_fingerprint_and_all_share_that_of_the_data(files):
    grid = {"sweep__unseen": "('cow','dog')", "sweep__seed": "(0,1)", "sweep__bits": "(8,12)"} | ZSH
    cells = _cells(configured(files / "data.npz", "x", **grid))
    assert len(cells) == 8
    assert len({cell["fingerprint_split"] for cell in cells}) == 4
    for kind in ("labels", "features", "semantics"):
        assert len({cell[f"fingerprint_{kind}"] for cell in cells}) == 1


@pytest.fixture(scope="module")
def both(files, tmp_path_factory, launch):
    """One workdir, two files of one name: what the second start printed, and each sweep alone."""
    folder = tmp_path_factory.mktemp("both")
    for name in "AB":
        given = arguments(files / name / "data.npz", folder / name, sweep__seed="(0,1)")
        assert launch.main(given) == 0
    return folder


@pytest.fixture(scope="module")
def mixed(files, both, launch):
    """The two sweeps in one workdir."""
    for name in "AB":
        given = arguments(files / name / "data.npz", both / "mixed", sweep__seed="(0,1)")
        assert launch.main(given) == 0
    return both / "mixed"


def test_both_inputs_are_kept_in_one_workdir_and_each_is_what_it_is_alone(both, mixed):
    rows = [outcome(row) for row in rows_of(mixed / "results.jsonl")]
    alone = [outcome(row) for name in "AB" for row in rows_of(both / name / "results.jsonl")]
    assert rows == alone
    assert len({row["mean_average_precision"] for row in rows}) == 4


def test_the_plan_says_what_is_not_counted_and_the_table_is_of_its_own_cells(
    both, mixed, files, launch, capsys
):
    capsys.readouterr()
    for name in "AB":
        assert launch.main(arguments(files / name / "data.npz", mixed, sweep__seed="(0,1)")) == 0
        said = capsys.readouterr().out
        assert "finished cells, skipped: 2" in said
        assert (
            "2 cells of this workdir have the same settings but other data (features): they are not used"
            in said.splitlines()
        )
        rows = rows_of(both / name / "results.jsonl")
        assert f"{np.mean([row['mean_average_precision'] for row in rows]):.4f}" in said
    assert launch.main(arguments(files / "A" / "data.npz", both / "A", sweep__seed="(0,1)")) == 0
    assert "not used" not in capsys.readouterr().out


def test_a_report_of_both_tells_them_apart_and_averages_neither_with_the_other(both, mixed, tmp_path):
    sweeps = read_sweeps([mixed])
    marks = {row["features"] for row in sweeps.rows}
    assert len(marks) == 2
    assert all(mark.startswith("source (") for mark in marks)
    found = summarise(sweeps.rows, ["mean_average_precision"])
    means = [one.statistics["mean_average_precision"].mean for one in found]
    for mean, name in zip(means, "AB", strict=True):
        rows = rows_of(both / name / "results.jsonl")
        assert mean == pytest.approx(np.mean([row["mean_average_precision"] for row in rows]))
    assert report([str(mixed), "--out", str(tmp_path)]) == 0
    assert all(mark in (tmp_path / "index.html").read_text() for mark in marks)
    assert {row["features"] for row in read_sweeps([both / "A"]).rows} == {"source"}
    merged = read_sweeps([both / "A", both / "B"]).rows
    assert [(row["cell_id"], row["features"]) for row in merged] == [
        (row["cell_id"], row["features"]) for row in sweeps.rows
    ]


def test_cells_of_the_same_data_that_were_split_otherwise_are_refused(both, tmp_path, capsys):
    shutil.copytree(both / "A", tmp_path / "A")

    def resplit(_, row):
        cell = {key: row[key] for key in list(row)[: list(row).index("cell_id")]}
        cell["fingerprint_split"] = "0" * 16
        return row | cell | {"cell_id": cell_id(cell)}

    rewrite(tmp_path / "A" / "results.jsonl", resplit)
    assert report([str(both / "A"), str(tmp_path / "A")]) == 2
    assert "of another cell but other samples" in capsys.readouterr().err


def test_class_vectors_of_one_name_are_kept_beside_each_other(files, tmp_path, launch):
    for name in "AB":
        ridge = {"sweep__method": "('semantic_ridge',)"}
        changes = VECTORS | ridge | {"semantics__path": files / name / "v.txt"}
        assert launch.main(arguments(files / "data.npz", tmp_path, **changes)) == 0
    found = load_vectors(tmp_path)
    rows = rows_of(tmp_path / "results.jsonl")
    assert [row["fingerprint_semantics"] for row in rows] != []
    assert found.keys() == {row["fingerprint_semantics"] for row in rows}
    one, other = (found[row["fingerprint_semantics"]] for row in rows)
    assert (one.name, one.class_names) == (other.name, other.class_names) == ("v", NAMES)
    assert not np.allclose(one.vectors, other.vectors)
