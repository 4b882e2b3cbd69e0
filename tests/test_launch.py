"""The launcher's commands as a user gives them, end to end: what is printed, what lies on disk, what a rerun does."""

import itertools
import json
import os
import re
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest
from fault_sweep import START, ended
from forked import Forked
from printed import tables
from rows import PROVENANCE, rows_of
from undrawn import PATCH
from wandb_files import offline_runs

from zsh_jax import Metrics, Objective, encode, evaluate
from zsh_jax.data.shapes import load_shapes
from zsh_jax.data.split import zero_shot_split
from zsh_jax.data.unseen import parse_unseen
from zsh_jax.features.cache import default_cache
from zsh_jax.features.extract import extract
from zsh_jax.model_file import load_with_metadata
from zsh_jax.tracking.models import model_path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"
CIRCLE, STAR = "striped circle", "spotted star+solid cross"
COLUMNS = {
    "mAP": "mean_average_precision",
    "mAP worst": "mean_average_precision_worst",
    "mAP best": "mean_average_precision_best",
    "mAP by name": "mean_average_precision_by_name",
    "P r<=2": "precision_radius2",
    "P@100": ("precision_at", 0),
    "P@1000": ("precision_at", 1),
}
KEYS = {"method", "dataset", "features", "semantics", "unseen", "bits", "seed"}
KEYS |= {"lam", "alpha", "beta", "gamma", "rotation", "iterations", "status", "objective", "seconds"}
KEYS |= set(Metrics._fields)


class Launched(NamedTuple):
    workdir: Path
    stdout: str
    stderr: str
    grid: dict


def _arguments(experiment, workdir, grid, **settings):
    settings |= {f"sweep__{axis}": repr(values) for axis, values in grid.items()}
    flags = [f"--config.{key.replace('__', '.')}={value}" for key, value in settings.items()]
    return ["launch.py", "--config", str(ROOT / experiment), f"--config.workdir={workdir}", *flags]


def _launch(experiment, workdir, grid, **settings):
    """In a process of its own."""
    given = _arguments(experiment, workdir, grid, **settings)[1:]
    with ended(Forked(START.format(patch=PATCH), given, environment=_environment(), folder=ROOT)) as process:
        said, error = process.communicate(timeout=900)
    assert process.returncode == 0, error
    return Launched(workdir, said, error, grid)


def _launch_here(launch, experiment, workdir, grid, **settings):
    """In this process, which has imported and compiled most of it."""
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as error:
        status = launch.main(_arguments(experiment, workdir, grid, **settings))
    assert status == 0, error.getvalue()
    return Launched(workdir, out.getvalue(), error.getvalue(), grid)


def _environment():
    return {key: value for key, value in os.environ.items() if not key.startswith("WANDB_")} | {
        "JAX_PLATFORMS": "cpu"
    }


def _rows(workdir):
    """Every line, which must be whole, and a cell."""
    return rows_of(workdir / "results.jsonl")


SMALL = {"sweep__training_samples": 300, "sweep__anchors": 40, "sweep__queries": 40, "sweep__neighbours": 5}
QUIET = {"wandb__mode": "disabled", "report": False, "gallery__queries": 0}
SHAPES = "experiments/sweep_bits.py"
OF_SHAPES = {"features__name": "colour"}  # in a tenth of the time of GIST


@pytest.fixture(scope="module")
def shapes(tmp_path_factory, shapes_folder):
    grid = {"bits": (16, 32), "seed": (0, 1), "unseen": (CIRCLE,)}
    workdir = tmp_path_factory.mktemp("sweep") / "shapes"
    return _launch(
        SHAPES, workdir, grid, dataset__data_dir=shapes_folder, save_models=True, **OF_SHAPES, **SMALL
    )


@pytest.fixture(scope="module")
def cifar10(tmp_path_factory, launch):
    if not DATA.is_dir():
        pytest.skip(f"there is no {DATA} with CIFAR-10, its features and word vectors")
    return _launch_here(
        launch,
        "experiments/sweep_bits.py:cifar10",
        tmp_path_factory.mktemp("sweep") / "cifar10",
        {"bits": (16, 32), "seed": (0,), "unseen": ("cat",)},
        dataset__data_dir=DATA / "tfds",
        features__path=DATA / "features" / "cifar10" / "mobilenet_v1",
        semantics__path=DATA / "word_vectors" / "googlenews_8001w_300d.bin",
        gallery__queries=0,
        **SMALL,
    )


@pytest.fixture(params=["shapes", "cifar10"])
def launched(request):
    return request.getfixturevalue(request.param)


def _figure(values):
    """Mean and sample deviation as the table states them."""
    if len(values) == 1:
        return f"{values[0]:.4f}"
    return f"{np.mean(values):.4f} ± {np.std(values, ddof=1):.4f}"


def _check_table(table, rows, grid):
    assert [row["bits"] for row in table] == [str(bits) for bits in grid["bits"]]
    for line in table:
        assert line["method"] == "zsh"
        assert line["seeds"] == str(len(grid["seed"]))
        same = [row for row in rows if row["bits"] == int(line["bits"])]
        for column, key in COLUMNS.items():
            name, place = key if isinstance(key, tuple) else (key, None)
            by_seed = [
                np.mean(
                    [row[name] if place is None else row[name][place] for row in same if row["seed"] == seed]
                )
                for seed in grid["seed"]
            ]
            assert line[column] == _figure(by_seed), column


@pytest.mark.slow
def test_every_cell_of_the_grid_is_one_line_with_every_key(launched):
    rows = _rows(launched.workdir)
    cells = [tuple(row[axis] for axis in launched.grid) for row in rows]
    assert sorted(cells) == sorted(itertools.product(*launched.grid.values()))
    for row in rows:
        assert not KEYS - row.keys()
        assert row["status"] in ("converged", "iteration_limit")
        assert row["mean_average_precision_seen"] is row["mean_average_precision_harmonic"] is None
        numbers = [value for value in row.values() if value is not None and not isinstance(value, str)]
        assert np.isfinite(np.hstack(numbers)).all()
        assert 0 < row["mean_average_precision"] <= 1
        assert len(row["precision_curve"]) == row["bits"] + 1


@pytest.mark.slow
def test_the_configuration_that_ran_is_kept(launched):
    config = json.loads((launched.workdir / "config.json").read_text())
    assert config["name"] == "sweep_bits"
    assert config["workdir"] == str(launched.workdir)
    for axis, values in launched.grid.items():
        assert config["sweep"][axis] == list(values)


@pytest.mark.slow
def test_the_table_is_what_numpy_makes_of_the_results(launched):
    (table,) = tables(launched.stdout)
    _check_table(table, _rows(launched.workdir), launched.grid)


@pytest.mark.slow
def test_nothing_but_the_sweep_is_spoken_of(launched):
    # A machine that is slow to describe the images is told how far it is.
    assert not re.sub(
        r"extracting colour of zsh_shapes: \d+%, [\d,]+ images/s, about [^\n]* left\n", "", launched.stderr
    )
    assert "WARNING" not in launched.stdout


@pytest.mark.slow
def test_wandb_runs_say_what_the_results_say(launched):
    rows = {row["cell_id"]: row for row in _rows(launched.workdir)}
    runs = offline_runs(launched.workdir)
    (sweep,) = [run for run in runs.values() if "cell_id" not in run.summary]
    cells = {run.summary["cell_id"]: run for run in runs.values() if run is not sweep}
    assert cells.keys() == rows.keys()
    # One group for each setting, whatever its seed and unseen classes; tests/test_wandb_runs.py has their names.
    groups = {run.group: rows[identifier]["bits"] for identifier, run in cells.items()}
    assert len(groups) == len({row["bits"] for row in rows.values()})
    assert all(
        run.group.startswith(f"{sweep.group}: ") and groups[run.group] == rows[identifier]["bits"]
        for identifier, run in cells.items()
    )
    for identifier, run in cells.items():
        row = rows[identifier]
        made_by = {key: run.config["provenance"].get(key, row["date"]) for key in PROVENANCE}
        stated = run.summary | run.config | made_by
        # Two programs compute J of the last state, and may add in another order.
        assert row == {key: stated[key] for key in row} | {"objective": row["objective"]}
        assert stated["objective"] == pytest.approx(row["objective"], rel=1e-5)
        assert len(run.history) == row["iterations"]
        assert run.history[-1]["objective"] == pytest.approx(row["objective"], rel=1e-5)
        assert {*Objective._fields[1:], "flips"} <= run.history[-1].keys()
    (path,) = (sweep.folder / "files" / "media" / "table").glob("results_*.json")
    table = json.loads(path.read_text())
    logged = [dict(zip(table["columns"], values, strict=True)) for values in table["data"]]
    assert {row["cell_id"]: row["mean_average_precision"] for row in logged} == {
        identifier: row["mean_average_precision"] for identifier, row in rows.items()
    }


@pytest.mark.slow
def test_saved_models_give_the_metrics_of_the_results(shapes, shapes_folder):
    dataset = load_shapes(str(shapes_folder))
    features = extract(dataset, "colour", cache=default_cache())  # the sweep has left them in the cache
    rows = _rows(shapes.workdir)
    assert len(list((shapes.workdir / "models").iterdir())) == len(rows)
    for row in rows:
        if (row["seed"], row["bits"]) != (0, 16):
            continue
        model, metadata = load_with_metadata(model_path(shapes.workdir, row["cell_id"]))
        assert metadata == {key: row[key] for key in metadata}
        split = zero_shot_split(
            dataset.labels,
            parse_unseen(row["unseen"], dataset.class_names),
            training_samples=row["training_samples"],
            queries=row["queries"],
            seed=row["seed"],
        )
        codes, labels = encode(model, features), jnp.asarray(dataset.labels)
        metrics = evaluate(
            codes[split.queries],
            labels[split.queries],
            codes[split.database],
            labels[split.database],
            bits=row["bits"],
            cutoffs=tuple(row["cutoffs"]),
        )
        for name in Metrics._fields:
            # The sweep encodes all cells at once: float32 may put an image next to a hyperplane on its other side.
            np.testing.assert_allclose(getattr(metrics, name), row[name], rtol=1e-2, atol=1e-3, err_msg=name)


@pytest.mark.slow
def test_a_rerun_runs_nothing_anew_and_prints_the_same_table(shapes, shapes_folder, launch):
    before = {path: path.stat().st_mtime_ns for path in (shapes.workdir / "models").iterdir()}
    content = (shapes.workdir / "results.jsonl").read_bytes()
    settings = {"dataset__data_dir": shapes_folder, "save_models": True} | OF_SHAPES | QUIET | SMALL
    again = _launch_here(launch, SHAPES, shapes.workdir, shapes.grid, **settings)
    assert (shapes.workdir / "results.jsonl").read_bytes() == content
    assert before == {path: path.stat().st_mtime_ns for path in (shapes.workdir / "models").iterdir()}
    assert tables(again.stdout) == tables(shapes.stdout)
    assert "finished cells, skipped: 4" in again.stdout
    assert " elapsed, " not in again.stdout


@pytest.mark.slow
def test_a_larger_sweep_keeps_what_is_done_and_a_smaller_one_reports_its_own(
    shapes, shapes_folder, launch, tmp_path
):
    workdir = tmp_path / "larger"
    workdir.mkdir()
    content = (shapes.workdir / "results.jsonl").read_bytes()
    (workdir / "results.jsonl").write_bytes(content)
    settings = {"dataset__data_dir": shapes_folder} | OF_SHAPES | QUIET | SMALL
    grid = {"bits": (16,), "seed": (0, 1), "unseen": (CIRCLE, STAR)}
    larger = _launch_here(launch, SHAPES, workdir, grid, **settings)
    assert (workdir / "results.jsonl").read_bytes().startswith(content)
    rows = _rows(workdir)
    assert len(rows) == 6
    assert len({row["cell_id"] for row in rows}) == 6
    own = [row for row in rows if row["bits"] == 16]
    table, by_class = tables(larger.stdout)
    _check_table(table, own, grid)
    assert [line["unseen"] for line in by_class] == [CIRCLE, STAR]
    for line in by_class:
        same = [row["mean_average_precision"] for row in own if row["unseen"] == line["unseen"]]
        assert line["zsh 16"] == _figure(same)


def test_an_enquiry_is_answered():
    command = [sys.executable, "launch.py", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "--config experiments/sweep_bits.py" in done.stdout
    assert not done.stderr
