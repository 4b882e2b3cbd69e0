"""Tables as a terminal and a file get them: every figure whole, at any width."""

import io
import itertools
import re

import numpy as np
import pytest
from cells import identity
from rich.console import Console

from zsh_jax.report.paired import paired_differences
from zsh_jax.report.printing import print_summary, print_table, say
from zsh_jax.report.series import as_variants
from zsh_jax.report.summary import by_unseen, summarise
from zsh_jax.report.table import cell, interval, unseen_table

METHODS = [f"method_{i}" for i in range(13)]
VARIANTS = ["published", "coupled", "without_rotation"]
UNSEEN = ["cat", "dog+bird", "[bold]ship[/bold] :smile:", "a name so long that it has to be folded+" * 3]
FIGURE = re.compile(r"\d+\.\d+(?: ± \d+\.\d+)?")


@pytest.fixture(scope="module")
def rows():
    """13 methods in 3 variants, each figure another."""
    rng = np.random.default_rng(0)
    found = []
    for method, variant, seed, unseen in itertools.product(METHODS, VARIANTS, (0, 1), UNSEEN):
        row = identity(seed, 32, method=method, variant=variant, unseen=unseen) | {"cell_id": "0"}
        names = ("", "_worst", "_best", "_by_name")
        row |= {f"mean_average_precision{name}": rng.random() for name in names}
        row |= {
            "precision_radius2": rng.random(),
            "precision_at": rng.random(2).tolist(),
            "seconds": rng.random(),
        }
        found.append(row | {"chance": 0.1, "status": "converged"})
    return found


def _printed(rows, *, width, terminal):
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=terminal, color_system=None)
    print_summary(console, rows, (100, 1000), "published")
    return file.getvalue()


def _figures(rows):
    metrics = ["mean_average_precision", "mean_average_precision_worst", "mean_average_precision_best"]
    metrics += ["mean_average_precision_by_name"]
    metrics += ["precision_radius2", "precision_at[0]", "precision_at[1]"]
    every = summarise(rows, metrics)
    found = [cell(one.statistics[name]) for one in every for name in metrics]
    return found + [
        cell(one.statistics[metrics[0]]) for same in by_unseen(rows, metrics[:1]).values() for one in same
    ]


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "redirected"])
@pytest.mark.parametrize("width", [80, 60, 300])
def test_every_figure_stands_whole(rows, width, terminal):
    text = _printed(rows, width=width, terminal=terminal)
    assert "…" not in text
    found = FIGURE.findall(text)
    for figure in _figures(rows):
        assert figure in found
    for one in paired_differences(as_variants(rows, "published"), reference="published"):
        assert interval(one) in text
    longest = max(map(len, text.splitlines()))
    if terminal:
        assert longest <= width
    else:
        assert longest > 300


def test_a_terminal_that_is_wide_enough_and_a_file_show_each_table_once(rows):
    few = [row for row in rows if row["method"] in METHODS[:2] and row["variant"] == "coupled"]
    table = unseen_table(few)
    texts = []
    for width, terminal in ((300, True), (80, False), (20, False)):
        file = io.StringIO()
        print_table(Console(file=file, width=width, force_terminal=terminal, color_system=None), table)
        texts.append([line.rstrip() for line in file.getvalue().splitlines()])
    assert texts[0] == texts[1] == texts[2]
    assert sum(line.startswith("┃") for line in texts[0]) == 1
    for line in texts[0]:
        if line.startswith("│"):
            assert all(re.search(r"\S $", part) for part in line.strip("│").split("│")[1:])  # to the right


def test_each_part_names_its_lines(rows):
    few = [row for row in rows if row["unseen"] == "cat"]
    text = _printed(few, width=80, terminal=True).partition("difference to")[0]
    parts = text.split("└")[:-1]
    assert len(parts) > 1
    for part in parts:
        for method in METHODS:
            assert len(re.findall(rf"\b{method}\b", part)) == len(VARIANTS)


def test_a_terminal_narrower_than_a_figure_cuts_nothing_either(rows):
    text = _printed(rows, width=12, terminal=True)
    found = FIGURE.findall(text)
    assert set(_figures(rows)) <= set(found)


def test_names_are_printed_as_they_are(rows):
    file = io.StringIO()
    console = Console(file=file, width=20)
    say(console, UNSEEN[2] * 9)
    assert file.getvalue() == UNSEEN[2] * 9 + "\n"
    assert UNSEEN[2] in _printed(rows, width=80, terminal=False)


def test_without_a_single_metric():
    bare = [identity(seed, 16) | {"cell_id": "0"} for seed in (0, 1)]
    assert "-" in _printed([row | {"variant": "published"} for row in bare], width=80, terminal=True)
