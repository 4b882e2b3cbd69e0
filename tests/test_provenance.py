"""Where figures come from is in each row, in the configuration and in the runs of W&B."""

import json
import re
import shutil
import subprocess
import tomllib
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import jax
import pytest
from rows import PROVENANCE, rows_of
from small_sweeps import EXPERIMENT, arguments, write_features
from wandb_files import offline_runs

from zsh_jax.tracking import provenance as made

ROOT = Path(__file__).resolve().parent.parent


def _git(folder, *command):
    who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *command], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    if shutil.which("git") is None:
        pytest.skip("there is no git here")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    _git(tmp_path, "init", "-q")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def test_the_commit_is_that_of_the_checkout_and_marked_if_a_tracked_file_was_changed(checkout, monkeypatch):
    head = _git(checkout, "rev-parse", "HEAD")
    _git(checkout, "tag", "v1")
    monkeypatch.setenv("GIT_DIR", str(checkout / "nowhere"))  # as in a hook
    assert made.commit(checkout / "package") == head
    (checkout / "package" / "new.py").write_text("")
    assert made.commit(checkout / "package") == head
    (checkout / "package" / "__init__.py").write_text("changed = True\n")
    assert made.commit(checkout / "package") == f"{head}-dirty"


def test_there_is_no_commit_outside_a_checkout_of_the_package_or_without_git(checkout, tmp_path, monkeypatch):
    (checkout / "site-packages" / "package").mkdir(parents=True)
    (checkout / "site-packages" / "package" / "__init__.py").write_text("")
    assert made.commit(checkout / "site-packages" / "package") is None  # an environment within some project
    assert made.commit(tmp_path / "nowhere") is None
    monkeypatch.setenv("PATH", "")
    assert made.commit(checkout / "package") is None


def test_versions_and_device():
    found = made.provenance()
    assert found["version"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert found["jax"] == jax.__version__
    assert found["jaxlib"] == version("jaxlib")
    assert found["device"] == jax.devices()[0].device_kind
    assert found["commit"] is None or re.fullmatch("[0-9a-f]{40}(-dirty)?", found["commit"])
    assert made.dated({}) == {}
    assert tuple(made.dated(found)) == made.PROVENANCE
    run = made.run_provenance(found)
    assert run.items() >= found.items()
    assert run["libraries"]["numpy"] == version("numpy")
    assert {"host", "system", "python"} < run.keys()
    json.dumps(run)


def test_a_sweep_states_it_everywhere(tmp_path, launch):
    command = arguments(
        write_features(tmp_path / "data.npz"), tmp_path / "sweep", wandb__mode="offline", report=True
    )
    before = datetime.now(UTC)
    assert launch.main(command) == 0
    (row,) = rows_of(tmp_path / "sweep" / "results.jsonl")
    assert list(row)[-len(made.PROVENANCE) :] == list(made.PROVENANCE)
    assert set(made.PROVENANCE) == PROVENANCE
    assert {key: row[key] for key in PROVENANCE - {"date"}} == made.provenance()
    date = datetime.fromisoformat(row["date"])
    assert timedelta(seconds=-1) <= date - before < timedelta(hours=1)
    assert date.tzinfo is not None
    assert row["precision"] == "float32"
    config = json.loads((tmp_path / "sweep" / "config.json").read_text())
    assert config["command"].startswith(f"python launch.py --config={EXPERIMENT}:features ")
    assert "'--config.sweep.unseen=('\"'\"'cow+dog'\"'\"',)'" in config["command"]
    runs = offline_runs(tmp_path / "sweep").values()
    assert len(runs) == 2
    for run in runs:
        told = run.config["provenance"]
        assert told.items() >= made.provenance().items()
        assert {"host", "system", "python", "libraries"} < told.keys()
        assert not PROVENANCE & run.summary.keys()
