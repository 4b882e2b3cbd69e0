"""The lock of a workdir: one live owner, and a dead one's is taken over, whatever the kernel can tell."""

import errno
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack

import pytest

from zsh_jax.errors import InputError, WorkdirGone
from zsh_jax.tracking.lock import LENGTH, LOCK, locked

BEAT = 0.02
QUICK = {"beat": BEAT, "watched": 0.5}


def _owned(folder, number=0, **changes):
    """A lock file as a process on another machine writes it."""
    owner = {"host": "elsewhere", "pid": "4711", "machine": "another", "token": "theirs"} | changes
    content = json.dumps(owner | {"beat": str(number)}).ljust(LENGTH - 1) + "\n"
    folder.mkdir(exist_ok=True)
    with open(folder / LOCK, "r+" if (folder / LOCK).exists() else "w") as file:
        file.write(content)


@pytest.fixture(params=["flock", errno.ENOLCK])
def kernel(request, monkeypatch):
    """With the kernel's locks, and without them, as on some network file systems."""

    def refuse(*_):
        raise OSError(request.param, os.strerror(request.param))

    if request.param != "flock":
        monkeypatch.setattr(fcntl, "flock", refuse)
    return request.param


@pytest.fixture
def beating(tmp_path):
    """Another machine that is alive."""
    folder, ended = tmp_path / "sweep", threading.Event()

    def beat():
        number = 0
        while not ended.wait(BEAT):
            number += 1
            _owned(folder, number)

    _owned(folder)
    thread = threading.Thread(target=beat)
    thread.start()
    yield folder
    ended.set()
    thread.join()


def test_a_live_owner_is_named_and_its_workdir_left_alone(kernel, tmp_path):
    folder, patient = tmp_path / "sweep", {"beat": BEAT, "watched": 10}
    with locked(folder, **QUICK) as lock:
        (folder / "results.jsonl").write_text("mine")
        with pytest.raises(InputError) as refused, locked(folder, **patient):
            pytest.fail("two have it")
        lock.check()
        assert {path.name for path in folder.iterdir()} == {LOCK, "results.jsonl"}
    said = str(refused.value)
    assert f"process {os.getpid()} on host {os.uname().nodename}" in said
    assert str(folder) in said
    assert len(said.splitlines()) == 1
    assert [path.name for path in folder.iterdir()] == ["results.jsonl"]
    with locked(folder, **QUICK):
        pass


def test_a_live_owner_on_another_host_is_told_by_its_beat(kernel, beating):
    patient = locked(beating, beat=BEAT, watched=10)
    with pytest.raises(InputError, match="process 4711 on host elsewhere; fix: "), patient:
        pytest.fail("two have it")


@pytest.mark.parametrize("kernel", ["flock", errno.ENOLCK, errno.EOPNOTSUPP], indirect=True)
def test_a_dead_owner_on_another_host_is_told_by_its_beat(kernel, tmp_path, capsys):
    _owned(tmp_path)
    with locked(tmp_path, **QUICK) as lock:
        lock.check()
    said = capsys.readouterr().err
    assert "process 4711 on host elsewhere, which is dead; this process takes the lock\n" in said
    assert said.count("\n") == 1
    assert not (tmp_path / LOCK).exists()


def test_the_lock_of_a_killed_process_on_this_host_is_free_at_once(tmp_path, capsys):
    script = "import os, sys\nfrom zsh_jax.tracking.lock import locked\n"
    script += "with locked(sys.argv[1]):\n    os.kill(os.getpid(), 9)"
    done = subprocess.run([sys.executable, "-c", script, tmp_path], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / LOCK).exists()
    with locked(tmp_path, beat=BEAT, watched=3600):
        pass
    assert not capsys.readouterr().err


@pytest.mark.slow
def test_of_many_that_want_it_at_once_one_gets_it(kernel, tmp_path):
    # Without flock it is a matter of time: who is slower than a beat finds out at its next check.
    times, wait = (
        (20, {"beat": BEAT, "watched": 0.1}) if kernel == "flock" else (3, {"beat": 0.3, "watched": 3})
    )
    for number in range(times):
        folder = tmp_path / str(number)
        if number % 2:
            _owned(folder)
        gate, others, got, refused = threading.Barrier(3), threading.Semaphore(0), [], []

        def want(folder=folder, gate=gate, others=others, got=got, refused=refused):
            gate.wait()
            try:
                with locked(folder, **wait) as lock:
                    got.append(lock)
                    for _ in range(2):
                        others.acquire(timeout=30)
            except InputError as error:
                refused.append(error)
                others.release()

        threads = [threading.Thread(target=want) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(got), len(refused)) == (1, 2)
        assert not (folder / LOCK).exists()


def test_what_a_killed_process_was_writing_is_taken_away(tmp_path):
    kept = [".results.jsonl", "models/a.safetensors", ".config/settings.0123abcd", "wandb/.x.0123abcd"]
    for name in [*kept, ".results.jsonl.0123abcd", "models/.a.safetensors.89abcdef"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with locked(tmp_path, **QUICK):
        there = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert there == {*kept, LOCK}


def test_a_new_workdir_goes_again_unless_something_is_in_it(tmp_path):
    with pytest.raises(InputError, match="bad"), locked(tmp_path / "a" / "b", **QUICK):
        raise InputError("bad")
    assert not list(tmp_path.iterdir())
    with locked(tmp_path / "a" / "b", **QUICK):
        (tmp_path / "a" / "b" / "results.jsonl").touch()
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["results.jsonl"]


@pytest.mark.parametrize(
    "fate", ["deleted", "moved", "replaced", "taken over by process 4711 on host elsewhere"]
)
def test_a_workdir_that_is_not_ours_any_more_is_found_out(fate, tmp_path):
    folder = tmp_path / "sweep"
    with locked(folder, beat=3600, watched=1) as lock:
        lock.check()
        if fate == "moved":
            folder.rename(tmp_path / "elsewhere")
        elif fate in ("deleted", "replaced"):
            shutil.rmtree(folder)
        if fate == "replaced" or fate.startswith("taken"):
            _owned(folder)
        with pytest.raises(
            WorkdirGone, match=fate if fate.startswith("taken") else "deleted, moved or replaced"
        ):
            lock.check()
    # What another has made there is not ours to take away.
    assert (folder / LOCK).exists() == (fate == "replaced" or fate.startswith("taken"))


def test_a_file_in_its_place_is_one_line(tmp_path):
    (tmp_path / "sweep").write_text("mine")
    with pytest.raises(InputError, match=r"cannot be written .*choose another --config\.workdir"):
        ExitStack().enter_context(locked(tmp_path / "sweep", **QUICK))
