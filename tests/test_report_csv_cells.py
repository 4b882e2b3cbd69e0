"""Cells of CSV that a spreadsheet would run are made inert; numbers stay numbers, and every text can be read back."""

import csv
import io

import pytest

from zsh_jax.report.tables.csv import comma_separated, inert
from zsh_jax.report.tables.table import Entry, Line, Table
from zsh_jax.tracking.wandb_runs import _number

FORMULAS = [
    '=HYPERLINK("http://a","b")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "\u200b=1",
    "\uff1d1+1",
    "-zsh",
    "-",
    "+inf",
]
TEXTS = ["zsh", "c=1", "a+b", "no-rotation", "1e-05, -0.5", "", "'tis", "猫=犬", '"', "a;b", "lam -0.5"]
NUMBERS = ["-0.5", "+0.5", "16", "-1e-05", "-.5", "0"]


def _read(*texts, delimiter=","):
    """What programs read of a table with these texts as heads, columns, names of lines."""
    entry = Entry("x", {"mean": -0.5, "low": 1e-7})
    lines = tuple(Line((text,), (entry,) * len(texts)) for text in texts)
    table = Table("t", "c", (texts[0],), texts, lines)
    return list(csv.reader(io.StringIO(comma_separated(table), newline=""), delimiter=delimiter))


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_text_is_a_formula(formula):
    heads, line = _read(formula)
    assert heads == [f"'{formula}", f"'{formula} mean", f"'{formula} low"]
    assert line == [f"'{formula}", "-0.5", "1e-07"]
    assert [_number(text) for text in line] == [f"'{formula}", -0.5, 1e-07]  # as tables of W&B have it


@pytest.mark.parametrize("text", TEXTS + NUMBERS)
def test_what_is_no_formula_stays_as_it_is(text):
    assert inert(text) == text
    heads, line = _read(text)
    assert line == [text, "-0.5", "1e-07"]
    assert heads[1:] in ([f"{text} mean", f"{text} low"], [f"'{text} mean", f"'{text} low"])


def test_no_cell_begins_anew_where_another_separator_is_read():
    texts = ["a;=1+1", 'b";=1+1', "c|=1", "d\n=1"]
    for delimiter in ",;|":
        for line in _read(*texts, delimiter=delimiter):
            assert not any(cell.startswith("=") for cell in line)


def test_figures_that_are_not_finite_are_left_empty():
    lines = (Line(("l",), (Entry("x", {"mean": float("-inf"), "low": float("nan")}),)),)
    assert comma_separated(Table("t", "c", ("h",), ("m",), lines)).splitlines()[1] == "l,,"
