"""Chance beside every mAP: in tables of all forms, in the terminal, in figures; and left out where rows lack it."""

import csv
import io
import re

import numpy as np
import pytest
from printed import tables as printed
from report_sweeps import CHANCE, CLASSES, methods_sweep
from rich.console import Console

from zsh_jax.report.contents import contents
from zsh_jax.report.figures.against import metric_against
from zsh_jax.report.figures.unseen_bars import unseen_bars
from zsh_jax.report.read import Sweeps, read_sweeps
from zsh_jax.report.table import results_table, unseen_table
from zsh_jax.report.tables.comparison import metric_table, unseen_class_table
from zsh_jax.report.tables.csv import comma_separated
from zsh_jax.report.tables.html import html
from zsh_jax.report.tables.latex import latex
from zsh_jax.report.tables.markdown import markdown

MEAN = np.mean(list(CHANCE.values()))
MAPS = {"map": 1, "map_by_name": 1, "map_at_100": 1 / 3, "map_at_1000": 1 / 2}
KEYS = re.compile("chance")


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("methods")
    methods_sweep(folder)
    return read_sweeps([folder]).rows


@pytest.fixture(scope="module")
def older(rows):
    """As earlier versions wrote them."""
    return [{key: value for key, value in row.items() if not KEYS.match(key)} for row in rows]


def _lines(table):
    return {line["setting"]: line for line in csv.DictReader(io.StringIO(comma_separated(table)))}


def _tables(rows):
    (part,) = contents(Sweeps(("made up",), (), rows, {}, {}))
    return {table.name: table for table in part.tables}


def test_every_table_of_map_has_it_in_every_form(rows):
    tables = _tables(rows)
    for name, part in MAPS.items():
        line = _lines(tables[name])["chance"]
        assert float(line["32 bits mean"]) == pytest.approx(MEAN * part)
        assert line["32 bits standard deviation"] == ""
        stated = f"{MEAN * part:.4f}"
        for form in (html, latex, markdown):
            text = form(tables[name])
            assert re.search(rf"chance.*{stated}", text, re.DOTALL)
            assert "Chance: the mAP of a database in random order." in text
    for name in ("precision_radius2", "precision_at_100", "costs"):
        assert "hance" not in comma_separated(tables[name]) + tables[name].caption


def test_each_unseen_class_and_each_kind_of_query_has_its_own(rows):
    tables = _tables(rows)
    line = _lines(tables["unseen_classes"])["chance"]
    for unseen in CLASSES:
        assert float(line[f"{unseen} mean"]) == pytest.approx(CHANCE[unseen])
    line = _lines(tables["generalised"])["itq"]
    expected = {"unseen": CHANCE.values(), "seen": [one / 2 for one in CHANCE.values()]}
    expected["harmonic"] = [one / 1.5 for one in CHANCE.values()]
    for kind, values in expected.items():
        assert float(line[f"chance of {kind} mean"]) == pytest.approx(np.mean(list(values)))
        assert line[f"chance of {kind} best"] == "0"
    assert float(_lines(tables["tie_rules"])["itq"]["chance mean"]) == pytest.approx(MEAN)


def test_settings_with_other_data_splits_have_a_range(rows):
    moved = [row | {"chance": row["chance"] + 0.05} if row["method"] == "itq" else row for row in rows]
    line = metric_table(moved, "mean_average_precision", "mAP", name="map").lines[-1]
    assert line.entries[0].text == f"{MEAN:.4f} to {MEAN + 0.05:.4f}"
    assert line.entries[0].numbers["mean"] == pytest.approx(MEAN + 0.05 / 4)


def _printed(table):
    console = Console(file=io.StringIO(), width=400)
    console.print(table)
    return printed(console.file.getvalue())[0]


def test_the_terminal_has_it_beside_map(rows):
    table = _printed(results_table(rows, (100, 1000)))
    assert list(table[0])[2:5] == ["mAP", "chance", "mAP worst"]
    assert {line["chance"] for line in table} == {f"{MEAN:.4f}"}
    for line in _printed(unseen_table(rows)):
        assert line["chance"] == f"{CHANCE[line['unseen']]:.4f}"


def test_figures_draw_it(rows):
    (line,) = [line for line in metric_against(rows).axes[0].lines if line.get_label() == "chance"]
    np.testing.assert_allclose(line.get_ydata(), MEAN)
    axes = unseen_bars([row for row in rows if row["bits"] == 16]).axes[0]
    (marks,) = [one for one in axes.collections if one.get_label() == "chance"]
    found = [segment[0, 0] for segment in marks.get_segments()]
    np.testing.assert_allclose(found, list(CHANCE.values()))
    by_time = metric_against(rows, metric="seconds").axes[0]
    assert "chance" not in [line.get_label() for line in by_time.lines]


def test_rows_of_earlier_versions_do_without(older):
    for table in _tables(older).values():
        assert "hance" not in comma_separated(table) + table.caption
    assert "chance" not in _printed(results_table(older))[0]
    assert "chance" not in _printed(unseen_table(older))[0]
    assert "chance" not in [line.get_label() for line in metric_against(older).axes[0].lines]
    assert unseen_class_table(older, name="u").lines[-1].head[1] != "chance"


def test_rows_that_have_it_are_enough_where_others_lack_it(rows, older):
    mixed = [row for row in rows if row["method"] == "itq"] + [row for row in older if row["method"] != "itq"]
    line = metric_table(mixed, "mean_average_precision", "mAP", name="map").lines[-1]
    assert line.head == ("chance",)
    assert line.entries[0].text == f"{MEAN:.4f}"
    table = _printed(results_table(mixed))
    assert {line["chance"] for line in table if line["method"] == "zsh"} == {"-"}
