"""Paired differences to a reference variant, against SciPy's paired t test."""

import io

import numpy as np
import pytest
from printed import tables
from report_sweeps import identity, variants_sweep
from rich.console import Console
from scipy import stats

from zsh_jax.errors import InputError
from zsh_jax.report.paired import mean_interval, paired_differences
from zsh_jax.report.read import read_sweeps
from zsh_jax.report.table import paired_table

UNSEEN, SEEDS, BITS = ("cat", "dog", "elk"), (0, 1), (16, 32)


def _rows(**changes):
    rng = np.random.default_rng(0)
    rows = []
    for variant, lam in (("full", 0.01), ("plain", 0.01), ("heavy", 1.0)):
        for bits in BITS:
            for unseen in UNSEEN:
                for seed in SEEDS:
                    row = {"variant": variant, "bits": bits, "unseen": unseen, "seed": seed, "lam": lam}
                    rows.append(row | {"mean_average_precision": float(rng.random())} | changes)
    return rows


def _values(rows, variant, bits):
    found = {
        (r["unseen"], r["seed"]): r["mean_average_precision"]
        for r in rows
        if r["variant"] == variant and r["bits"] == bits
    }
    return np.array([found[key] for key in sorted(found)])


@pytest.mark.parametrize("shuffle", [False, True])
def test_differences_and_intervals_are_those_of_a_paired_t_test(shuffle):
    rows = _rows()
    if shuffle:
        rows = [rows[i] for i in np.random.default_rng(1).permutation(len(rows))]
    found = paired_differences(rows, reference="full")
    assert {(one.variant, one.setting["bits"]) for one in found} == {
        (variant, bits) for variant in ("plain", "heavy") for bits in BITS
    }
    for one in found:
        other, base = (_values(rows, name, one.setting["bits"]) for name in (one.variant, "full"))
        test = stats.ttest_rel(other, base)
        low, high = test.confidence_interval(0.95)
        np.testing.assert_allclose((one.mean, one.low, one.high), ((other - base).mean(), low, high))
        assert one.pairs == 6


def test_a_pair_without_its_partner_or_without_a_value_is_left_out():
    rows = _rows()
    rows = [r for r in rows if not (r["variant"] == "full" and r["unseen"] == "cat" and r["bits"] == 16)]
    damaged = next(r for r in rows if r["variant"] == "plain" and r["bits"] == 32)
    damaged["mean_average_precision"] = float("nan")
    pairs = {
        (one.variant, one.setting["bits"]): one.pairs for one in paired_differences(rows, reference="full")
    }
    assert pairs == {("plain", 16): 4, ("plain", 32): 5, ("heavy", 16): 4, ("heavy", 32): 6}


def test_equal_variants_differ_by_nothing():
    rows = _rows(mean_average_precision=0.25)
    for one in paired_differences(rows, reference="full"):
        assert (one.mean, one.low, one.high) == (0, 0, 0)


def test_an_axis_along_which_the_reference_varies_makes_pairs():
    rows = [row | {"alpha": alpha} for alpha in (0.1, 1.0) for row in _rows()]
    found = paired_differences(rows, reference="full")
    assert {(one.setting["bits"], one.setting["alpha"]) for one in found} == {
        (bits, alpha) for bits in BITS for alpha in (0.1, 1.0)
    }
    assert all(one.pairs == 6 for one in found)


def _printed(table):
    console = Console(width=200, file=io.StringIO())
    console.print(table)
    return tables(console.file.getvalue())[0]


def test_the_table_pools_no_two_points_of_a_grid_that_a_variant_alone_has(tmp_path):
    results = variants_sweep(tmp_path)
    lines = {
        (line["variant"], line["bits"]): line
        for line in _printed(paired_table(read_sweeps([tmp_path]).rows, "published"))
    }
    assert len(lines) == 2 * 2 + 9  # two variants at two code lengths, and each place of the grid

    def values(metric, **wanted):
        found = [(c["seed"], c["unseen"], m[metric]) for c, m, *_ in results if wanted.items() <= c.items()]
        return np.array([value for *_, value in sorted(found)])

    for name, wanted in {
        "coupled": {"variant": "coupled", "bits": 16},
        "grid, lam 0.0001, alpha 0.001": {"variant": "grid", "lam": 0.0001, "alpha": 0.001},
    }.items():
        line = lines[name, "16"]
        assert line["pairs"] == "9"
        for column, metric in (
            ("mAP", "mean_average_precision"),
            ("mAP by name", "mean_average_precision_by_name"),
        ):
            difference = values(metric, **wanted) - values(metric, variant="published", bits=16)
            low, high = stats.ttest_1samp(difference, 0).confidence_interval(0.95)
            assert line[column] == f"{difference.mean():+.4f} [{low:+.4f}, {high:+.4f}]"


def test_the_table_pairs_bounds_that_are_not_hashing_with_each_other():
    rows = [
        identity(variant, variant, bits=0, seed=seed) | {"mean_average_precision": level + seed}
        for variant, level in (("cosine", 0.3), ("semantic", 0.4))
        for seed in (0, 1)
    ]
    (line,) = _printed(paired_table(rows, "cosine"))
    assert (line["variant"], line["mAP"], line["pairs"]) == ("semantic", "+0.1000 [+0.1000, +0.1000]", "2")


def test_what_cannot_be_paired_is_named():
    with pytest.raises(
        InputError, match="reference: there is no variant 'whole'; fix: use one of full, plain, heavy"
    ):
        paired_differences(_rows(), reference="whole")
    with pytest.raises(InputError, match="has two cells of the same seed"):
        paired_differences(_rows() * 2, reference="full")


def test_too_few_values_have_no_interval():
    assert np.isnan(mean_interval([])).all()
    mean, low, high = mean_interval([2.0])
    assert mean == 2
    assert np.isnan([low, high]).all()
