"""Event files of TensorBoard, read back by TensorBoard itself: they say what `results.jsonl` says, each cell once."""

import math
import sys
from importlib.machinery import PathFinder

import numpy as np
import pytest
from cells import result
from rows import rewrite, rows_of
from small_sweeps import configured, write_features

from zsh_jax.commands.sweep import run_sweep
from zsh_jax.errors import InputError
from zsh_jax.tracking import tensorboard as events
from zsh_jax.tracking.history import append_history, read_history
from zsh_jax.tracking.results import append_results, cell_id, open_results

SWEEP = {"sweep__method": "('itq','lsh')", "sweep__seed": "(0,1,2)", "sweep__bits": "(4,)"}


@pytest.fixture
def board():
    return pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")


def _runs(board, workdir):
    """Every run below a workdir by its `cell_id`: its scalars by tag, its settings, its group and status."""
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    found = {}
    for folder in (workdir / "tensorboard").iterdir():
        (file,) = folder.iterdir()
        every = {"scalars": 0, "tensors": 0}
        reader = board.EventAccumulator(str(file), size_guidance=every)
        reader.Reload()
        scalars = {
            tag: {event.step: event.value for event in reader.Scalars(tag)}
            for tag in reader.Tags()["scalars"]
        }
        stated = {
            tag: HParamsPluginData.FromString(content)
            for tag, content in reader.PluginTagToContent("hparams").items()
        }
        start = stated["_hparams_/session_start_info"].session_start_info
        settings = {key: getattr(value, value.WhichOneof("kind")) for key, value in start.hparams.items()}
        status = stated["_hparams_/session_end_info"].session_end_info.status
        cell = folder.name.rpartition("-")[2]
        assert cell not in found
        found[cell] = (scalars, settings, start.group_name, status)
    return found


def _same(found, expected):
    expected = [math.nan if one is None else one for one in expected]
    np.testing.assert_array_equal(np.float32(found), np.float32(expected))


def _assert_says_what_rows_say(board, workdir):
    rows = rows_of(workdir / "results.jsonl")
    histories = read_history(workdir / "history.jsonl").by_cell
    runs = _runs(board, workdir)
    assert runs.keys() == {row["cell_id"] for row in rows}
    groups = {}
    for row in rows:
        scalars, settings, group, status = runs[row["cell_id"]]
        keys = list(row)
        identity, outcome = keys[: keys.index("cell_id")], keys[keys.index("cell_id") + 1 :]
        apart = {key for key in identity if key.startswith("fingerprint_")} | {"seed", "unseen"}
        assert settings == {key: row[key] if row[key] is not None else "" for key in set(identity) - apart}
        groups.setdefault(tuple(sorted(settings.items())), set()).add(group)
        assert status == (2 if row["status"] == "non_finite" else 1)
        traces = {name: values for name, values in histories[row["cell_id"]].items() if values}  # lsh: empty
        expected = {f"history/{name}" for name in traces}
        for name, values in traces.items():
            assert list(scalars[f"history/{name}"]) == list(range(1, len(values) + 1))
            _same([*scalars[f"history/{name}"].values()], values)
        for key in outcome:
            value = row[key]
            if isinstance(value, list) and key != "cutoffs":
                steps = row["cutoffs"] if "_at" in key else range(len(value))
                assert list(scalars.get(f"curves/{key}", {})) == list(steps)
                _same([*scalars.get(f"curves/{key}", {}).values()], value)
                expected |= {f"curves/{key}"} if value else set()
            elif not isinstance(value, str | list) and key != "commit":
                _same([*scalars[f"metrics/{key}"].values()], [value])
                expected.add(f"metrics/{key}")
        assert scalars.keys() == expected
    assert all(len(names) == 1 for names in groups.values())
    assert len({name for names in groups.values() for name in names}) == len(groups)


def _saved(workdir, results):
    opened = open_results(workdir, {})
    (workdir / "history.jsonl").touch()
    append_history(workdir, results)
    append_results(opened, results)


def test_event_files_say_what_rows_and_histories_say(board, tmp_path):
    results = [
        result(0),
        result(1),
        result(0, 128),
        result(0, variant="one", alpha=1e-3),
        result(2, failed=True),
    ]
    _saved(tmp_path, results)
    events.write_events(tmp_path, "sweep", results)
    _assert_says_what_rows_say(board, tmp_path)
    cells = {cell_id(one.cell) for one in results}
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("events.*")}
    assert events.write_missing_events(tmp_path, "sweep", cells) == 0, "rows on disk are those in memory"
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("events.*")} == before


def test_what_is_missing_or_of_other_results_is_written_at_the_next_start(board, tmp_path):
    results = [result(seed) for seed in range(3)]
    _saved(tmp_path, results)
    cells = {cell_id(one.cell) for one in results[:2]}
    assert events.write_missing_events(tmp_path, "sweep", cells) == 2
    assert _runs(board, tmp_path).keys() == cells
    rewrite(tmp_path / "results.jsonl", lambda number, row: row | ({"seconds": 9.0} if number == 1 else {}))
    cells = {cell_id(one.cell) for one in results}
    assert events.write_missing_events(tmp_path, "sweep", cells) == 2
    _assert_says_what_rows_say(board, tmp_path)


def test_a_sweep_that_dies_between_results_and_event_files_has_each_cell_once_in_the_end(
    board, tmp_path, monkeypatch
):
    path, workdir = write_features(tmp_path / "features.npz"), tmp_path / "sweep"
    config = configured(path, workdir, tensorboard="True", **SWEEP)
    write, written = events._write, []

    def dies(*args):
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(args)
        write(*args)

    with monkeypatch.context() as patch:
        patch.setattr(events, "_write", dies)
        with pytest.raises(KeyboardInterrupt):
            run_sweep(config)
    assert len(_runs(board, workdir)) == 2
    rows = run_sweep(config)
    assert len(rows) == 6
    _assert_says_what_rows_say(board, workdir)
    plain = run_sweep(configured(path, tmp_path / "plain", **SWEEP))
    assert not (tmp_path / "plain" / "tensorboard").exists()
    own = ("cell_id", "mean_average_precision")
    assert [[row[key] for key in own] for row in rows] == [[row[key] for key in own] for row in plain]


def test_without_the_package_it_is_told_before_anything_runs(tmp_path, monkeypatch):
    path = write_features(tmp_path / "features.npz")
    find = PathFinder.find_spec
    for name in [name for name in sys.modules if name.split(".")[0] == "tensorboard"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(
        PathFinder, "find_spec", lambda name, *rest: None if name == "tensorboard" else find(name, *rest)
    )
    with pytest.raises(InputError, match=r"tensorboard is not installed; fix: pip install .*\[tensorboard\]"):
        run_sweep(configured(path, tmp_path / "sweep", tensorboard="True"))
    assert not (tmp_path / "sweep").exists()
