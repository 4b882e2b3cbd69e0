"""Workdirs of older versions (`old_workdir` is one of commit 4d1a34c): reports say that they are old, none is mixed."""

import json
import shutil
from pathlib import Path

import pytest
from cells import hash_function, identity, result
from safetensors.numpy import load_file, save_file
from small_sweeps import arguments, write_features

from zsh_jax import load, save
from zsh_jax.errors import InputError
from zsh_jax.report.__main__ import main as report
from zsh_jax.report.read import read_sweeps
from zsh_jax.tracking.results import append_results, open_results

SAMPLE = Path(__file__).parent / "old_workdir"
SAID = "older version of zsh_jax"


@pytest.fixture
def old(tmp_path):
    shutil.copytree(SAMPLE, tmp_path / "old")
    return tmp_path / "old"


def _files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_report_reads_it_and_says_that_it_is_old(old, capsys):
    assert report([str(old)]) == 0
    said = capsys.readouterr()
    assert SAID in said.out
    assert said.out.splitlines()[-1] == str(old / "report" / "index.html")
    assert not said.err
    assert SAID in (old / "report" / "index.html").read_text()
    sweeps = read_sweeps([old])
    given = [json.loads(line) for line in (SAMPLE / "results.jsonl").read_text().splitlines()]
    for row, line in zip(sweeps.rows, given, strict=True):
        assert {key: row[key] for key in line if line[key] is not None and line[key] != [None]} == {
            key: value for key, value in line.items() if value is not None and value != [None]
        }
    assert len(sweeps.history) == 2


def test_a_report_of_results_of_this_version_says_nothing_of_the_kind(tmp_path, capsys):
    append_results(open_results(tmp_path, {}), [result(0)])
    assert report([str(tmp_path)]) == 0
    assert SAID not in capsys.readouterr().out + (tmp_path / "report" / "index.html").read_text()


def test_a_sweep_into_it_is_refused_in_one_line_and_nothing_is_written(old, tmp_path, launch, capsys):
    path = write_features(tmp_path / "data.npz")
    before = _files(old)
    assert launch.main(arguments(path, old)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "is of an older version" in said.err
    assert "choose another --config.workdir" in said.err
    assert _files(old) == before


def test_old_and_new_are_not_reported_together(old, tmp_path, capsys):
    append_results(open_results(tmp_path / "new", {}), [result(0)])
    for folders in ((old, tmp_path / "new"), (tmp_path / "new", old)):
        assert report([*map(str, folders), "--out", str(tmp_path / "out")]) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert f"{old} is of an older version" in said
    assert not (tmp_path / "out").exists()
    shutil.copytree(old, tmp_path / "older")
    assert report([str(old), str(tmp_path / "older"), "--out", str(tmp_path / "out")]) == 0


def test_old_lines_among_new_ones_are_not_used(old, tmp_path, capsys):
    opened = append_results(open_results(tmp_path / "new", {}), [result(0)])
    opened.path.write_bytes(opened.path.read_bytes() + (old / "results.jsonl").read_bytes())
    assert len(read_sweeps([tmp_path / "new"]).rows) == 1
    assert open_results(tmp_path / "new", {}).done == opened.done
    assert (tmp_path / "new" / "results.damaged.jsonl").read_bytes() == (old / "results.jsonl").read_bytes()


@pytest.mark.parametrize("end", ["cut", "garbage"])
def test_a_torn_line_of_it_is_left_out(old, capsys, end):
    path = old / "results.jsonl"
    content = path.read_bytes()
    path.write_bytes(content[:-200] if end == "cut" else content + b"\xff[[[\n")
    assert report([str(old)]) == 0
    said = capsys.readouterr()
    assert said.err == f"zsh_jax: 1 damaged line of {path} skipped\n"
    assert SAID in said.out


@pytest.mark.parametrize("signed", [True, False])
def test_its_models_are_refused_with_what_to_do(tmp_path, signed):
    """Older versions had no `format`, and names of arrays without the part that they are of."""
    path = tmp_path / "model.safetensors"
    save(path, hash_function(), identity())
    arrays = {name.rpartition(".")[2]: array for name, array in load_file(path).items()}
    texts = {key: json.dumps(value) for key, value in identity().items()}
    save_file(arrays, path, texts | ({"checksum": '"0123456789abcdef"'} if signed else {}))
    with pytest.raises(InputError, match="is of an older version; fix: rerun its sweep in a new workdir"):
        load(path)
