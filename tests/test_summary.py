"""Summaries and tables against means and deviations taken by hand from an array of all results."""

import io
import itertools

import numpy as np
import pytest
from cells import identity
from printed import tables
from rich.console import Console

from zsh_jax.report.summary import Statistic, by_unseen, metric_of, summarise, varied
from zsh_jax.report.table import cell, plain, results_table, unseen_table

BITS, LAM, SEEDS, UNSEEN = (16, 32), (0.01, 0.1), (0, 1, 2, 7), ("cat", "dog+bird", "ship")
FIGURES = 8


@pytest.fixture
def values():
    """(bits, lam, seed, unseen, figure), figures in the order in which `_rows` names them."""
    shape = (len(BITS), len(LAM), len(SEEDS), len(UNSEEN), FIGURES)
    return np.random.default_rng(0).random(shape)


def _rows(values):
    rows = []
    for place in itertools.product(*(range(n) for n in values.shape[:-1])):
        bits, lam, seed, unseen = place
        found = values[place].tolist()
        metrics = {
            "mean_average_precision": found[0],
            "mean_average_precision_worst": found[1],
            "mean_average_precision_best": found[7],
            "precision_radius2": found[2],
            "seconds": found[3],
            "precision_at": found[4:6],
            "mean_average_precision_by_name": found[6],
            "status": "converged",
        }
        cell = identity(SEEDS[seed], BITS[bits], lam=LAM[lam], unseen=UNSEEN[unseen])
        rows.append(cell | {"cell_id": "0"} | metrics)
    np.random.default_rng(1).shuffle(rows)
    return sorted(rows, key=lambda row: (row["bits"], row["lam"]))


def _printed(table):
    console = Console(file=io.StringIO(), width=300)
    console.print(table)
    return tables(console.file.getvalue())[0]


def test_the_deviation_is_over_seeds_of_the_means_over_unseen_classes(values):
    summaries = summarise(_rows(values), ["mean_average_precision", "precision_at[1]"])
    assert [(s.setting["bits"], s.setting["lam"]) for s in summaries] == list(itertools.product(BITS, LAM))
    by_seed = values.mean(axis=3)
    for summary, seeds in zip(summaries, by_seed.reshape(-1, len(SEEDS), FIGURES), strict=True):
        assert summary.seeds == len(SEEDS)
        assert summary.cells == len(SEEDS) * len(UNSEEN)
        for name, place in (("mean_average_precision", 0), ("precision_at[1]", 5)):
            expected = (seeds[:, place].mean(), seeds[:, place].std(ddof=1))
            np.testing.assert_allclose(summary.statistics[name], expected, rtol=1e-12)


def test_a_seed_that_is_not_whole_is_left_out(values):
    rows = [
        row
        for row in _rows(values)
        if not (row["bits"] == 16 and row["lam"] == 0.01 and row["seed"] == 1 and row["unseen"] == "ship")
    ]
    first, *others = summarise(rows, ["precision_radius2"])
    kept = values[0, 0, [0, 2, 3], :, 2].mean(axis=1)
    assert first.seeds == 3
    np.testing.assert_allclose(first.statistics["precision_radius2"], (kept.mean(), kept.std(ddof=1)))
    assert {summary.seeds for summary in others} == {4}


@pytest.mark.parametrize("missing", [np.nan, np.inf, None])
def test_a_seed_with_a_figure_that_is_none_is_left_out_of_that_metric(values, missing):
    rows = _rows(values)
    (damaged,) = [
        row for row in rows if (row["bits"], row["lam"], row["seed"], row["unseen"]) == (32, 0.1, 7, "cat")
    ]
    damaged["precision_at"][1] = missing
    *others, last = summarise(rows, ["mean_average_precision", "precision_at[1]"])
    every, kept = values[1, 1].mean(axis=1), values[1, 1, :3].mean(axis=1)
    assert last.seeds == 4
    assert last.cells == 12
    np.testing.assert_allclose(last.statistics["mean_average_precision"].mean, every[:, 0].mean())
    np.testing.assert_allclose(last.statistics["precision_at[1]"].mean, kept[:, 5].mean())
    np.testing.assert_allclose(last.statistics["precision_at[1]"].deviation, kept[:, 5].std(ddof=1))
    assert {summary.seeds for summary in others} == {4}


def test_one_seed_has_no_deviation_and_none_no_mean(values):
    alone = summarise(_rows(values[:1, :1, :1]), ["seconds"])[0]
    np.testing.assert_allclose(alone.statistics["seconds"], (values[0, 0, 0, :, 3].mean(), np.nan))
    values[0, 0, 0, 1, 3] = np.nan
    nothing = summarise(_rows(values[:1, :1, :1]), ["seconds"])[0]
    assert nothing.seeds == 0
    np.testing.assert_equal(tuple(nothing.statistics["seconds"]), (np.nan, np.nan))


def test_each_set_of_unseen_classes_by_itself(values):
    found = by_unseen(_rows(values), ["mean_average_precision"])
    assert set(found) == set(UNSEEN)
    for place, unseen in enumerate(UNSEEN):
        means = [summary.statistics["mean_average_precision"].mean for summary in found[unseen]]
        np.testing.assert_allclose(means, values[:, :, :, place, 0].mean(axis=2).ravel())


def test_one_element_of_a_list_or_nothing():
    row = {"precision_at": [0.25, 0.5], "empty": None, "whole": 3}
    assert metric_of(row, "precision_at[0]") == 0.25
    assert metric_of(row, "precision_at[1]") == 0.5
    assert metric_of(row, "whole") == 3.0
    for name in ("empty", "empty[0]", "absent", "absent[2]"):
        assert np.isnan(metric_of(row, name))


def test_what_tells_settings_apart(values):
    summaries = summarise(_rows(values), ["seconds"])
    assert varied(summaries) == ["method", "bits", "lam"]
    assert varied(summaries[:1]) == ["method", "bits"]


def test_the_table_states_every_setting(values):
    table = _printed(results_table(_rows(values), cutoffs=(100, 1000)))
    assert list(table[0]) == [
        *("method", "bits", "lam", "mAP", "mAP worst", "mAP best", "mAP by name", "P r<=2"),
        *("P@100", "P@1000", "train s", "seeds"),
    ]
    by_seed = values.mean(axis=3).reshape(-1, len(SEEDS), FIGURES)
    for line, setting, seeds in zip(table, itertools.product(BITS, LAM), by_seed, strict=True):
        assert (line["bits"], line["lam"]) == tuple(map(str, setting))
        places = {
            "mAP": 0,
            "mAP worst": 1,
            "mAP best": 7,
            "mAP by name": 6,
            "P r<=2": 2,
            "P@100": 4,
            "P@1000": 5,
        }
        for column, place in places.items():
            assert line[column] == f"{seeds[:, place].mean():.4f} ± {seeds[:, place].std(ddof=1):.4f}"
        assert line["train s"] == f"{seeds[:, 3].mean():.3g}"
        assert line["seeds"] == "4"


def test_the_table_of_unseen_classes_has_a_column_for_each_setting(values):
    rows = [row for row in _rows(values) if (row["unseen"], row["bits"]) != ("ship", 32)]
    table = {line["unseen"]: line for line in _printed(unseen_table(rows))}
    assert set(table) == set(UNSEEN)
    for unseen, bits, lam in itertools.product(range(3), range(2), range(2)):
        stated = table[UNSEEN[unseen]][f"zsh {BITS[bits]} {LAM[lam]}"]
        seeds = values[bits, lam, :, unseen, 0]
        expected = f"{seeds.mean():.4f} ± {seeds.std(ddof=1):.4f}"
        assert stated == ("-" if (UNSEEN[unseen], BITS[bits]) == ("ship", 32) else expected)


def test_figures_in_words():
    assert cell(Statistic(0.25, 0.125)) == "0.2500 ± 0.1250"
    assert cell(Statistic(0.25, np.nan)) == "0.2500"
    assert cell(Statistic(np.nan, np.nan)) == plain(Statistic(np.nan, np.nan)) == "-"
    assert plain(Statistic(0.12345, np.nan)) == "0.123"
