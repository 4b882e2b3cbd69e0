"""Signals in mid-run, a second process on the same workdir, a W&B service that dies, and a solve that fails."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from fault_sweep import (
    CELLS,
    arguments,
    assert_as_uninterrupted,
    ended,
    figures,
    rows,
    start,
    wait_for,
    write_features,
)
from wandb_files import offline_runs

from zsh_jax.tracking import wandb_service

# A service that was killed is not waited for, and what a lost run held goes with the garbage.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")

STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143}
# Before it writes the second batch the launcher says so, and stands still: in Python, or in a compiled program.
STILL = """
import zsh_jax.commands.saving as saving
from pathlib import Path
from zsh_jax import interrupts
interrupts.GRACE = 0.5
append, batches = saving.append_results, []
def stand_still(*args):
    batches.append(args)
    if len(batches) == 2:
        {still}
    return append(*args)
saving.append_results = stand_still
"""
READY = "Path({ready!r}).touch()"
IN_PYTHON = f"import time; {READY}; time.sleep(600)"
COMPILED = (
    "import jax; step = lambda number, value: value * 1.000001; "
    f"run = jax.jit(lambda value: jax.lax.fori_loop(0, 1 << 40, step, value)); {READY}; "
    "run(1.0).block_until_ready()"
)


@pytest.fixture(scope="module")
def launched(tmp_path_factory, launch):
    """The features, a function that runs the tiny sweep in this process, and where it ran undisturbed."""
    folder = tmp_path_factory.mktemp("features")
    path = write_features(folder)

    def run_here(workdir, **changes):
        return launch.main(["launch.py", *arguments(path, workdir, **changes)])

    assert run_here(folder / "sweep") == 0
    return path, run_here, folder / "sweep"


def _services(process):
    """Processes of W&B that a process has started."""
    found = []
    for task in Path(f"/proc/{process}/task").iterdir():
        for child in (task / "children").read_text().split():
            name = Path(f"/proc/{child}/comm").read_text().strip()
            state = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0]
            found += [int(child)] if name.startswith("wandb") and state != "Z" else []
    return found


def _stamps(folder):
    there = {one: one.stat() for one in folder.rglob("*") if one.name != ".lock"}
    return {one: (stat.st_size, stat.st_mtime_ns, stat.st_ino) for one, stat in there.items()}


def _is_there(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("number", STATUS)
@pytest.mark.parametrize("still", [IN_PYTHON, COMPILED], ids=["python", "compiled"])
def test_a_signal_in_mid_run_keeps_what_has_ended(still, number, launched, tmp_path):
    path, run_here, undisturbed = launched
    ready, journal = tmp_path / "ready", tmp_path / "sweep" / "wandb.jsonl"
    patch = STILL.format(still=still.format(ready=str(ready)))
    with ended(start(path, tmp_path / "sweep", patch=patch, wandb__mode="offline")) as process:
        wait_for(lambda: ready.exists() and journal.exists() and journal.stat().st_size, process)
        services = _services(process.pid) if Path("/proc/self/task").exists() else []
        process.send_signal(number)
        _, error = process.communicate(timeout=60)
    assert process.returncode == STATUS[number], error
    assert error == ("launch.py: interrupted; finished cells are saved; rerun the same command to resume\n")
    kept = rows(tmp_path / "sweep")
    assert 0 < len(kept) < CELLS
    if Path("/proc/self/task").exists():
        assert services
    limit = time.monotonic() + 60
    while any(map(_is_there, services)) and time.monotonic() < limit:
        time.sleep(0.05)
    assert not any(map(_is_there, services)), "a process of W&B outlives the sweep"
    assert run_here(tmp_path / "sweep") == 0
    assert_as_uninterrupted(tmp_path / "sweep", undisturbed)
    assert kept.items() <= rows(tmp_path / "sweep").items()


@pytest.mark.slow
def test_of_two_processes_one_is_refused_and_writes_nothing(launched, tmp_path, capfd):
    path, run_here, undisturbed = launched
    ready, workdir = tmp_path / "ready", tmp_path / "sweep"
    still = f"import time; {READY}\n        while Path({{ready!r}}).exists(): time.sleep(0.01)"
    patch = STILL.format(still=still.format(ready=str(ready)))
    with ended(start(path, workdir, patch=patch)) as process:
        wait_for(ready.exists, process)
        before = _stamps(workdir)
        capfd.readouterr()
        for _ in range(20):
            assert run_here(workdir) == 2
            said, error = capfd.readouterr()
            assert not said
            assert error.count("\n") == 1
            assert (
                f"{workdir} is in use by process {process.pid} on host {os.uname().nodename}; fix: " in error
            )
        assert before == _stamps(workdir)
        ready.unlink()
        process.communicate(timeout=300)
    assert process.returncode == 0
    assert_as_uninterrupted(workdir, undisturbed)
    assert not (workdir / ".lock").exists()


@pytest.mark.slow
def test_a_service_of_wandb_that_is_killed_is_started_again(launched, tmp_path, monkeypatch, capfd):
    _, run_here, undisturbed = launched
    write, killed = wandb_service._write, []

    def then_killed(settings, one):
        write(settings, one)
        if len(killed) < 3 and Path("/proc/self/task").exists():
            for service in _services(os.getpid()):
                os.kill(service, signal.SIGKILL)
                killed.append(service)

    monkeypatch.setattr(wandb_service, "_write", then_killed)
    capfd.readouterr()
    assert run_here(tmp_path / "sweep", wandb__mode="offline") == 0
    assert not capfd.readouterr().err
    assert killed or not Path("/proc/self/task").exists()
    assert_as_uninterrupted(tmp_path / "sweep", undisturbed)
    runs = [one for one in offline_runs(tmp_path / "sweep").values() if "cell_id" in one.summary]
    assert sorted(one.summary["cell_id"] for one in runs) == sorted(rows(tmp_path / "sweep"))


@pytest.mark.slow
def test_a_service_that_stays_dead_costs_a_line_and_its_runs_come_later(
    launched, tmp_path, monkeypatch, capfd
):
    _, run_here, undisturbed = launched
    write, written = wandb_service._write, []

    def dead_after_three(settings, one):
        if len(written) == 3:
            raise ConnectionResetError("the service\nis gone")
        write(settings, one)
        written.append(one)

    capfd.readouterr()
    with monkeypatch.context() as patch:
        patch.setattr(wandb_service, "_write", dead_after_three)
        assert run_here(tmp_path / "sweep", wandb__mode="offline") == 0
    assert capfd.readouterr().err == (
        "zsh_jax: W&B failed (the service is gone); it is disabled from now on\n"
    )
    assert_as_uninterrupted(tmp_path / "sweep", undisturbed)
    assert len(offline_runs(tmp_path / "sweep")) == 3
    content = (tmp_path / "sweep" / "results.jsonl").read_bytes()
    assert run_here(tmp_path / "sweep", wandb__mode="offline") == 0
    said = capfd.readouterr()
    assert f"W&B: wrote the missing runs of {CELLS - 3} finished cells\n" in said.out
    assert not said.err
    assert (tmp_path / "sweep" / "results.jsonl").read_bytes() == content
    runs = offline_runs(tmp_path / "sweep")
    of_cells = {one.summary["cell_id"]: one for one in runs.values() if "cell_id" in one.summary}
    assert of_cells.keys() == rows(tmp_path / "sweep").keys()
    for cell, row in rows(tmp_path / "sweep").items():
        assert len(of_cells[cell].history) == row["iterations"]
        assert of_cells[cell].summary["mean_average_precision"] == row["mean_average_precision"]
        assert of_cells[cell].config["seed"] == row["seed"]


@pytest.mark.slow
def test_a_solve_that_is_not_finite_leaves_the_others_alone(launched, launch, tmp_path, capfd):
    path, _, _ = launched
    with np.load(path) as file:
        arrays = dict(file)
    arrays["features"][arrays["labels"] == 5] *= 1e25  # whose squares float32 does not hold
    np.savez(tmp_path / "damaged.npz", **arrays)

    def run_here(workdir, unseen):
        solved = {"sweep__method": "('lsh','zsh')"}
        options = arguments(tmp_path / "damaged.npz", tmp_path / workdir, sweep__unseen=unseen, **solved)
        return launch.main(["launch.py", *options])

    assert run_here("good", "('class 5',)") == 0  # of which nothing is trained then
    capfd.readouterr()
    for _ in range(2):  # what has failed is done, too
        assert run_here("mixed", "('class 0','class 5')") == 3
        said = capfd.readouterr()
        assert not said.err
        assert f"{CELLS // 2} of {CELLS} cells were not finite; see status in " in said.out
    good, mixed = rows(tmp_path / "good"), rows(tmp_path / "mixed")
    failed = {cell: row for cell, row in mixed.items() if row["unseen"] == "class 0"}
    assert {row["status"] for row in failed.values()} == {"non_finite"}
    assert {row["mean_average_precision"] for row in failed.values()} == {None}
    assert mixed.keys() - failed.keys() == good.keys()
    assert {cell: figures(mixed[cell]) for cell in good} == {cell: figures(row) for cell, row in good.items()}
