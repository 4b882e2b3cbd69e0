"""`zsh-jax wandb-check`: whether the offline runs on disk say what `results.jsonl` says."""

import json
import shutil

import pytest
from cells import result
from rows import rewrite

from zsh_jax.commands.main import main
from zsh_jax.tracking.results import append_results, cell_id, open_results, read_results
from zsh_jax.tracking.wandb_runs import WandbSettings, log_cells, log_missing, log_sweep

RESULTS = [result(0), result(1), result(2, failed=True), result(0, 128, variant="one")]
# Where an iteration limit ends a solve, the last value of the trace is not the objective.
RESULTS[0].metrics["objective"] = 0.75 * RESULTS[0].metrics["objective"]
CELLS = [cell_id(one.cell) for one in RESULTS]


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    """A workdir with a run for each cell and one for the sweep."""
    import wandb

    workdir = tmp_path_factory.mktemp("logged")
    settings = WandbSettings(workdir, "sweep")
    opened = append_results(open_results(workdir, {}), RESULTS)
    log_sweep(log_cells(settings, RESULTS), {}, read_results(opened.path))
    wandb.teardown()
    return workdir


@pytest.fixture
def workdir(logged, tmp_path):
    return shutil.copytree(logged, tmp_path / "copy", symlinks=True)


def _run_of(workdir, cell):
    """The folder of a cell's run, by the id in the journal."""
    journal = map(json.loads, (workdir / "wandb.jsonl").read_text().splitlines())
    (run,) = [one["run"] for one in journal if one["cell_id"] == cell]
    (folder,) = workdir.glob(f"wandb/offline-run-*-sweep-{run}")
    return folder


def _told(capsys, workdir, status):
    capsys.readouterr()
    assert main(["wandb-check", str(workdir)]) == status
    out, error = capsys.readouterr()
    said = error if status else out
    assert said.count("\n") == 1
    assert not (out if status else error)
    return said


def test_a_whole_workdir_is_said_to_be_whole(workdir, capsys):
    assert _told(capsys, workdir, 0) == f"{workdir}: 4 cells, each with one offline run of equal figures\n"


def test_the_sweep_of_an_agent_has_one_run_and_no_advice(workdir, capsys):
    shutil.rmtree(_run_of(workdir, CELLS[1]))
    (workdir / "config.json").write_text(json.dumps({"wandb": {"run_id": "r1"}}))
    said = f"{workdir}: a sweep of an agent; its run r1 has means, and its cells have no runs\n"
    assert _told(capsys, workdir, 0) == said


def test_a_run_that_is_gone_is_named(workdir, capsys):
    shutil.rmtree(_run_of(workdir, CELLS[1]))
    assert f"4 cells: 1 without a run ({CELLS[1]}); fix: " in _told(capsys, workdir, 2)


def test_a_run_that_is_there_twice_is_named(workdir, capsys):
    folder = _run_of(workdir, CELLS[0])
    shutil.copytree(folder, folder.with_name(folder.name.replace("-sweep-", "-again-")))
    assert f"4 cells: 1 with several runs ({CELLS[0]}); fix: " in _told(capsys, workdir, 2)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("mean_average_precision", 0.125, ", not 0.125"),
        ("precision_at", [0.5, 0.25], ", not [0.5, 0.25]"),
        ("seconds", 0.25, "seconds 0.125, not 0.25"),
        ("iterations", None, "iterations 4, not None"),
        ("more", 1, "more nothing, not 1"),
    ],
)
def test_a_figure_that_differs_is_named(workdir, capsys, key, value, words):
    rewrite(workdir / "results.jsonl", lambda number, row: row | ({key: value} if number == 1 else {}))
    said = _told(capsys, workdir, 2)
    assert f"4 cells: 1 with other figures ({CELLS[1]}: {key} " in said
    assert f"{words}); fix: " in said


def test_a_run_cut_short_and_one_of_no_cell_are_counted(workdir, capsys):
    (file,) = _run_of(workdir, CELLS[0]).glob("*.wandb")
    file.write_bytes(file.read_bytes()[:-1])
    said = _told(capsys, workdir, 2)
    assert f"1 without a run ({CELLS[0]}); 1 run of no finished cell" in said
    results = workdir / "results.jsonl"
    results.write_text("".join(results.read_text().splitlines(keepends=True)[1:]))
    assert "3 cells: 1 run of no finished cell; fix: " in _told(capsys, workdir, 2)


def test_online_runs_are_told_apart(workdir, capsys):
    shutil.rmtree(_run_of(workdir, CELLS[0]))
    with (workdir / "wandb.jsonl").open("a") as journal:
        journal.write(json.dumps({"cell_id": CELLS[0], "run": "x", "mode": "online"}) + "\n")
    said = _told(capsys, workdir, 0)
    assert "3 cells, each with one offline run of equal figures; 1 online run is not compared" in said


def test_the_runs_of_parts_count_as_those_of_the_whole(workdir, capsys):
    part = workdir / "shards" / "1-of-1"
    part.mkdir(parents=True)
    (workdir / "wandb").rename(part / "wandb")
    assert "4 cells, each with one offline run" in _told(capsys, workdir, 0)


def test_the_advice_mends_it(workdir, capsys):
    shutil.rmtree(workdir / "wandb")
    (workdir / "wandb.jsonl").unlink()
    assert "4 cells: 4 without a run" in _told(capsys, workdir, 2)
    log_missing(WandbSettings(workdir, "sweep"), set(CELLS))
    assert "4 cells, each with one offline run" in _told(capsys, workdir, 0)


def test_a_folder_without_results_is_refused(tmp_path, capsys):
    assert "cannot be read" in _told(capsys, tmp_path, 2)
