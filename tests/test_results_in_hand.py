"""The DataFrame and `zsh-jax show`, against what NumPy says of what was written."""

import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from printed_tables import MAP, csv_lines, grid, printed, printed_lines, refused, value_of_cell
from report_sweeps import CHANCE, CLASSES, SEEDS, identity, methods_sweep, write_sweep
from rows import rewrite

import zsh_jax
from zsh_jax.commands.main import main
from zsh_jax.errors import InputError
from zsh_jax.report.columns import kind_of, resolved
from zsh_jax.report.filters import filtered, read_filter
from zsh_jax.report.read import read_sweeps

OLD = Path(__file__).parent / "old_workdir"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Several sweeps; each figure follows from the identity of its cell."""
    folder = tmp_path_factory.mktemp("hand")
    methods_sweep(folder / "methods")
    write_sweep(folder / "learned", grid(method="itq") + grid(method="lsh"), name="learned")
    return folder


def test_the_frame_has_a_typed_row_for_each_cell(made):
    frame = zsh_jax.read_results(made / "methods")
    rows = read_sweeps([made / "methods"]).rows
    assert len(frame) == len(rows) == 117
    assert frame["cell_id"].is_unique
    for name in ("method", "variant", "unseen", "status"):
        assert isinstance(frame[name].dtype, pd.StringDtype)
    assert [str(frame[name].dtype) for name in ("bits", "seed", "passes", "iterations")] == ["Int64"] * 4
    floats = ("lam", "nu", MAP, "precision@100", "map@1000", "seconds", f"{MAP}_by_name")
    assert {frame[name].dtype for name in floats} == {np.dtype(float)}
    assert (
        list(frame.columns).index("nu")
        < list(frame.columns).index("cell_id")
        < list(frame.columns).index(MAP)
    )
    for row, (_, line) in zip(rows, frame.iterrows(), strict=True):
        assert (line["method"], line["bits"], line["seed"]) == (row["method"], row["bits"], row["seed"])
        assert line["precision_curve"] == row["precision_curve"]
        assert line["precision@1000"] == row["precision_at"][1]
        assert pd.isna(line["nu"]) == ("nu" not in row)
        assert pd.isna(line["passes"]) == ("passes" not in row)


def test_a_mean_of_the_frame_is_that_of_show(made, capsys):
    frame = zsh_jax.read_results(made / "methods")
    hashed = frame[(frame["bits"] > 0) & (frame["method"] != "cosine")]
    by_seed = hashed.groupby(["method", "bits", "seed"])[MAP].mean()
    expected = by_seed.groupby(["method", "bits"]).agg(["mean", "std"])
    lines = csv_lines(printed(capsys, "show", made / "methods", "--where", "bits>0", "--csv"))
    assert len(lines) == len(expected) == 12
    for line in lines:
        mean, deviation = expected.loc[line["method"], int(line["bits"])]
        assert float(line[f"{MAP} mean"]) == pytest.approx(mean, rel=1e-12)
        assert float(line[f"{MAP} standard deviation"]) == pytest.approx(deviation, rel=1e-9)
        assert line["seeds"] == "3"
        assert float(line["chance mean"]) == pytest.approx(np.mean(list(CHANCE.values())))


def test_dates_and_commands_are_there_and_what_is_wrong_warns(made, tmp_path):
    shutil.copytree(made / "learned", tmp_path / "one")
    rewrite(tmp_path / "one" / "results.jsonl", lambda _, row: row | {"date": "2026-01-02T03:04:05Z"})
    (tmp_path / "one" / "config.json").write_text('{"command": "python launch.py"}')
    frame = zsh_jax.read_results(tmp_path / "one")
    assert (frame["date"] == pd.Timestamp("2026-01-02 03:04:05", tz="UTC")).all()
    assert frame.attrs["commands"] == ["python launch.py"]
    with (tmp_path / "one" / "results.jsonl").open("a") as file:
        file.write('{"method": ')
    with pytest.warns(UserWarning, match="1 damaged line"):
        assert len(zsh_jax.read_results(tmp_path / "one")) == len(frame)
    with pytest.warns(UserWarning, match="older version"):
        old = zsh_jax.read_results(OLD)
    assert len(old) == 2
    with pytest.raises(InputError, match="name the folder"):
        zsh_jax.read_results()


def test_a_tuned_value_is_in_the_frame_and_averaged_over_in_show(tmp_path, capsys):
    write_sweep(tmp_path, [identity(variant="mine", seed=seed, lam=10.0**seed) for seed in SEEDS])
    (tmp_path / "config.json").write_text('{"tuning": {"axes": {"mine": {"zsh": {"lam": [1, 10, 100]}}}}}')
    assert zsh_jax.read_results(tmp_path)["lam"].tolist() == [1.0, 10.0, 100.0]
    (line,) = csv_lines(printed(capsys, "show", tmp_path, "--columns", "lam,mAP", "--csv"))
    assert (line["lam"], line["seeds"]) == ("tuned", "3")


def test_the_program_of_the_document_prints_means_over_seeds(made, monkeypatch, capsys, tmp_path):
    document = (Path(__file__).parent.parent / "docs" / "results_in_hand.md").read_text()
    (program,) = re.findall(r"```python\n(.*?)```", document, re.DOTALL)
    (tmp_path / "runs").mkdir()
    for name, link in (("methods", "sweep_bits-shapes"), ("learned", "coupled")):
        (tmp_path / "runs" / link).symlink_to(made / name)
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(program, "results_in_hand.md", "exec"), names)
    assert "zsh    32" in capsys.readouterr().out
    values = [[value_of_cell(identity(bits=64, seed=s, unseen=u)) for u in CLASSES] for s in SEEDS]
    mean, deviation, count = names["table"].loc[("zsh", 64)]
    assert (mean, deviation) == pytest.approx((np.mean(values), np.std(np.mean(values, 1), ddof=1)))
    assert count == 3


def test_without_pandas_one_line_says_what_to_install(monkeypatch, made):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InputError, match=r"needs pandas; fix: pip install -e '\.\[pandas\]'"):
        zsh_jax.read_results(made / "methods")


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("method=zsh", lambda row: row["method"] == "zsh"),
        ("method == zsh, itq", lambda row: row["method"] in ("zsh", "itq")),
        ("method!=zsh,itq", lambda row: row["method"] not in ("zsh", "itq")),
        ("bits>=32", lambda row: row["bits"] >= 32),
        ("bits<32", lambda row: row["bits"] < 32),
        ("bits = 16,64", lambda row: row["bits"] in (16, 64)),
        ("lam=1e-2", lambda row: row.get("lam") == 0.01),
        ("lam!=0.01", lambda row: row.get("lam") != 0.01),
        ("mAP>0.25", lambda row: row[MAP] > 0.25),
        ("P@100<=0.3", lambda row: row["precision_at"][0] <= 0.3),
        ("mAP by name>0", lambda row: row["method"] == "zsh"),
        ("unseen=cat & dog", lambda row: row["unseen"] == "cat & dog"),
    ],
)
def test_a_condition_keeps_the_rows_that_meet_it(made, condition, kept):
    rows = read_sweeps([made / "methods"]).rows
    found = filtered(rows, [read_filter(condition, rows)])
    assert [row["cell_id"] for row in found] == [row["cell_id"] for row in rows if kept(row)]
    assert 0 < len(found) < len(rows)


def test_a_name_of_classes_may_have_a_comma():
    rows = [{"unseen": "a, b"}, {"unseen": "a"}]
    assert filtered(rows, [read_filter("unseen=a, b", rows)]) == rows[:1]
    assert kind_of("lam", [0.1, "tuned"]) is str


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--where", "methd=zsh"), "there is no column 'methd'; fix: use method"),
        (("--where", "method=zs"), "no cell has method=zs; fix: method is zsh, itq, sdh, lsh, cosine"),
        (("--where", "bits"), "cannot read 'bits'; fix: write NAME=VALUE"),
        (("--where", "bits>="), "cannot read 'bits>='"),
        (("--where", "bits>many"), "bits is a number, not 'many'"),
        (("--where", "method>a"), "method has no order"),
        (("--where", "mAP>1"), "mean_average_precision is from 0."),
        (("--sort", "precision_at"), "--sort: there is no column 'precision_at'; fix: use precision_radius2"),
        (("--columns", "mapp"), "--columns: there is no column 'mapp'"),
        (("--columns", "seed"), "fix: add --cells"),
        (("--sort", "status"), "fix: add --cells"),
        (("--sort", "mAP", "--sort", "bits"), "--sort is given twice"),
    ],
)
def test_what_show_cannot_read_is_one_line(made, capsys, arguments, said):
    assert said in refused(capsys, "show", made / "methods", *arguments)


def test_show_sorts_and_chooses_columns(made, capsys):
    where = ("--where", "method=zsh,sdh,lsh", "--where", "bits>=32")
    arguments = ("show", made / "methods", *where, "--sort", "mAP", "--columns", "mAP", "P@100,iterations")
    heads, *lines = printed_lines(printed(capsys, *arguments))
    assert heads == ["method", "bits", "mAP", "P@100", "iterations", "seeds"]
    assert [tuple(line[:2]) for line in lines] == [
        *((method, bits) for method in ("sdh", "zsh", "lsh") for bits in ("64", "32"))
    ]
    values = {
        (method, bits): [
            [value_of_cell(identity(method, bits=bits, seed=s, unseen=u)) for u in CLASSES] for s in SEEDS
        ]
        for method in ("sdh", "zsh", "lsh")
        for bits in (32, 64)
    }
    for method, bits, shown, *_ in lines:
        means = np.mean(values[method, int(bits)], axis=1)
        assert shown == f"{means.mean():.4f} ± {means.std(ddof=1):.4f}"
    _, *turned = printed_lines(printed(capsys, *arguments, "--reverse"))
    assert turned == lines[::-1]
    _, *by_name = printed_lines(
        printed(capsys, "show", made / "methods", "--columns", "mAP by name", "--sort", "mAP by name")
    )
    assert [line[2] == "-" for line in by_name] == [False] * 3 + [
        True
    ] * 10  # those without a value come last


def test_show_prints_cells_whole_where_nobody_sees_a_terminal(made, capsys):
    arguments = ("show", made / "methods", "--cells", "--where", "method=itq", "--sort", "mAP")
    text = printed(capsys, *arguments)
    assert text.startswith("27 of 117 cells")
    assert "…" not in text
    heads, *lines = printed_lines(text)
    assert heads[:5] == ["method", "bits", "unseen", "seed", "cell_id"]
    place = heads.index("mAP")
    assert [float(line[place]) for line in lines] == sorted(
        (float(line[place]) for line in lines), reverse=True
    )
    table = csv_lines(printed(capsys, *arguments, "--csv"))
    for line, shown in zip(table, lines, strict=True):
        cell = identity("itq", bits=int(line["bits"]), seed=int(line["seed"]), unseen=line["unseen"])
        assert float(line[MAP]) == value_of_cell(cell)
        assert shown[4] == line["cell_id"]
        assert shown[place] == f"{value_of_cell(cell):.4f}"


def test_show_says_that_results_are_old_or_not_finished(made, tmp_path, capsys):
    assert main(["show", str(OLD)]) == 0
    assert "older version of zsh_jax" in capsys.readouterr().err
    write_sweep(
        tmp_path, [identity(m, seed=s, unseen=u) for m in ("zsh", "itq") for s in (0, 1) for u in CLASSES][:7]
    )
    assert main(["show", str(tmp_path)]) == 0
    assert "1 of 2 means lack some unseen classes" in capsys.readouterr().err


def test_it_is_said_that_no_seed_has_all_unseen_classes(tmp_path, capsys):
    cells = [identity(m, seed=s, unseen=CLASSES[s]) for m in ("zsh", "itq") for s in (0, 1)]
    write_sweep(tmp_path, cells)
    for command in ("show", "leaderboard"):
        assert main([command, str(tmp_path)]) == 0
        assert "2 of 2 settings have no mean, as no seed has all unseen classes" in "".join(
            capsys.readouterr()
        )
    assert main(["show", str(tmp_path), "--where", f"unseen={CLASSES[0]}"]) == 0
    assert not capsys.readouterr().err


def test_names_are_found_by_their_heads(made):
    rows = read_sweeps([made / "methods"]).rows
    assert [
        resolved(one, rows, "x") for one in ("mAP", "P@100", "mAP@1000", "train s", "P r<=2", "bits")
    ] == [*(MAP, "precision@100", "map@1000", "seconds", "precision_radius2", "bits")]
    with pytest.raises(InputError, match="there is no column 'P@5'"):
        resolved("P@5", rows, "x")
