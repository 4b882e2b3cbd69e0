"""The DataFrame, `zsh-jax show` and `zsh-jax diff`, against what NumPy and SciPy say of what was written."""

import csv
import io
import itertools
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from report_sweeps import CHANCE, CLASSES, SEEDS, identity, methods_sweep, result, write_sweep
from rows import rewrite
from scipy import stats

import zsh_jax
from zsh_jax.commands.main import main
from zsh_jax.errors import InputError
from zsh_jax.report.cell_pairs import pair_cells
from zsh_jax.report.columns import kind_of, resolved
from zsh_jax.report.filters import filtered, read_filter
from zsh_jax.report.read import read_sweeps

MAP = "mean_average_precision"
OLD = Path(__file__).parent / "old_workdir"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Several sweeps; each figure follows from the identity of its cell."""
    folder = tmp_path_factory.mktemp("hand")
    methods_sweep(folder / "methods")

    def cells(**changes):
        grid = itertools.product((16, 32), SEEDS, CLASSES)
        return [identity(bits=bits, seed=seed, unseen=unseen, **changes) for bits, seed, unseen in grid]

    for name, some in {
        "published": cells(),
        "strong": cells(alpha=0.001)[:-1],
        "two": cells(alpha=0.001) + cells(alpha=0.01),
        "sdh": cells(method="sdh"),
        "learned": cells(method="itq") + cells(method="lsh"),
        "other_seeds": [identity(seed=9, unseen=unseen) for unseen in CLASSES],
    }.items():
        write_sweep(folder / name, some, name=name)
    return folder


def _printed(capsys, *arguments):
    assert main([str(one) for one in arguments]) == 0
    return capsys.readouterr().out


def _lines(text):
    """Cells of the lines of a printed table; the first has the heads."""
    rows = [line for line in text.splitlines() if line[:1] in "┃│"]
    return [[cell.strip() for cell in re.split("[┃│]", row)[1:-1]] for row in rows]


def _table(text):
    return list(csv.DictReader(io.StringIO(text)))


def _refused(capsys, *arguments):
    assert main([str(one) for one in arguments]) == 2
    said = capsys.readouterr()
    assert not said.out
    assert said.err.count("\n") == 1
    assert len(said.err) < 260
    return said.err


def _value(cell, metric=MAP):
    return result(cell).metrics[metric]


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
    lines = _table(_printed(capsys, "show", made / "methods", "--where", "bits>0", "--csv"))
    assert len(lines) == len(expected) == 12
    for line in lines:
        mean, deviation = expected.loc[line["method"], int(line["bits"])]
        assert float(line[f"{MAP} mean"]) == pytest.approx(mean, rel=1e-12)
        assert float(line[f"{MAP} standard deviation"]) == pytest.approx(deviation, rel=1e-9)
        assert line["seeds"] == "3"
        assert float(line["chance mean"]) == pytest.approx(np.mean(list(CHANCE.values())))


def test_dates_and_commands_are_there_and_what_is_wrong_warns(made, tmp_path):
    shutil.copytree(made / "strong", tmp_path / "one")
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
    (line,) = _table(_printed(capsys, "show", tmp_path, "--columns", "lam,mAP", "--csv"))
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
    values = [[_value(identity(bits=64, seed=s, unseen=u)) for u in CLASSES] for s in SEEDS]
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
    assert said in _refused(capsys, "show", made / "methods", *arguments)


def test_show_sorts_and_chooses_columns(made, capsys):
    where = ("--where", "method=zsh,sdh,lsh", "--where", "bits>=32")
    arguments = ("show", made / "methods", *where, "--sort", "mAP", "--columns", "mAP", "P@100,iterations")
    heads, *lines = _lines(_printed(capsys, *arguments))
    assert heads == ["method", "bits", "mAP", "P@100", "iterations", "seeds"]
    assert [tuple(line[:2]) for line in lines] == [
        *((method, bits) for method in ("sdh", "zsh", "lsh") for bits in ("64", "32"))
    ]
    values = {
        (method, bits): [
            [_value(identity(method, bits=bits, seed=s, unseen=u)) for u in CLASSES] for s in SEEDS
        ]
        for method in ("sdh", "zsh", "lsh")
        for bits in (32, 64)
    }
    for method, bits, shown, *_ in lines:
        means = np.mean(values[method, int(bits)], axis=1)
        assert shown == f"{means.mean():.4f} ± {means.std(ddof=1):.4f}"
    _, *turned = _lines(_printed(capsys, *arguments, "--reverse"))
    assert turned == lines[::-1]
    _, *by_name = _lines(
        _printed(capsys, "show", made / "methods", "--columns", "mAP by name", "--sort", "mAP by name")
    )
    assert [line[2] == "-" for line in by_name] == [False] * 3 + [
        True
    ] * 10  # those without a value come last


def test_show_prints_cells_whole_where_nobody_sees_a_terminal(made, capsys):
    arguments = ("show", made / "methods", "--cells", "--where", "method=itq", "--sort", "mAP")
    text = _printed(capsys, *arguments)
    assert text.startswith("27 of 117 cells")
    assert "…" not in text
    heads, *lines = _lines(text)
    assert heads[:5] == ["method", "bits", "unseen", "seed", "cell_id"]
    place = heads.index("mAP")
    assert [float(line[place]) for line in lines] == sorted(
        (float(line[place]) for line in lines), reverse=True
    )
    table = _table(_printed(capsys, *arguments, "--csv"))
    for line, shown in zip(table, lines, strict=True):
        cell = identity("itq", bits=int(line["bits"]), seed=int(line["seed"]), unseen=line["unseen"])
        assert float(line[MAP]) == _value(cell)
        assert shown[4] == line["cell_id"]
        assert shown[place] == f"{_value(cell):.4f}"


def test_show_says_that_results_are_old_or_not_finished(made, tmp_path, capsys):
    assert main(["show", str(OLD)]) == 0
    assert "older version of zsh_jax" in capsys.readouterr().err
    write_sweep(
        tmp_path, [identity(m, seed=s, unseen=u) for m in ("zsh", "itq") for s in (0, 1) for u in CLASSES][:7]
    )
    assert main(["show", str(tmp_path)]) == 0
    assert "1 of 2 means lack some unseen classes" in capsys.readouterr().err


def test_a_difference_has_the_interval_of_scipy(made, capsys):
    (*said,) = _printed(capsys, "diff", made / "published", made / "strong").splitlines()
    assert "different: alpha is 1e-05 in A, 0.001 in B" in said
    assert "cells without a partner: 1 of A and 0 of B" in said
    assert any(line.startswith("paired by method, bits, unseen, seed, and ") for line in said)
    lines = _table(_printed(capsys, "diff", made / "published", made / "strong", "--csv"))
    keys = [(s, u) for s in SEEDS for u in CLASSES]
    for line in lines:
        bits = int(line["bits"])
        some = keys if bits == 16 else keys[:-1]
        one, other = (
            np.array([_value(identity(bits=bits, seed=s, unseen=u, alpha=alpha)) for s, u in some])
            for alpha in (1e-5, 1e-3)
        )
        ends = stats.ttest_rel(other, one).confidence_interval(0.95)
        assert int(line["pairs"]) == len(some)
        np.testing.assert_allclose([float(line["B - A low"]), float(line["B - A high"])], ends, rtol=1e-9)
        np.testing.assert_allclose(float(line["B - A mean"]), (other - one).mean(), rtol=1e-9)
        np.testing.assert_allclose([float(line["mAP A"]), float(line["mAP B"])], [one.mean(), other.mean()])
    assert [line["bits"] for line in lines] == ["16", "32"]


def test_each_value_in_which_two_sweeps_differ_has_lines_of_its_own(made, capsys):
    lines = _table(_printed(capsys, "diff", made / "published", made / "two", "--csv"))
    assert [(line["alpha A"], line["alpha B"], line["bits"]) for line in lines] == [
        ("1e-05", alpha, bits) for alpha in ("0.001", "0.01") for bits in ("16", "32")
    ]
    few = _table(
        _printed(capsys, "diff", made / "published", made / "two", "--csv", "--where", "alpha<=1e-3")
    )
    assert len(few) == 2
    text = _printed(capsys, "diff", made / "sdh", made / "learned")
    assert "in one of the two only: lam, nu, passes" in text
    heads, *lines = _lines(text)
    assert heads[:3] == ["bits", "method A", "method B"]
    assert [tuple(line[:3]) for line in lines] == [
        (bits, "sdh", method) for method in ("itq", "lsh") for bits in ("16", "32")
    ]


def test_methods_that_both_have_are_paired_with_themselves(made):
    first, second = (read_sweeps([made / name]).rows for name in ("learned", "methods"))
    found = pair_cells(first, second)
    assert not found.apart
    assert len(found.pairs) == 36
    assert all(one["cell_id"] == other["cell_id"] for one, other in found.pairs)
    assert found.alone == (0, 117 - 36)


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("published", "published", "is given twice"),
        ("published", "other_seeds", "no pair: seed is 0, 1, 2 in the first sweep and 9 in the second"),
        ("published", OLD, "no pair: dataset is shapes in the first sweep and features in the second"),
        ("published", "nowhere", "cannot be read"),
    ],
)
def test_without_a_pair_one_line_says_why(made, capsys, first, second, said):
    assert said in _refused(capsys, "diff", made / first, made / second)
    assert "is not a metric" in _refused(
        capsys, "diff", made / "published", made / "two", "--metric", "status"
    )


def test_cells_of_other_splits_or_labels_are_no_pair(tmp_path):
    cells = [identity(fingerprint_labels=labels, fingerprint_split="1") for labels in ("a", "b")]
    for name, cell in zip("ab", cells, strict=True):
        write_sweep(tmp_path / name, [cell])
    rows = [read_sweeps([tmp_path / name]).rows for name in "ab"]
    with pytest.raises(InputError, match="no pair"):
        pair_cells(*rows)
    old = [{key: value for key, value in row.items() if not key.startswith("fingerprint")} for row in rows[1]]
    assert len(pair_cells(rows[0], old).pairs) == 1  # an older version took no fingerprints


def test_names_are_found_by_their_heads(made):
    rows = read_sweeps([made / "methods"]).rows
    assert [
        resolved(one, rows, "x") for one in ("mAP", "P@100", "mAP@1000", "train s", "P r<=2", "bits")
    ] == [*(MAP, "precision@100", "map@1000", "seconds", "precision_radius2", "bits")]
    with pytest.raises(InputError, match="there is no column 'P@5'"):
        resolved("P@5", rows, "x")
