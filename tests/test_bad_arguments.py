"""Arguments of `python -m zsh_jax.report`, `.data` and `.export` that are wrong: status 2, and one line."""

import pytest

from zsh_jax.data.__main__ import main as data
from zsh_jax.export.__main__ import main as export
from zsh_jax.report.__main__ import main as report

LONG = "a" * 300
WRONG = [
    (report, [], "the following arguments are required: workdir"),
    (report, ["nowhere"], "nowhere"),
    (report, [""], "workdir: takes the name of a file or folder"),
    (report, ["x\n"], "workdir: takes the name of a file or folder"),
    (report, [LONG], "workdir: takes the name of a file or folder"),
    (report, ["x", "y/../x"], "is given twice; fix: name each workdir once"),
    (report, ["x", "--out", "a", "--out=b"], "--out is given twice; fix: give it once"),
    (report, ["x", "--out="], "--out: takes the name of a file or folder"),
    (report, ["x", "--ou", "a"], "unrecognized arguments: --ou a"),
    (data, [], "the following arguments are required: verb"),
    (data, ["liist"], "invalid choice: 'liist'"),
    (data, ["prepare"], "the following arguments are required: name"),
    (data, ["prepare", "../shapes"], "name: takes the name of a data set"),
    (data, ["prepare", "shapes", "--data-dir", ""], "--data-dir: takes the name of a file or folder"),
    (data, ["prepare", "folder", "--path", " a"], "--path: takes the name of a file or folder"),
    *(
        (data, ["features", "shapes", "gist", f"--{name}", value], f"--{name}: takes whole numbers from")
        for name, values in {
            "image-size": ("0", "-1", "1000000", str(10**30)),
            "batch-size": ("0", "-1", str(2**63)),
            "first-label": ("2", "-1"),
        }.items()
        for value in values
    ),
    (
        data,
        ["features", "shapes", "gist", "--image-size", "1.5"],
        "argument --image-size: invalid int value: '1.5'",
    ),
    (
        data,
        ["features", "shapes", "gist", "--batch-size", "9" * 5000],
        "argument --batch-size: invalid int value",
    ),
    (data, ["features", "shapes", "gist", "--cache", "a", "--cache", "b"], "--cache is given twice"),
    (data, ["features", "shapes", "gits"], "there is no 'gits'"),
    (export, ["m"], "the following arguments are required: --out"),
    (export, ["m", "--features", "f", "--out", ""], "--out: takes the name of a file or folder"),
    (export, ["m", "--features", "", "--out", "x"], "--features: takes the name of a file or folder"),
    (export, ["", "--features", "f", "--out", "x"], "model: takes the name of a file or folder"),
    (export, ["m", "--features", "f", "--out", "x", "--index", "hsnw"], "invalid choice: 'hsnw'"),
    (export, ["m", "--features", "f", "--out", "x", "--features", "g"], "--features is given twice"),
    (export, ["m", "--features", "f", "--out", "x"], "there is no model m"),
]


@pytest.mark.parametrize(("command", "arguments", "said"), WRONG)
def test_wrong_arguments_are_one_line(command, arguments, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert command(arguments) == 2
    error = capsys.readouterr()
    assert not error.out
    assert error.err.count("\n") == 1
    assert error.err.startswith("zsh_jax.")
    assert said in error.err
    assert len(error.err) < 300
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", [report, data, export])
def test_help_is_printed_and_is_no_error(command, capsys):
    with pytest.raises(SystemExit) as ended:
        command(["--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("usage: ")
