"""The results folder: rows survive whatever ends a run, and no other file is mistaken for ours."""

import json
import math
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from cells import identity, result
from rows import rows_of

from zsh_jax.errors import InputError
from zsh_jax.sweep.searches import NO_OTHERS, Searching
from zsh_jax.tracking.results import (
    append_results,
    cell_id,
    check_evaluation,
    check_workdir,
    open_results,
    read_results,
)

CONFIG = {"name": "sweep", "sweep": {"bits": (16, 32)}}


def _file(workdir):
    return workdir / "results.jsonl"


def _same(one, other):
    """Equal, NaN being equal to NaN."""
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other or (one != one and other != other)


def test_the_id_depends_on_values_alone():
    cell = identity()
    assert cell_id(dict(reversed(cell.items()))) == cell_id(cell)
    assert cell_id(cell | {"lam": np.float64(0.01), "seed": np.int32(0), "gamma": -0.0}) == cell_id(cell)
    assert cell_id(cell | {"lam": 1}) == cell_id(cell | {"lam": 1.0})
    assert cell_id(json.loads(json.dumps(cell))) == cell_id(cell)


def test_the_id_tells_cells_apart():
    cells = [
        identity(seed, bits, lam=lam) for seed in range(5) for bits in (16, 32) for lam in (0.01, 0.1, 1, 1e9)
    ]
    cells += [
        identity(unseen="a"),
        identity(unseen=None),
        identity(flag=True),
        identity(flag=1),
        identity(flag="1"),
    ]
    assert len({cell_id(cell) for cell in cells}) == len(cells)
    nearly = math.nextafter(0.01, 1)
    assert cell_id(identity(lam=nearly)) != cell_id(identity())


def test_the_id_is_the_same_in_another_process():
    script = f"from zsh_jax.tracking.results import cell_id; print(cell_id({identity()!r}))"
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    output = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment
    )
    assert output.stdout.strip() == cell_id(identity())


@pytest.mark.parametrize("value", [math.nan, math.inf, [1, 2], np.ones(2)])
def test_no_id_for_what_is_no_identity(value):
    with pytest.raises(ValueError, match="lam"):
        cell_id(identity(lam=value))


def test_rows_are_identity_then_id_then_metrics_and_come_back_as_they_were(tmp_path):
    results = [result(seed, bits) for seed in range(3) for bits in (16, 32)]
    opened = open_results(tmp_path / "deep" / "down", CONFIG)
    append_results(opened, results[:4])
    append_results(opened, results[4:])
    lines = rows_of(opened.path)
    assert len(lines) == len(results)
    for line, row, given in zip(lines, read_results(opened.path), results, strict=True):
        assert row == line == {**given.cell, "cell_id": cell_id(given.cell), **given.metrics}
        assert list(line) == [*given.cell, "cell_id", *given.metrics]


def test_numbers_that_are_not_finite_are_null_in_the_file_and_nan_when_read(tmp_path):
    def no_constant(name):
        raise AssertionError(f"{name} is not JSON")

    given = result(failed=True, unseen=None)
    given.metrics["objective"] = math.inf
    opened = open_results(tmp_path, CONFIG)
    append_results(opened, [given])
    row = json.loads(opened.path.read_text(), parse_constant=no_constant)
    assert row["mean_average_precision"] is None
    assert row["objective"] is None
    assert row["precision_curve"] == [None] * 17
    (read,) = read_results(opened.path)
    assert math.isnan(read["objective"])
    assert _same(read["mean_average_precision"], math.nan)
    assert _same(read["precision_curve"], given.metrics["precision_curve"])
    assert read["unseen"] is None


def test_arrays_and_numpy_scalars_are_plain_in_the_file(tmp_path):
    given = result()
    plain = dict(given.metrics)
    given.metrics["precision_at"] = np.asarray(plain["precision_at"])
    given.metrics["iterations"] = np.int32(plain["iterations"])
    given.metrics["mean_average_precision"] = np.float64(plain["mean_average_precision"])
    opened = open_results(tmp_path, CONFIG)
    append_results(opened, [given])
    (read,) = read_results(opened.path)
    assert {key: read[key] for key in plain} == plain


def test_a_rerun_keeps_what_is_done_and_adds_what_is_missing(tmp_path):
    cells = [result(seed) for seed in range(4)]
    first = open_results(tmp_path, CONFIG)
    assert not first.done
    after = append_results(first, cells[:2])
    again = open_results(tmp_path, CONFIG | {"name": "another"})
    assert again.done == after.done == {cell_id(cell.cell) for cell in cells[:2]}
    append_results(again, cells[2:])
    assert [row["seed"] for row in read_results(_file(tmp_path))] == [0, 1, 2, 3]


def test_of_two_lines_of_one_cell_the_later_counts(tmp_path):
    early, late = result(3), result(3)
    late.metrics["seconds"] = 99.0
    opened = open_results(tmp_path, CONFIG)
    append_results(opened, [early, result(4), late])
    rows = {row["seed"]: row["seconds"] for row in read_results(opened.path)}
    assert rows == {3: 99.0, 4: 0.125}


@pytest.mark.parametrize("share", [0.01, 0.3, 0.999])
def test_a_last_line_cut_short_is_moved_aside_with_one_line_of_warning(tmp_path, capsys, share):
    append_results(open_results(tmp_path, CONFIG), [result(0), result(1)])
    whole = _file(tmp_path).read_bytes()
    last = len(whole.splitlines(keepends=True)[-1])
    cut = len(whole) - last + max(1, int(share * (last - 2)))
    _file(tmp_path).write_bytes(whole[:cut])
    assert [row["seed"] for row in read_results(_file(tmp_path))] == [0]
    capsys.readouterr()
    opened = open_results(tmp_path, CONFIG)
    assert capsys.readouterr().err.count("\n") == 1
    assert (tmp_path / "results.damaged.jsonl").read_bytes() == whole[len(whole) - last : cut] + b"\n"
    assert opened.done == {cell_id(identity(0))}
    append_results(opened, [result(1)])
    assert _file(tmp_path).read_bytes() == whole


def test_a_last_line_that_lacks_only_its_end_of_line_is_kept(tmp_path, capsys):
    append_results(open_results(tmp_path, CONFIG), [result(0)])
    whole = _file(tmp_path).read_bytes()
    _file(tmp_path).write_bytes(whole[:-1])
    assert open_results(tmp_path, CONFIG).done == {cell_id(identity(0))}
    assert _file(tmp_path).read_bytes() == whole
    assert not capsys.readouterr().err


def test_a_killed_writer_leaves_whole_rows(tmp_path):
    """Killed at no particular time, over and over: what is there afterwards are the first rows of what was written."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[2])\n"
        "from cells import result\n"
        "from zsh_jax.tracking.results import append_results, open_results\n"
        "opened = open_results(sys.argv[1], {})\n"
        "print(flush=True)\n"
        "for seed in range(10**6): append_results(opened, [result(2 * seed, 128), result(2 * seed + 1, 128)])\n"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path), os.path.dirname(__file__)], stdout=subprocess.PIPE
    )
    with writer:
        writer.stdout.readline()
        while not _file(tmp_path).stat().st_size > 20_000:
            assert writer.poll() is None
        writer.send_signal(signal.SIGKILL)
    opened = open_results(tmp_path, CONFIG)
    seeds = [row["seed"] for row in read_results(opened.path)]
    assert seeds == list(range(len(seeds)))
    assert len(seeds) == len(opened.done) > 2


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    opened = append_results(open_results(tmp_path, CONFIG), [result(0)])
    before = opened.path.read_bytes()
    written = []

    def no_room(descriptor):
        written.append(opened.path.stat().st_size)
        raise OSError("no room")

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(OSError, match="no room"):
        append_results(opened, [result(1)])
    assert written[0] > len(before)
    assert opened.path.read_bytes() == before


FOREIGN = {
    "not JSON": (b"hello\n", "is not JSON"),
    "not JSON, no end of line": (b"hello", "is not JSON"),
    "another's rows": (b'{"loss": 1.0}\n', "has no cell_id"),
    "another's torn row": (b'{"loss": 1.', "is not JSON"),
    "a list": (b"[1, 2]\n", "is not JSON"),
    "nested too deep": (b"[" * 100_000, "is not JSON"),
    "bytes": (b"\xff\xfe\x00\n", "is not JSON"),
    "an id of nothing": (b'{"cell_id": "0123456789abcdef"}\n', "has a cell_id that does not match"),
}


@pytest.mark.parametrize(("content", "said"), FOREIGN.values(), ids=FOREIGN)
def test_a_file_without_a_line_of_ours_is_somebody_else_s_and_left_alone(tmp_path, content, said):
    _file(tmp_path).write_bytes(content)
    for read in (
        lambda: check_workdir(tmp_path),
        lambda: open_results(tmp_path, CONFIG),
        lambda: read_results(_file(tmp_path)),
    ):
        with pytest.raises(InputError, match=rf"results\.jsonl, line 1 {said}") as caught:
            read()
        assert "\n" not in str(caught.value)
    assert _file(tmp_path).read_bytes() == content
    assert list(tmp_path.iterdir()) == [_file(tmp_path)]


def test_a_workdir_that_cannot_be_written_to_is_named(tmp_path):
    taken = tmp_path / "file"
    taken.write_text("mine")
    for workdir in (taken, taken / "below"):
        with pytest.raises(InputError, match="choose another --config"):
            open_results(workdir, CONFIG)
    assert taken.read_text() == "mine"
    _file(tmp_path).mkdir()
    with pytest.raises(InputError, match="choose another --config"):
        open_results(tmp_path, CONFIG)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to the superuser")
def test_a_read_only_workdir_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="choose another --config"):
        open_results(tmp_path, CONFIG)


def test_config_is_the_latest_and_earlier_ones_are_kept(tmp_path):
    configs = [CONFIG, {"name": "second"}, CONFIG, CONFIG, {"name": "third"}]
    for config in configs:
        open_results(tmp_path, config)
    latest = json.loads((tmp_path / "config.json").read_text())
    earlier = [json.loads(path.read_text()) for path in tmp_path.glob("config-*.json")]
    assert latest == {"name": "third"}
    assert sorted(config["name"] for config in earlier) == ["second", "sweep"]
    assert next(c for c in earlier if c["name"] == "sweep") == {"name": "sweep", "sweep": {"bits": [16, 32]}}
    assert {path.name for path in tmp_path.iterdir()} >= {"config.json", "results.jsonl"}
    assert len(list(tmp_path.iterdir())) == 4  # nothing temporary is left


def test_reading_what_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"workdir of a sweep"):
        read_results(_file(tmp_path))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"cutoffs": (5,)},
            r"evaluation\.cutoffs \(100, 1000\), not \(5,\); .* --config\.evaluation\.cutoffs to \(100, 1000\)$",
        ),
        (
            {"seen_queries": 7},
            r"evaluation\.seen_queries 0, not 7; .* --config\.evaluation\.seen_queries to 0$",
        ),
        (
            {"searching": Searching(("asymmetric",))},
            r"evaluation\.search \(\), not \('asymmetric',\); .* --config\.evaluation\.search to \(\)$",
        ),
    ],
    ids=["cut-offs", "seen queries", "searches"],
)
def test_cells_evaluated_otherwise_are_not_taken_for_these(tmp_path, changes, said):
    results = append_results(open_results(tmp_path, CONFIG), [result(0), result(1)])
    asked = {"cutoffs": (100, 1000), "seen_queries": 0}
    check_evaluation(tmp_path, results.done, **asked)
    check_evaluation(tmp_path, {"another cell"}, **asked | changes)
    check_evaluation(tmp_path / "nowhere", results.done, **asked | changes)
    with pytest.raises(InputError, match=said):
        check_evaluation(tmp_path, results.done, **asked | changes)


@pytest.mark.parametrize(
    ("searching", "said"),
    [
        (NO_OTHERS, r"evaluation\.search \('asymmetric', 'rescored'\), not \(\);"),
        (
            Searching(("rescored",), 7),
            r"evaluation\.search \('asymmetric', 'rescored'\), not \('rescored',\);",
        ),
        (
            Searching(("asymmetric", "rescored"), 8),
            r"evaluation\.rescored 7, not 8; .*\.evaluation\.rescored to 7$",
        ),
    ],
    ids=["none", "fewer", "more items"],
)
def test_cells_with_other_searches_are_not_taken_for_these(tmp_path, searching, said):
    made = result(0)
    searched = {"mean_average_precision_asymmetric": 0.5, "mean_average_precision_rescored": float("nan")}
    made = made._replace(metrics=made.metrics | searched | {"rescored": 7})
    results = append_results(open_results(tmp_path, CONFIG), [made])
    asked = {"cutoffs": (100, 1000), "seen_queries": 0}
    check_evaluation(tmp_path, results.done, **asked, searching=Searching(("asymmetric", "rescored"), 7))
    with pytest.raises(InputError, match=said):
        check_evaluation(tmp_path, results.done, **asked, searching=searching)
