"""A set of unseen classes makes the same cells however it is written."""

import pytest
from rows import rows_of
from small_sweeps import arguments, write_features

from zsh_jax.tracking.results import RESULTS


@pytest.fixture(scope="module")
def made(launch, tmp_path_factory):
    folder = tmp_path_factory.mktemp("order")
    path, workdir = write_features(folder / "f.npz"), folder / "w"
    assert launch.main(arguments(path, workdir, **{"sweep.unseen": "('dog + cow',)"})) == 0
    return path, workdir


@pytest.mark.parametrize("unseen", ["('cow+dog',)", "('dog+cow',)", "(' dog +cow ',)"])
def test_it_is_resumed_in_any_order(launch, made, capsys, unseen):
    path, workdir = made
    assert launch.main(arguments(path, workdir, **{"sweep.unseen": unseen})) == 0
    assert "finished cells, skipped: 1" in capsys.readouterr().out
    (row,) = rows_of(workdir / RESULTS)
    assert row["unseen"] == "cow+dog"


def test_drawn_and_named_ones_are_the_same(launch, made, tmp_path, capsys):
    path, _ = made
    drawn = {"sweep.unseen": "('held-out',)", "dataset.held_out": 3}
    assert launch.main(arguments(path, tmp_path, **drawn)) == 0
    (row,) = rows_of(tmp_path / RESULTS)
    named = "+".join(reversed(row["unseen"].split("+")))
    assert launch.main(arguments(path, tmp_path, **{"sweep.unseen": f"('{named}',)"})) == 0
    assert "finished cells, skipped: 1" in capsys.readouterr().out
    assert len(rows_of(tmp_path / RESULTS)) == 1
