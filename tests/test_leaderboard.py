"""The leaderboard, against ranks and means that SciPy and NumPy take from what was written."""

import json
import re

import numpy as np
import pytest
from report_sweeps import CLASSES, SEEDS, methods_sweep
from scipy import stats

from zsh_jax.commands.leaderboard import main
from zsh_jax.report.leaderboard import leaderboard


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("leaders")
    results = methods_sweep(folder)
    config = json.loads((folder / "config.json").read_text()) if (folder / "config.json").exists() else {}
    command = (
        "python launch.py --config /home/me/mine.py --config.dataset.path='/data/a b/x.npz' --config.a=3/16"
    )
    (folder / "config.json").write_text(json.dumps(config | {"command": command}))
    return folder, results


def _lines(page, title):
    """The cells of each line of the first table after a title."""
    table = page[page.index(title) :].split("\n\n")[1]
    return [[word.strip(" *") for word in re.split(r"(?<!\\)\|", row)[1:-1]] for row in table.splitlines()]


def test_methods_stand_by_their_mean_rank(made):
    folder, results = made
    page = leaderboard([folder])
    heads, _, *lines = _lines(page, "mAP, mean")
    methods = [line[0] for line in lines if line[-1] != "-"]
    keys = sorted({(cell["bits"], cell["seed"], cell["unseen"]) for cell, *_ in results if cell["bits"]})
    values = {
        method: {
            (cell["bits"], cell["seed"], cell["unseen"]): metrics["mean_average_precision"]
            for cell, metrics, *_ in results
            if cell["method"] == method
        }
        for method in methods
    }
    ranks = stats.rankdata([[-values[m][key] for key in keys] for m in methods], axis=0).mean(1)
    assert len(methods) == 4
    assert (np.diff(ranks) >= 0).all()
    assert [f"{rank:.2f}" for rank in ranks] == [line[-1] for line in lines if line[-1] != "-"]
    for line in lines[: len(methods)]:
        for bits, shown in zip((16, 32, 64), line[1:], strict=False):
            cube = [[values[line[0]][bits, seed, unseen] for unseen in CLASSES] for seed in SEEDS]
            assert shown.startswith(f"{np.mean(cube):.4f} ± {np.std(np.mean(cube, 1), ddof=1):.4f}")
    assert heads[1:4] == ["16 bits", "32 bits", "64 bits"]


def test_each_row_has_its_provenance_and_no_folder_of_the_machine(made):
    folder, results = made
    page = leaderboard([folder])
    _, _, *ranked = _lines(page, "mAP, mean")
    _, _, *stated = _lines(page, "Provenance of each row")
    assert [line[0] for line in stated] == [line[0] for line in ranked if line[0] != "chance"]
    for line in stated:
        own = [cell for cell, *_ in results if cell["method"] == line[0]]
        assert line[1:4] == [str(len(own)), str(len(SEEDS)), str(len(CLASSES))]
    assert "    python launch.py --config mine.py --config.dataset.path='" in page
    assert "x.npz' --config.a=3/16" in page
    assert "/home" not in page


def test_the_command_prints_or_writes_the_page_whole(made, tmp_path, capsys):
    folder, _ = made
    assert main([str(folder)]) == 0
    printed = capsys.readouterr().out
    out = tmp_path / "leaderboard.md"
    assert main([str(folder), "--out", str(out)]) == 0
    assert out.read_text() == printed == leaderboard([folder])
    for arguments, said in (
        ([str(folder), str(folder)], "is given twice"),
        ([str(tmp_path / "none")], "none"),
        ([str(folder), "--out", str(tmp_path / "no" / "x.md")], "choose another --out"),
        ([str(folder), "--out", str(tmp_path)], "choose another --out"),
    ):
        assert main(arguments) == 2
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1
