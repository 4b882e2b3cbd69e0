"""A report is made, or refused in one line, whatever stands in the results: never a traceback, never a lost table."""

import itertools
import json
import re

import numpy as np
import pytest
from matplotlib.figure import Figure
from report_sweeps import CLASSES, identity, result, write_sweep
from test_report_page import Page

from zsh_jax.report.__main__ import main
from zsh_jax.report.contents import contents
from zsh_jax.report.read import read_sweeps
from zsh_jax.report.tables.html import html
from zsh_jax.report.write import report_files
from zsh_jax.tracking.lines import CHECKSUM
from zsh_jax.tracking.results import ID, append_results, open_results

NAMES = [
    "<script>alert(1)</script>",
    "$x_{1}$ \\frac{a}{b} 100% #1 & _y",
    "猫 \u202eright to left \U0001f600 café",
    "[bold]not markup[/bold] :smile:",
    "=HYPERLINK(1)",
    "a very long name " * 40,
    "two\nlines\tand\ta tab",
    "../../etc/passwd",
    "",
]


def _edited(folder, edit):
    """Change every row as `edit` says; rows without a checksum, as older versions wrote them, may be anything."""
    path = folder / "results.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for place, row in enumerate(rows):
        row.pop(CHECKSUM, None)
        edit(place, row)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def _made(folder):
    assert main([str(folder)]) == 0
    return Page((folder / "report" / "index.html").read_text())


@pytest.mark.parametrize("count", [1, 2])
def test_a_cell_or_two_are_enough(tmp_path, count):
    write_sweep(tmp_path, [identity(seed=seed) for seed in range(count)])
    page = _made(tmp_path)
    assert page.tables
    assert "nan" not in " ".join(cell for table in page.tables for line in table for cell in line).lower()


@pytest.mark.slow
def test_absurd_names_are_shown_as_they_stand(tmp_path):
    variants = [name for name in NAMES if name]
    cells = [
        identity(variant=variant, seed=seed, unseen=unseen, dataset=NAMES[0], features=NAMES[1])
        for variant, seed, unseen in itertools.product(variants, (0, 1), CLASSES[:2])
    ]
    write_sweep(tmp_path, cells, name=NAMES[2], reference=variants[5])
    page = _made(tmp_path)
    assert page.of("script") == [{}]  # one, without a source: that of the page, which has no name in it
    text = " ".join(" ".join(page.text).split())
    for name in (*variants, NAMES[0], NAMES[1], NAMES[2]):
        assert " ".join(name.split()) in text
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(len(path.name) < 120 and re.fullmatch(r"[\w.+-]+", path.name) for path in files)
    assert len(list((tmp_path / "report" / "tables").glob("differences_to_*.csv"))) == 1


def test_names_that_are_alike_as_files_keep_files_of_their_own(tmp_path):
    names = ["data set", "data-set", "DATA SET", "x" * 300, "x" * 301]
    write_sweep(tmp_path, [identity(seed=s, dataset=name) for name in names for s in (0, 1)])
    page = _made(tmp_path)
    tables = len(list((tmp_path / "report" / "tables").glob("*.html")))
    assert tables == len(page.tables)
    assert tables % len(names) == 0


def test_nothing_finite_anywhere(tmp_path):
    write_sweep(
        tmp_path, [identity(m, seed=s, unseen=u) for m in ("zsh", "itq") for s in (0, 1) for u in CLASSES]
    )

    def edit(place, row):
        for key, value in row.items():
            if isinstance(value, float) and key not in identity():
                row[key] = None
            if isinstance(value, list) and key != "cutoffs":
                row[key] = [None] * len(value)

    _edited(tmp_path, edit)
    page = _made(tmp_path)
    assert all(cell != "nan" for table in page.tables for line in table for cell in line)


@pytest.mark.slow
def test_each_column_may_be_missing(tmp_path, monkeypatch):
    write_sweep(
        tmp_path, [identity(m, seed=s, bits=b) for m in ("zsh", "itq") for s in (0, 1) for b in (16, 32)]
    )
    drawn = []
    monkeypatch.setattr("zsh_jax.report.write.png", lambda figure: drawn.append(figure) or b"")
    monkeypatch.setattr("zsh_jax.report.write.pdf", lambda figure: b"")
    original = (tmp_path / "results.jsonl").read_text()
    row = json.loads(original.splitlines()[0])
    for key in list(row)[list(row).index(ID) + 1 :]:
        (tmp_path / "results.jsonl").write_text(original)
        _edited(tmp_path, lambda place, row, key=key: row.pop(key, None))
        assert "index.html" in report_files([tmp_path]), key
    assert all(isinstance(figure, Figure) for figure in drawn)


WRONG = ["x", {}, {"a": [1]}, [1], [[1]], [None, "x"], True, -5, 10**400, 1e308, [1e308] * 9, []]


@pytest.mark.slow
@pytest.mark.parametrize(("shift", "every"), [(0, True), (5, False)])
def test_values_of_another_kind_are_left_out_or_refused(tmp_path, capsys, shift, every):
    write_sweep(tmp_path, [identity(m, seed=s) for m in ("zsh", "itq") for s in (0, 1)])
    original = (tmp_path / "results.jsonl").read_text()
    row = json.loads(original.splitlines()[0])
    for number, key in enumerate(list(row)[list(row).index(ID) + 1 : -1]):
        wrong = WRONG[(number + shift) % len(WRONG)]

        def edit(place, row, key=key, wrong=wrong):
            if every or place == 3:
                row[key] = wrong

        (tmp_path / "results.jsonl").write_text(original)
        _edited(tmp_path, edit)
        assert main([str(tmp_path)]) in (0, 2), (key, wrong)
        assert capsys.readouterr().err.count("\n") <= 1


def test_a_grid_of_many_settings(tmp_path):
    grid = itertools.product(range(12), range(12), (0, 1))
    cells = [identity(lam=10.0**-i, alpha=10.0**-j, seed=s) for i, j, s in grid]
    append_results(open_results(tmp_path, {"name": "grid"}), [result(cell) for cell in cells])
    (part,) = contents(read_sweeps([tmp_path]))
    (table,) = [one for one in part.tables if one.name == "map"]
    assert len(table.lines) == 144 + 1
    assert np.all([len(line.entries) == len(table.columns) for line in table.lines])
    assert html(table).count("<tr>") == 146
