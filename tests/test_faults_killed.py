"""A sweep that is killed at random moments, and started again each time, ends as one that was left alone."""

import json
import random
import signal
import time

import pytest
from fault_sweep import assert_as_uninterrupted, ended, rows, run, start, wait_for, write_features
from undrawn import PATCH
from wandb_files import offline_runs

from zsh_jax.model_file import load
from zsh_jax.tracking.history import HISTORY, read_history
from zsh_jax.tracking.models import model_path

# Soon after these are written: they are what can break. And at any moment.
WRITTEN = (
    ".lock",
    "models",
    "",
    "history.jsonl",
    "results.jsonl",
    "wandb",
    "",
    "wandb.jsonl",
    "report/figures",
    "",
) * 2
KILLS = len(WRITTEN)
SETTINGS = {"wandb__mode": "offline", "save_models": "True", "report": "True"}
SETTINGS |= {"patch": PATCH}  # the same figures, many times


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    path = write_features(folder)
    began = time.monotonic()
    status, _, error = run(path, folder / "sweep", **SETTINGS)
    assert (status, error) == (0, "")
    return path, folder / "sweep", time.monotonic() - began


def _assert_whole(workdir, undisturbed):
    assert_as_uninterrupted(workdir, undisturbed)
    cells = rows(workdir)
    histories = read_history(workdir / HISTORY)
    assert histories.by_cell == read_history(undisturbed / HISTORY).by_cell
    assert not histories.damaged
    for cell in cells:
        load(model_path(workdir, cell))
    runs = offline_runs(workdir)  # fails where an id is there twice
    assert {run.exit_code for run in runs.values()} == {0}
    of_cells = [run.summary["cell_id"] for run in runs.values() if "cell_id" in run.summary]
    assert sorted(of_cells) == sorted(cells)
    assert len(runs) == len(cells) + 1
    for one in runs.values():
        if "cell_id" in one.summary:
            assert len(one.history) == cells[one.summary["cell_id"]]["iterations"]
    journal = [json.loads(line)["cell_id"] for line in (workdir / "wandb.jsonl").read_text().splitlines()]
    assert set(journal) == set(cells)
    assert (workdir / "report" / "index.html").exists()
    left = [path.name for path in workdir.rglob(".*") if "wandb" not in path.parts]
    assert not left, "what was being written is still there"


def _state(path):
    """Changes when something is written there."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None


@pytest.mark.slow
def test_twenty_kills_at_random_moments_lose_double_and_change_nothing(undisturbed, tmp_path):
    path, whole, seconds = undisturbed
    moments = random.Random(20161015)
    workdir = tmp_path / "sweep"
    killed = 0
    for number, written in enumerate(WRITTEN):
        pause = moments.uniform(0, 0.3) if written else moments.uniform(0, seconds)
        before = _state(workdir / written)
        with ended(start(path, workdir, **SETTINGS)) as process:
            if written:
                wait_for(lambda: _state(workdir / written) != before, process)  # noqa: B023
            time.sleep(pause)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            killed += process.returncode == -signal.SIGKILL
        if number % 5 == 4:  # from the start again, where it has come to its end by now
            assert run(path, workdir, **SETTINGS)[0] == 0
            _assert_whole(workdir, whole)
            workdir = tmp_path / f"sweep{number}"
    assert killed > KILLS // 2
