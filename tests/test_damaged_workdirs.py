"""Damage in a workdir: found wherever it is, never used, never lost, and made good by the same command."""

import json
import random

import jax
import numpy as np
import pytest
from cells import hash_function, identity, joint_hash_function, result
from rows import outcome, rewrite, rows_of
from small_sweeps import arguments, write_features

from zsh_jax import Dictionary, load, save
from zsh_jax.errors import InputError
from zsh_jax.report.__main__ import main as report
from zsh_jax.tracking.history import append_history, check_history, open_history, read_history
from zsh_jax.tracking.models import is_whole_model, model_path
from zsh_jax.tracking.results import (
    append_results,
    cell_id,
    check_workdir,
    open_results,
    read_results,
    read_rows,
)

CELLS = [cell_id(identity(seed)) for seed in range(3)]


def _workdir(folder):
    batch = [result(seed) for seed in range(3)]
    opened = open_results(folder, {})
    open_history(folder)
    append_history(folder, batch)
    return append_results(opened, batch).path


def _flips(content, count):
    """Every digit, and some other bits."""
    digits = [place for place, byte in enumerate(content) if chr(byte).isdigit()]
    for place in digits:
        yield place, bytes([ord("0") + (content[place] - ord("0") + 1) % 10])
    rng = random.Random(0)
    for place in rng.sample(range(len(content)), count):
        yield place, bytes([content[place] ^ (1 << rng.randrange(8))])


@pytest.mark.parametrize("name", ["results.jsonl", "history.jsonl"])
def test_any_flipped_digit_or_bit_of_a_line_is_found(tmp_path, name):
    _workdir(tmp_path)
    path = tmp_path / name
    lines = path.read_bytes().splitlines(keepends=True)
    for place, byte in _flips(lines[1][:-1], 200):
        damaged = lines[1][:place] + byte + lines[1][place + 1 :]
        path.write_bytes(lines[0] + damaged + lines[2])
        if name == "results.jsonl":
            rows = read_rows(path)
            found = [row["cell_id"] for row in rows.rows], rows.damaged > 0
        else:
            histories = read_history(path)
            found = list(histories.by_cell), histories.damaged > 0
        assert found == ([CELLS[0], CELLS[2]], True), (place, byte)


WITH_DICTIONARY = hash_function()._replace(
    class_head=Dictionary(np.eye(12, 3, dtype=np.float32), np.arange(8, dtype=np.uint8).reshape(4, 2))
)


@pytest.mark.parametrize("model", [WITH_DICTIONARY, joint_hash_function()], ids=["kernel", "joint"])
def test_any_flipped_digit_or_bit_of_a_model_is_found(tmp_path, model):
    path = model_path(tmp_path, cell_id(identity()))
    save(path, model, identity())
    assert is_whole_model(path)
    content = path.read_bytes()
    header = 8 + int.from_bytes(content[:8], "little")
    blanks = set(
        range(len(content[:header].rstrip(b" ")), header)
    )  # of which JSON reads as many as there are
    for place, byte in _flips(content, 300):
        if place not in blanks:
            path.write_bytes(content[:place] + byte + content[place + 1 :])
            assert not is_whole_model(path), place
    for cut in (0, 7, 100, header, len(content) - 1):
        path.write_bytes(content[:cut])
        assert not is_whole_model(path)
    path.write_bytes(content)
    assert is_whole_model(path)
    assert not is_whole_model(path.rename(model_path(tmp_path, CELLS[1])))


def test_a_damaged_array_of_a_model_is_not_loaded(tmp_path):
    path = tmp_path / "model.safetensors"
    save(path, hash_function(), identity())
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="is damaged: its checksum is wrong"):
        load(path)


def _deep(row):
    return json.dumps(row)[:-1].encode() + b', "x": ' + b"[" * 100_000


DAMAGE = {
    "a string for a number": lambda row: json.dumps(row | {"mean_average_precision": "0.5"}).encode(),
    "null for a list": lambda row: json.dumps(row | {"cutoffs": None}).encode(),
    "a list for a number": lambda row: json.dumps(row | {"seconds": [1]}).encode(),
    "a dict": lambda row: json.dumps(row | {"objective": {"a": 1}}).encode(),
    "not a number": lambda row: json.dumps(row | {"objective": float("nan")}).encode(),
    "beyond any number": lambda row: (
        json.dumps(row).encode().replace(b'"iterations": 4', b'"iterations": 1e999')
    ),
    "a number of many digits": lambda row: json.dumps(row | {"iterations": 10**400}).encode(),
    "nested too deep": _deep,
    "not UTF-8": lambda row: json.dumps(row).encode().replace(b"converged", b"conv\xffrged"),
    "zeros": lambda row: b"\0" * 4096,
    "another's row": lambda row: b'{"loss": 1.0}',
    "another's id": lambda row: json.dumps(row | {"cell_id": "0123456789abcdef"}).encode(),
    "an id of another type": lambda row: json.dumps(row | {"cell_id": 3}).encode(),
    "not JSON": lambda row: b"hello",
    "two lines in one": lambda row: json.dumps(row).encode() * 2,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_line_of_another_kind_among_ours_is_left_out_by_readers_and_moved_aside_by_a_sweep(
    tmp_path, capsys, damage
):
    path = _workdir(tmp_path)
    lines = path.read_bytes().splitlines()
    lines[1] = damage(rows_of(path)[1])
    path.write_bytes(b"\n".join(lines) + b"\n")
    content = path.read_bytes()
    assert [row["seed"] for row in read_results(path)] == [0, 2]
    assert path.read_bytes() == content
    capsys.readouterr()
    opened = open_results(tmp_path, {})
    assert opened.done == {CELLS[0], CELLS[2]}
    assert "1 damaged line of" in capsys.readouterr().err
    assert (tmp_path / "results.damaged.jsonl").read_bytes() == lines[1] + b"\n"
    append_results(opened, [result(1)])
    assert sorted(row["seed"] for row in rows_of(path)) == [0, 1, 2]
    open_results(tmp_path, {})
    assert not capsys.readouterr().err


def test_damage_of_two_starts_is_kept(tmp_path):
    path = _workdir(tmp_path)
    for start in range(2):
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(lines[0][:50] + b"\n" + b"".join(lines[1:]))
        assert len(open_results(tmp_path, {}).done) == 2 - start
    assert len((tmp_path / "results.damaged.jsonl").read_bytes().splitlines()) == 2


@pytest.mark.parametrize("cut", [1, 5, 40, 400, -1, -20])
def test_a_file_of_which_nothing_is_left_but_a_torn_line_is_ours_still(tmp_path, cut):
    path = _workdir(tmp_path)
    torn = path.read_bytes().splitlines(keepends=True)[0][:-1][:cut]
    path.write_bytes(torn)
    check_workdir(tmp_path)
    assert not open_results(tmp_path, {}).done
    assert path.read_bytes() == b""
    assert (tmp_path / "results.damaged.jsonl").read_bytes() == torn + b"\n"


def test_a_disk_that_is_full_while_lines_are_moved_loses_none(tmp_path, monkeypatch):
    path = _workdir(tmp_path)
    content = path.read_bytes()[:-30]
    path.write_bytes(content)

    def no_room(descriptor):
        raise OSError(28, "no room")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", no_room)
        with pytest.raises(OSError, match="no room"):
            open_results(tmp_path, {})
    assert path.read_bytes() == content
    assert len(open_results(tmp_path, {}).done) == 2


def test_a_history_without_a_line_of_ours_is_somebody_else_s_unless_there_are_results(tmp_path, capsys):
    path = tmp_path / "history.jsonl"
    path.write_text("mine\n")
    with pytest.raises(InputError, match=r"history\.jsonl, line 1 is not the history of a cell"):
        check_history(tmp_path)
    _workdir(tmp_path / "other")
    (tmp_path / "other" / "results.jsonl").rename(tmp_path / "results.jsonl")
    check_history(tmp_path)
    assert open_history(tmp_path) == set()
    assert "1 damaged line" in capsys.readouterr().err
    assert (tmp_path / "history.damaged.jsonl").read_text() == "mine\n"


def test_a_report_leaves_damage_out_and_says_so_in_one_line_a_file(tmp_path, capsys):
    _workdir(tmp_path)
    for name in ("results.jsonl", "history.jsonl"):
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(
            content.replace(b'"cell_id": "', b'"cell_id": "0', 1) + b"\xff[[[[\n{\n"
        )
    assert report([str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        f"zsh_jax: 3 damaged lines of {tmp_path / name} skipped"
        for name in ("results.jsonl", "history.jsonl")
    ]
    assert said.out == f"{tmp_path / 'out' / 'index.html'}\n"


@pytest.fixture(scope="module")
def swept(tmp_path_factory, launch):
    """A sweep that keeps its models, and the command for it."""
    folder = tmp_path_factory.mktemp("swept")
    write_features(folder / "data.npz")

    def run(workdir):
        given = {"sweep__seed": "(0,1,2,3)", "sweep__method": "('zsh',)", "save_models": True}
        return launch.main(arguments(folder / "data.npz", workdir, **given))

    assert run(folder / "whole") == 0
    return folder / "whole", run


def _state(workdir):
    """What has to be equal, however often a sweep was damaged."""
    rows = {row["cell_id"]: outcome(row) for row in rows_of(workdir / "results.jsonl")}
    histories = read_history(workdir / "history.jsonl")
    assert not histories.damaged
    models = {}
    for path in (workdir / "models").iterdir():
        assert is_whole_model(path)
        models[path.stem] = [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(load(path))]
    return rows, histories.by_cell, models


def test_the_same_command_makes_good_whatever_was_damaged(swept, tmp_path, capsys):
    whole, run = swept
    assert run(tmp_path) == 0
    expected = _state(whole)
    assert _state(tmp_path) == expected
    first, second, third, fourth = expected[0]

    def spoil(path, change):
        path.write_bytes(change(path.read_bytes()))

    models = {cell: model_path(tmp_path, cell) for cell in expected[0]}
    spoil(tmp_path / "results.jsonl", lambda content: content[:-100])
    spoil(tmp_path / "history.jsonl", lambda content: b"".join(content.splitlines(keepends=True)[1:])[:-9])
    spoil(models[first], lambda content: content[: len(content) // 2])
    spoil(models[second], lambda content: models[third].read_bytes())
    spoil(models[third], lambda content: b"")
    models[fourth].unlink()
    capsys.readouterr()
    assert run(tmp_path) == 0
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 3
    assert (
        "2 damaged models" in said.err
    )  # the first cell runs again for its history, the last has no model at all
    assert "finished cells, skipped" not in said.out
    assert _state(tmp_path) == expected
    before = (tmp_path / "results.jsonl").read_bytes()
    assert run(tmp_path) == 0
    assert (tmp_path / "results.jsonl").read_bytes() == before
    assert "finished cells, skipped: 4" in capsys.readouterr().out


def test_a_history_that_was_lost_is_made_again_even_if_the_next_start_is_killed(swept, tmp_path):
    whole, run = swept
    assert run(tmp_path) == 0
    path = tmp_path / "history.jsonl"
    path.write_bytes(path.read_bytes().replace(b"1", b"2", 3))
    open_results(tmp_path, {})
    open_history(tmp_path)  # the start that moves the lines, and then is killed
    assert run(tmp_path) == 0
    assert _state(tmp_path) == _state(whole)


def test_results_without_histories_are_not_run_again(swept, tmp_path):
    """Whoever takes `history.jsonl` away, or copies the results alone, has not lost it by damage."""
    whole, run = swept
    content = (whole / "results.jsonl").read_bytes()
    (tmp_path / "results.jsonl").write_bytes(content)
    for path in (whole / "models").iterdir():
        (tmp_path / "models").mkdir(exist_ok=True)
        (tmp_path / "models" / path.name).write_bytes(path.read_bytes())
    for _ in range(2):
        assert run(tmp_path) == 0
        assert (tmp_path / "results.jsonl").read_bytes() == content


def test_a_row_that_was_edited_and_signed_anew_is_taken_by_its_types(tmp_path):
    path = _workdir(tmp_path)
    rewrite(path, lambda number, row: row | ({"seconds": "1"} if number == 1 else {}))
    assert [row["seed"] for row in read_results(path)] == [0, 2]
