"""Several processes of one sweep: the results of one, whatever happens to one of them."""

import signal
import threading

import numpy as np
import pytest
from bad_input import make_data, put, refusal, tiny_config
from fault_sweep import CELLS, arguments, rows, wait_for, write_features
from hosts import free_port, run_together, started
from wandb_files import offline_runs

from zsh_jax import encode
from zsh_jax.errors import InputError, ProcessLost
from zsh_jax.exits import INPUT, LOST
from zsh_jax.model_file import load
from zsh_jax.sweep.processes import PIECE, Processes, leads, told
from zsh_jax.tracking.history import HISTORY, read_history
from zsh_jax.tracking.models import model_path

SETTINGS = {"save_models": "True", "wandb__mode": "offline", "x64": "True"}
ADDRESS = {"distributed.coordinator": "127.0.0.1:1234", "distributed.processes": 2, "distributed.process": 0}
# Before it gives the others its results of the second batch a process says so, and stands still.
STILL = """
import time, zsh_jax.sweep.engine as engine
from pathlib import Path
gathered, calls = engine.gathered, []
def stand_still(*args):
    calls.append(args)
    if len(calls) == 2:
        Path({ready!r}).touch()
        time.sleep(600)
    return gathered(*args)
engine.gathered = stand_still
"""


@pytest.fixture(scope="module")
def alone(tmp_path_factory, launch):
    """The features, and the workdir of a sweep that one process ran."""
    folder = tmp_path_factory.mktemp("alone")
    path = write_features(folder)
    assert launch.main(["launch.py", *arguments(path, folder / "sweep", **SETTINGS)]) == 0
    return path, folder / "sweep"


def _assert_same(workdir, path, whole):
    """Codes to the bit; figures up to the rounding of sums in batches of other sizes."""
    one, other = rows(workdir), rows(whole)
    histories = read_history(workdir / HISTORY).by_cell, read_history(whole / HISTORY).by_cell
    assert one.keys() == other.keys() == histories[0].keys()
    features = np.load(path)["features"]
    for cell, row in one.items():
        for key in other[cell].keys() - {"checksum", "date", "commit"}:
            if not key.endswith("seconds"):
                _assert_near(row[key], other[cell][key])
        for key, terms in histories[1][cell].items():
            _assert_near(histories[0][cell][key], terms)
        codes = [encode(load(model_path(folder, cell)), features) for folder in (workdir, whole)]
        np.testing.assert_array_equal(*codes)
    assert len(offline_runs(workdir)) == CELLS + 1  # fails where a run is there twice
    assert not (workdir / ".lock").exists()


def _assert_near(one, other):
    if isinstance(other, str) or other is None:
        assert one == other
        return
    one, other = (np.asarray(value, float) for value in (one, other))  # null is NaN
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.slow
def test_two_processes_give_what_one_gives(alone, tmp_path):
    path, whole = alone
    options = SETTINGS | {"devices": 2, "mesh__data": 4}  # samples lie over both processes
    first, second = run_together(path, tmp_path / "sweep", 2, **options)
    assert (first[0], first[2]) == (second[0], second[2]) == (0, "")
    assert "batches: 2, of about " in first[1]
    assert "itq" not in second[1]  # one of them prints
    _assert_same(tmp_path / "sweep", path, whole)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "devices", "victim", "later"),
    [(2, 1, 1, 1), (2, 2, 0, 2)],
    ids=["the other", "the leading one"],
)
def test_a_process_that_is_killed_ends_the_others_and_as_many_or_fewer_resume(
    count, devices, victim, later, alone, tmp_path
):
    path, whole = alone
    ready, workdir = tmp_path / "ready", tmp_path / "sweep"
    patch = {victim: STILL.format(ready=str(ready))}
    options = SETTINGS | {"devices": devices}
    with started(path, workdir, count, patches=patch, **options) as processes:
        wait_for(lambda: ready.exists() and len(_lines(workdir)) >= CELLS // 2, processes[victim])
        processes[victim].send_signal(signal.SIGKILL)
        said = [process.communicate(timeout=120)[1] for process in processes]
        statuses = [process.returncode for process in processes]
    assert statuses.pop(victim) == -signal.SIGKILL
    assert statuses == [LOST] * (count - 1), said
    del said[victim]
    for error in said:  # JAX may have lines of its own around it
        lines = [line for line in error.splitlines() if "rerun the same command" in line]
        assert lines, error
        assert all("another process of the sweep" in line for line in lines)
    kept = rows(workdir)
    assert 0 < len(kept) < CELLS
    ended = run_together(path, workdir, later, **options)
    assert [status for status, _, _ in ended] == [0] * later, ended
    _assert_same(workdir, path, whole)
    assert kept.items() <= rows(workdir).items()


def _lines(workdir):
    path = workdir / "results.jsonl"
    return path.read_bytes().splitlines() if path.exists() else []


@pytest.mark.slow
@pytest.mark.parametrize("failing", [0, 1])
def test_an_error_of_one_process_is_told_to_the_other(failing, tmp_path):
    path, workdir = write_features(tmp_path), tmp_path / "sweep"
    if failing == 0:  # of what process 0 alone reads
        workdir.mkdir()
        (workdir / "results.jsonl").write_text('{"a": 1}\n')
        own, why = {}, "is not the result of a cell"
    else:
        own, why = {1: {"path": tmp_path / "nowhere.npz"}}, "there is no file"
    found = run_together(path, workdir, 2, own=own)
    assert found[failing][0] == INPUT
    assert found[1 - failing][0] == LOST
    for status, said, error in found:
        assert why in error
        assert error.count("\n") == 1
        assert "┃" not in said
        assert (f"process {failing} of the sweep has ended" in error) == (status == LOST)


@pytest.mark.slow
def test_processes_with_different_plans_are_refused(tmp_path):
    path, workdir = write_features(tmp_path), tmp_path / "sweep"
    found = run_together(path, workdir, 2, own={1: {"sweep__seed": "(0,1,2)"}})
    assert [status for status, _, _ in found] == [INPUT, INPUT], found
    for _, _, error in found:
        assert "process 1 and process 0 of the sweep have different plans; fix: " in error
    assert not workdir.exists()


@pytest.mark.slow
def test_a_process_that_waits_for_another_in_vain_ends_in_a_line(tmp_path):
    waits = {0: {"distributed__processes": 2, "distributed__start_seconds": 2}}
    ((status, said, error),) = run_together(write_features(tmp_path), tmp_path / "sweep", 1, own=waits)
    assert (status, said) == (INPUT, "")
    assert (
        "the processes did not find each other; fix: start all 2 within 2 seconds" in error.splitlines()[-1]
    )
    assert not (tmp_path / "sweep").exists()


CONTRADICTIONS = {
    "half an address": (ADDRESS | {"distributed.processes": None}, "distributed.processes is missing"),
    "no address": (ADDRESS | {"distributed.coordinator": None}, "distributed.coordinator is missing"),
    "a number too high": (
        ADDRESS | {"distributed.process": 2},
        "distributed.process: 2 processes have the numbers 0 to 1, not 2",
    ),
    "found and given": (
        {"distributed.auto": True, "distributed.process": 1},
        "distributed.auto: JAX finds coordinator, processes and process itself",
    ),
    "a part of a sweep": (ADDRESS | {"shard": "1/2"}, "shard: parts run in processes of their own"),
    "a part, found": (
        {"distributed.auto": True, "shard": "1/2"},
        "shard: parts run in processes of their own",
    ),
    "no port": (ADDRESS | {"distributed.coordinator": "node001"}, "distributed.coordinator: takes HOST:PORT"),
    "no host": (ADDRESS | {"distributed.coordinator": ":1234"}, "distributed.coordinator: takes HOST:PORT"),
    "a wrong port": (ADDRESS | {"distributed.coordinator": "a:70000"}, "distributed.coordinator: takes"),
    "a link": (ADDRESS | {"distributed.coordinator": "http://a:1"}, "distributed.coordinator: takes"),
}


@pytest.mark.parametrize(("changes", "said"), CONTRADICTIONS.values(), ids=CONTRADICTIONS.keys())
def test_settings_that_contradict_each_other_are_refused(changes, said, launch, tmp_path, capsys):
    make_data(tmp_path)
    config = put(tiny_config(tmp_path), changes)
    assert refusal(launch, tmp_path, capsys, config).startswith(said)


def test_a_port_in_use_is_refused(launch, tmp_path, capsys):
    make_data(tmp_path)
    with free_port() as port:
        config = put(tiny_config(tmp_path), ADDRESS | {"distributed.coordinator": f"127.0.0.1:{port}"})
        refused = refusal(launch, tmp_path, capsys, config)
    assert refused.startswith(f"distributed.coordinator: port {port} cannot be used (")


class Store:
    """The coordination service as its clients see it, for threads of one process."""

    def __init__(self):
        self.there = {}

    def key_value_set(self, key, value, allow_overwrite=False):
        if key in self.there and not allow_overwrite:
            raise RuntimeError("ALREADY_EXISTS")
        self.there[key] = value

    def key_value_try_get(self, key):
        if key not in self.there:
            raise RuntimeError("NOT_FOUND")
        return self.there[key]

    def blocking_key_value_get(self, key, milliseconds):
        threading.Event().wait(milliseconds / 1e5)
        if key not in self.there:
            raise RuntimeError("DEADLINE_EXCEEDED: in time")
        return self.there[key]

    def key_value_dir_get(self, key):
        return [one for one in list(self.there.items()) if one[0].startswith(f"{key}/")]


def _in_threads(*works):
    found = [None] * len(works)

    def run(place):
        try:
            found[place] = works[place]()
        except Exception as error:
            found[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


def test_processes_hear_what_process_0_says_in_its_order():
    store = Store()
    three = [Processes(store, index, 3) for index in range(3)]
    says = [[1.5, None, float("inf")], "é" * (PIECE + 5), {"a": ["b"]}]

    def all_of(one):
        return lambda: [one.told(value if one.index == 0 else "ignored") for value in says]

    assert _in_threads(*map(all_of, three)) == [says] * 3
    assert [leads(one) for one in three] == [True, False, False]
    assert leads(None)
    assert told(None, says) is says


def test_different_values_are_an_error_in_all_processes():
    store = Store()
    three = [Processes(store, index, 3) for index in range(3)]
    assert _in_threads(*(lambda one=one: one.check_same("a", "plans") for one in three)) == [None] * 3
    found = _in_threads(*(lambda one=one: one.check_same("ab"[one.index > 1], "plans") for one in three))
    assert {str(error) for error in found if isinstance(error, InputError)} == {str(found[0])}
    assert str(found[0]).startswith("process 2 and process 0 of the sweep have different plans; fix: ")


def test_who_waits_hears_of_an_error_elsewhere():
    store = Store()
    three = [Processes(store, index, 3) for index in range(3)]

    def waits(one):
        def work():
            try:
                one.told()
            except ProcessLost as error:
                one.leave(error)
                raise

        return work

    found = _in_threads(lambda: three[0].leave(ValueError("two\nlines")), waits(three[1]), waits(three[2]))
    assert found[0] is None
    assert [str(error) for error in found[1:]] == ["process 0 of the sweep has ended (two lines)"] * 2
