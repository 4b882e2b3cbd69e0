"""Limits under which libraries hang are told in one line, before any of them is loaded."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from zsh_jax import limits
from zsh_jax.errors import InputError

resource = pytest.importorskip("resource")

ROOT = Path(__file__).resolve().parent.parent


COMMANDS = (
    (str(ROOT / "launch.py"), "--config", "experiments/sweep_bits.py"),
    ("-m", "zsh_jax.data", "prepare", "shapes"),
    ("-m", "zsh_jax.report", "nowhere"),
    ("-m", "zsh_jax.export", "nowhere", "--features", "nowhere.npz", "--out", "nowhere"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=("launch", "data", "report", "export"))
@pytest.mark.parametrize("allowed", [200 << 20, 500 << 20, 2 << 30])
def test_commands_end_with_a_line_where_address_space_is_short(command, allowed, tmp_path):
    done = subprocess.run(
        [sys.executable, *command],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert "ulimit -v unlimited" in done.stderr
    assert len(done.stderr) < 220
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("limit", ["RLIMIT_AS", "RLIMIT_DATA"])
def test_what_is_wanted_besides_counts(limit, monkeypatch):
    asked = getattr(resource, limit)
    monkeypatch.setattr(resource, "getrlimit", lambda one: (8 << 30 if one == asked else -1, -1))
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1}, raising=False)
    limits.check_limits(1 << 30)
    with pytest.raises(InputError, match=r"ulimit -[vd] unlimited"):
        limits.check_limits(6 << 30)


def test_too_few_threads_are_told_and_those_that_started_end(monkeypatch):
    before = set(threading.enumerate())
    start = threading.Thread.start

    def start_some(thread):
        if len(set(threading.enumerate()) - before) >= 9:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_some)
    with pytest.raises(InputError, match="can start 9 threads"):
        limits.check_limits()
    assert set(threading.enumerate()) == before
