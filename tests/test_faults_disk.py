"""A disk that is full or cannot be written to, and a workdir that is gone: one line, and nothing half-written."""

import shutil
import subprocess
from importlib import import_module

import numpy as np
import pytest
from fault_sweep import CELLS, arguments, assert_as_uninterrupted, rows, write_features
from wandb_files import offline_runs

from zsh_jax.atomic import write_whole
from zsh_jax.model_file import load
from zsh_jax.tracking.history import HISTORY, read_history
from zsh_jax.tracking.models import model_path

# W&B leaves the temporary folder of a table to the garbage collector where its run is lost.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")

SETTINGS = {"save_models": "True", "evaluation__cutoffs": "()"}
WANDB, REPORT = {"wandb__mode": "offline"}, {"report": "True"}
SAVING, WRITE = "zsh_jax.commands.saving", "zsh_jax.report.write"
# Before what the disk is full, how often that is done before, and what else the sweep does.
MOMENTS = {
    "at the start": ("zsh_jax.tracking.lock._open", 0, {}),
    "config": ("zsh_jax.tracking.results._write_config", 0, {}),
    "semantics": ("zsh_jax.commands.record.save_vectors", 0, {}),
    "models": (f"{SAVING}.save", 3, {}),
    "history": (f"{SAVING}.append_history", 1, {}),
    "results": (f"{SAVING}.append_results", 1, WANDB),
    "W&B": ("zsh_jax.tracking.wandb_service._write", 3, WANDB),
    "W&B, whole sweep": ("zsh_jax.tracking.wandb_service._write", CELLS, WANDB),
    "gallery": ("zsh_jax.report.at_end.write_gallery", 0, {"gallery__queries": 2}),
    "report": (f"{WRITE}.write_files", 0, REPORT),
}


@pytest.fixture(scope="module")
def launched(tmp_path_factory, launch):
    """A function that runs the tiny sweep, and where it ran undisturbed."""
    folder = tmp_path_factory.mktemp("features")
    path = write_features(folder)

    def run(workdir, **changes):
        return launch.main(["launch.py", *arguments(path, workdir, **SETTINGS | changes)])

    assert run(folder / "sweep") == 0
    return run, folder / "sweep"


@pytest.fixture
def disk(tmp_path):
    """A disk of its own, of 16 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None:
        pytest.skip("there is no command mount, with which a small disk is made")
    command = [mount, "-t", "tmpfs", "-o", "size=16m", "tmpfs", folder]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"no small disk can be mounted here ({made.stderr.strip()})")
    yield folder
    import wandb

    wandb.teardown()  # its service has files open there
    subprocess.run(["umount", "--lazy", folder], check=True)


def _fill(folder):
    with (folder / "filling").open("ab", buffering=0) as file:
        for size in (1 << 16, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                pass


def _patched(patch, name, make):
    """Put what `make` makes of a function in its place."""
    module, _, function = name.rpartition(".")
    patch.setattr(name, make(getattr(import_module(module), function)))


def _one_line(capfd):
    error = capfd.readouterr().err
    assert error.count("\n") == 1, error
    assert error.startswith("launch.py: ")
    return error


def _assert_whole(workdir, undisturbed, does):
    assert_as_uninterrupted(workdir, undisturbed)
    histories = read_history(workdir / HISTORY)
    assert histories.by_cell == read_history(undisturbed / HISTORY).by_cell
    assert not histories.damaged
    for cell in rows(workdir):
        load(model_path(workdir, cell))
    if does is WANDB:
        runs = [run for run in offline_runs(workdir).values() if "cell_id" in run.summary]
        assert sorted(run.summary["cell_id"] for run in runs) == sorted(rows(workdir))
    assert (workdir / "report" / "index.html").exists() == (does is REPORT)


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_full_disk_is_one_line_and_the_same_command_resumes(moment, disk, launched, monkeypatch, capfd):
    run, undisturbed = launched
    workdir = disk / "sweep"
    name, times, does = MOMENTS[moment]
    done = []

    def fill_first(original):
        def write(*args, **options):
            if len(done) == times:
                _fill(disk)
            done.append(args)
            if moment == "gallery":  # features have no images that could be shown
                return write_whole(workdir / "gallery.npz", b"images")
            return original(*args, **options)

        return write

    capfd.readouterr()
    with monkeypatch.context() as patch:
        _patched(patch, name, fill_first)
        status = run(workdir, **does)
    line = _one_line(capfd)
    assert status == 1, line
    assert "No space left on device" in line
    assert "rerun the same command to resume" in line
    (disk / "filling").unlink()
    hidden = [path for path in disk.rglob(".*") if "wandb" not in path.parts]
    assert not hidden, "what was being written is still there"
    assert run(workdir, **does | {"gallery__queries": 0}) == 0
    assert not capfd.readouterr().err
    _assert_whole(workdir, undisturbed, does)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["report", "export"])
def test_a_full_disk_is_status_1_in_the_other_commands_too(command, disk, launched, capfd):
    _, undisturbed = launched
    np.save(disk / "features.npy", np.zeros((4, 8), np.float32))
    _fill(disk)
    model = next((undisturbed / "models").iterdir())
    arguments = {
        "report": [undisturbed, "--out", disk / "out"],
        "export": [model, "--features", disk / "features.npy", "--out", disk / "out", "--index", "none"],
    }
    main = import_module(f"zsh_jax.{command}.__main__").main
    capfd.readouterr()
    assert main(list(map(str, arguments[command]))) == 1
    error = capfd.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith(f"zsh_jax.{command}: [Errno 28] No space left on device")
    assert not [path for path in disk.rglob("*") if path.is_file() and path.name.startswith(".")]


@pytest.mark.slow
@pytest.mark.parametrize("workdir", [".", "new/sweep"])
def test_a_disk_that_cannot_be_written_to_is_told_at_the_start(workdir, disk, launched, capfd):
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    run, _ = launched
    capfd.readouterr()
    assert run(disk / workdir) == 2
    line = _one_line(capfd)
    assert "cannot be written to (Read-only file system); fix: " in line


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fate", "moment"),
    [("deleted", "results"), ("moved", "results"), ("replaced", "results"), ("replaced", "report")],
)
def test_a_workdir_that_goes_in_mid_run_ends_the_sweep_and_stays_gone(
    fate, moment, launched, tmp_path, monkeypatch, capfd
):
    run, _ = launched
    workdir, elsewhere = tmp_path / "sweep", tmp_path / "elsewhere"

    def then_gone(original):
        def write(*args, **options):
            made = original(*args, **options)
            workdir.rename(elsewhere)
            if fate != "moved":
                shutil.rmtree(elsewhere)
            if fate == "replaced":
                workdir.mkdir()
            return made

        return write

    capfd.readouterr()
    with monkeypatch.context() as patch:
        name = f"{SAVING}.append_results" if moment == "results" else f"{WRITE}.report_files"
        _patched(patch, name, then_gone)
        assert run(workdir, **WANDB if moment == "results" else REPORT) == 1
    assert f"{workdir} was deleted, moved or replaced during the run" in _one_line(capfd)
    assert workdir.exists() == (fate == "replaced")
    assert elsewhere.exists() == (fate == "moved")
    assert fate != "replaced" or not list(workdir.iterdir())
