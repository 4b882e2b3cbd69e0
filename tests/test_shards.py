"""Parts of one sweep in processes of their own, and the workdir that joins them."""

import itertools
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from bad_input import make_data, put, refusal, tiny_config
from fault_sweep import arguments, figures, rows, write_features
from test_engine import _axes
from wandb_files import offline_runs

from zsh_jax.commands.main import main
from zsh_jax.model_file import load
from zsh_jax.sweep.grid import groups
from zsh_jax.sweep.shard import Shard, deal, parse_shard
from zsh_jax.tracking.history import HISTORY, read_history
from zsh_jax.tracking.lines import signed
from zsh_jax.tracking.models import model_path

GRID = {"bits": (8, 9), "seed": (0, 1, 2), "unseen": ("ant", "bee")}


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 30])
@pytest.mark.parametrize(
    "changes", [{}, {"method": ("zsh", "lsh"), "seen_classes": (2, 3)}, {"seed": (0,)}], ids=str
)
def test_the_parts_of_a_sweep_are_disjoint_and_complete(count, changes):
    every = groups(_axes(**GRID | changes))
    whole = [repr(cell) for group in every for cell in group.cells()]
    dealt = [
        [repr(cell) for group in deal(every, Shard(number, count)) for cell in group.cells()]
        for number in range(1, count + 1)
    ]
    assert sorted(itertools.chain.from_iterable(dealt)) == sorted(whole)
    assert max(map(len, dealt)) <= -(-len(whole) // count) + 4  # whole splits, or whole groups of them


def test_each_split_is_prepared_by_one_part_where_there_are_enough():
    every = groups(_axes(**GRID))
    dealt = [{split for group in deal(every, Shard(n, 3)) for split in group.splits} for n in (1, 2, 3)]
    assert sum(map(len, dealt)) == len(set().union(*dealt)) == 6
    assert list(map(len, dealt)) == [2, 2, 2]


def test_a_part_is_named_by_its_number_and_their_count():
    assert parse_shard("3/16") == Shard(3, 16)
    assert str(Shard(3, 16)) == "3/16"
    for text in ("0/4", "5/4", "1/0", "a/4", "1", "1/2/3", " 1/2", "+1/2", "1/2\n", "٣/٤", 3, None, ("1/2",)):
        assert parse_shard(text) is None


@pytest.mark.parametrize("shard", ["0/4", "5/4", "3", "a/b", 3, ("1/2",)])
def test_a_part_that_there_is_not_is_refused(launch, tmp_path, capsys, shard):
    make_data(tmp_path)
    config = put(tiny_config(tmp_path), {"shard": shard})
    assert refusal(launch, tmp_path, capsys, config).startswith("shard: takes I/N with I from 1 to N")


@pytest.fixture(scope="module")
def swept(tmp_path_factory, launch):
    """A function that runs the tiny sweep, or a part of it; and the workdir of the whole sweep, run at once."""
    folder = tmp_path_factory.mktemp("swept")
    path = write_features(folder)

    def run(workdir, **changes):
        more = {"save_models": "True", "wandb__mode": "offline", "x64": "True"}
        more |= {"sweep__method": "('lsh','itq')", "sweep__bits": "(8,)"}  # which compile in no time
        return launch.main(["launch.py", *arguments(path, workdir, **more | changes)])

    assert run(folder / "whole") == 0
    return run, folder / "whole"


def _same(workdir, whole):
    """Equal but for the rounding of sums in batches of other sizes."""
    one, other = rows(workdir), rows(whole)
    histories = read_history(workdir / HISTORY).by_cell, read_history(whole / HISTORY).by_cell
    assert one.keys() == other.keys() == histories[0].keys() == histories[1].keys()
    for name, row in one.items():
        for key, value in (figures(row) | histories[0][name]).items():
            expected = (figures(other[name]) | histories[1][name])[key]
            if isinstance(value, str):
                assert value == expected
            else:  # null is NaN
                sides = np.array(value, float), np.array(expected, float)
                np.testing.assert_allclose(*sides, rtol=1e-9, atol=1e-12, err_msg=key)
    for name in one:
        load(model_path(workdir, name))


@pytest.mark.slow
def test_parts_that_are_joined_are_the_whole_sweep(swept, tmp_path, capsys):
    run, whole = swept
    workdir = tmp_path / "sweep"
    for number in (2, 1, 3):
        assert run(workdir, shard=f"{number}/3") == 0
        said = capsys.readouterr().out
        assert f"part {number}/3 is finished; after all parts: zsh-jax merge {workdir}" in said
    parts = [rows(workdir / "shards" / f"{number}-of-3") for number in (1, 2, 3)]
    assert all(parts)
    assert sum(map(len, parts)) == len({name for part in parts for name in part}) == 8
    assert main(["merge", str(workdir)]) == 0
    assert "8 cells of 3 workdirs added" in capsys.readouterr().out
    _same(workdir, whole)
    assert main(["merge", str(workdir)]) == 0
    assert "0 cells of 3 workdirs added" in (said := capsys.readouterr().out)
    assert "8 cells of them there already" in said
    before = rows(workdir)
    assert run(workdir, report=True) == 0
    said = capsys.readouterr()
    assert "finished cells, skipped: 8" in said.out
    assert rows(workdir) == before
    assert (workdir / "report" / "index.html").exists(), said.err
    # The runs of the cells lie with the parts; the rerun has written the one of the sweep alone.
    assert len(offline_runs(workdir)) == 1


@pytest.mark.slow
def test_a_part_that_is_missing_damaged_or_torn_runs_again(swept, tmp_path, capsys):
    run, whole = swept
    workdir = tmp_path / "sweep"
    for number in (1, 2):
        assert run(workdir, shard=f"{number}/3") == 0
    first = workdir / "shards" / "1-of-3" / "results.jsonl"
    content = first.read_bytes()
    first.write_bytes(content[:-40])  # killed in mid-line
    workdir.joinpath("results.jsonl").write_bytes(content.split(b"\n")[0][:-1])  # and here too
    assert main(["merge", str(workdir), *map(str, sorted((workdir / "shards").iterdir()))]) == 0
    assert "1 damaged line left behind" in capsys.readouterr().out
    assert 0 < len(rows(workdir)) < 8
    assert run(workdir) == 0
    _same(workdir, whole)


@pytest.mark.slow
def test_what_cannot_be_joined_is_refused_in_one_line_and_nothing_is_written(swept, tmp_path, capsys):
    _, whole = swept

    def refused(*workdirs):
        assert main(["merge", *map(str, workdirs)]) == 2
        said = capsys.readouterr()
        assert said.err.count("\n") == 1
        assert not (tmp_path / "into").exists()
        return said.err

    capsys.readouterr()
    assert "has no parts below" in refused(tmp_path / "into")
    assert "there is no workdir" in refused(tmp_path / "into", whole, tmp_path / "nowhere")
    assert "is given twice" in refused(tmp_path / "into", whole, whole)
    other = shutil.copytree(whole, tmp_path / "other")
    lines = [json.loads(line) for line in (other / "results.jsonl").read_text().splitlines()]
    lines = [{key: value for key, value in line.items() if key != "checksum"} for line in lines]
    (other / "results.jsonl").write_bytes(b"".join(signed(line | {"cutoffs": [7]}) for line in lines))
    assert "was evaluated with evaluation.cutoffs []" in refused(tmp_path / "into", whole, other)
    searched = {"mean_average_precision_asymmetric": 0.5}
    (other / "results.jsonl").write_bytes(b"".join(signed(line | searched) for line in lines))
    assert "was evaluated with evaluation.search ()" in refused(tmp_path / "into", whole, other)
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "results.jsonl").write_text('{"a": 1}\n')
    assert "is not the result of a cell" in refused(tmp_path / "into", whole, foreign)
    old = Path(__file__).parent / "old_workdir"
    assert "older version" in refused(tmp_path / "into", shutil.copytree(old, tmp_path / "old"))
    assert rows(whole)
    assert not [path for path in os.listdir(whole) if path == ".lock"]


@pytest.mark.slow
def test_a_part_without_a_cell_is_no_matter(swept, tmp_path, capsys):
    run, whole = swept
    workdir = tmp_path / "sweep"
    assert run(workdir, shard="9/9") == 0  # of a sweep that can be cut in eight
    (workdir / "shards" / "2-of-9").mkdir()  # killed before its first row
    assert main(["merge", str(workdir), *map(str, sorted((workdir / "shards").iterdir()))]) == 0
    assert "2 workdirs without a finished cell" in capsys.readouterr().out
    assert main(["merge", str(workdir), str(whole)]) == 0
    _same(workdir, whole)


@pytest.mark.slow
def test_what_a_cell_lacks_is_added_to_it(swept, tmp_path, capsys):
    _, whole = swept
    poor = shutil.copytree(whole, tmp_path / "poor")
    shutil.rmtree(poor / "models")
    (poor / "wandb.jsonl").write_text("")
    assert main(["merge", str(poor), str(whole)]) == 0
    assert "0 cells of 1 workdir added" in capsys.readouterr().out
    _same(poor, whole)
    assert sorted((poor / "wandb.jsonl").read_text().split()) == sorted(
        (whole / "wandb.jsonl").read_text().split()
    )
