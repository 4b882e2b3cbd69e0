"""Rows of several methods, which lack each other's axes: tabulated, drawn and paired, against NumPy."""

import csv
import io

import numpy as np
import pytest
from printed import tables
from report_sweeps import CLASSES, SEEDS, write_sweep
from rich.console import Console
from scipy import stats

from zsh_jax.report.chosen_figures import chosen_figures
from zsh_jax.report.figures.heat_map import grids
from zsh_jax.report.paired import paired_differences
from zsh_jax.report.read import read_sweeps
from zsh_jax.report.series import as_variants, series
from zsh_jax.report.summary import summarise, varied
from zsh_jax.report.table import paired_table, results_table, unseen_table
from zsh_jax.report.tables.comparison import difference_table, metric_table
from zsh_jax.report.tables.csv import comma_separated
from zsh_jax.sweep.config import for_dataset
from zsh_jax.sweep.grid import groups

MAP = "mean_average_precision"
BITS, ALPHAS, NUS = (16, 32), (1e-5, 1e-3), (1e-5, 0.1)
OWN = {"zsh": {"alpha": ALPHAS}, "sdh": {"nu": NUS}}
METHODS = ("zsh", "sdh", "lsh")


def _cells(variants=None, **axes):
    """Identities as a sweep states them."""
    sweep = for_dataset("shapes").sweep.to_dict()
    sweep |= {"bits": BITS, "seed": SEEDS, "unseen": CLASSES}
    for name, values in axes.items():
        sweep[name] = {**sweep[name], **values} if isinstance(values, dict) else values
    for group in groups(sweep, variants or {}):
        for cell in group.cells():
            head = {
                "method": cell.program.method,
                "variant": cell.variant,
                "dataset": "shapes",
                "features": "gist",
            }
            yield head | cell.axes()


def _made(folder, cells):
    results = write_sweep(folder, list(cells), history=False)
    return [(cell, metrics[MAP]) for cell, metrics, *_ in results], read_sweeps([folder]).rows


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """One grid of three methods, two of which have an axis that moves."""
    return _made(tmp_path_factory.mktemp("plain"), _cells(method=METHODS, **OWN))


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """The same three as variants."""
    variants = {
        method: {"method": (method,)} | {k: v for k, v in OWN.items() if k == method} for method in METHODS
    }
    return _made(tmp_path_factory.mktemp("compared"), _cells(variants))


def _values(results, **wanted):
    """One value for each seed and set of unseen classes, in a fixed order."""
    found = [(c["seed"], c["unseen"], value) for c, value in results if wanted.items() <= c.items()]
    assert len(found) == len(SEEDS) * len(CLASSES)
    return np.array([value for *_, value in sorted(found)]).reshape(len(SEEDS), len(CLASSES))


def _figure(results, **wanted):
    seeds = _values(results, **wanted).mean(axis=1)
    return f"{seeds.mean():.4f} ± {seeds.std(ddof=1):.4f}"


def _printed(table):
    console = Console(file=io.StringIO(), width=400)
    console.print(table)
    return tables(console.file.getvalue())[0]


SETTINGS = [
    *[("zsh", bits, {"alpha": alpha}) for bits in BITS for alpha in ALPHAS],
    *[("sdh", bits, {"nu": nu}) for bits in BITS for nu in NUS],
    *[("lsh", bits, {}) for bits in BITS],
]


def test_a_table_has_a_column_for_an_axis_that_moves_within_a_method_and_for_no_other(plain):
    """The methods differ in lam, ridge and the like, which none of them moves: their names tell them apart."""
    results, rows = plain
    assert varied(summarise(rows, [MAP])) == ["method", "bits", "alpha", "nu"]
    printed = {
        (line["method"], line["bits"], line["alpha"], line["nu"]): line
        for line in _printed(results_table(rows))
    }
    assert list(_printed(results_table(rows))[0])[:5] == ["method", "bits", "alpha", "nu", "mAP"]
    assert len(printed) == len(SETTINGS)
    for method, bits, own in SETTINGS:
        line = printed[method, str(bits), str(own.get("alpha", "-")), str(own.get("nu", "-"))]
        assert line["mAP"] == _figure(results, method=method, bits=bits, **own)
        assert line["seeds"] == str(len(SEEDS))


def test_variants_of_one_method_each_need_no_column_for_its_fixed_axes(compared):
    _, rows = compared
    assert varied(summarise(rows, [MAP])) == ["variant", "method", "bits", "alpha", "nu"]
    fixed = [row for row in rows if row.get("alpha") in (None, ALPHAS[0]) and row.get("nu") in (None, NUS[0])]
    assert varied(summarise(fixed, [MAP])) == ["variant", "method", "bits"]


def test_each_setting_has_a_column_of_its_own_among_unseen_classes(plain):
    """An alpha and a nu of one value are two columns."""
    results, rows = plain
    for line in _printed(unseen_table(rows)):
        assert len(line) == 2 + len(SETTINGS)  # the classes, chance
        for method, bits, own in SETTINGS:
            seeds = [
                value
                for cell, value in results
                if {"method": method, "bits": bits, "unseen": line["unseen"], **own}.items() <= cell.items()
            ]
            head = " ".join([method, str(bits), *map(str, own.values())])
            assert line[head] == f"{np.mean(seeds):.4f} ± {np.std(seeds, ddof=1):.4f}"


def test_the_tables_of_the_report_name_a_setting_by_the_axes_of_its_method(plain):
    results, rows = plain
    names = ["zsh, alpha 1e-05", "zsh, alpha 0.001", "sdh, nu 1e-05", "sdh, nu 0.1", "lsh"]
    assert [one.label for one in series(rows)] == names
    text = comma_separated(metric_table(rows, MAP, "mAP", name="map"))
    lines = {line["setting"]: line for line in csv.DictReader(io.StringIO(text))}
    assert list(lines) == [*names, "chance"]
    for method, bits, own in SETTINGS:
        label = ", ".join([method, *(f"{axis} {value:g}" for axis, value in own.items())])
        seeds = _values(results, method=method, bits=bits, **own).mean(axis=1)
        np.testing.assert_allclose(float(lines[label][f"{bits} bits mean"]), seeds.mean(), rtol=1e-12)


def test_figures_are_drawn_along_the_axes_of_each_method(plain):
    results, rows = plain
    drawn = {one.name: one.figure for one in chosen_figures(rows, (), {})}
    against = {name for name in drawn if name.startswith("map_against")}
    assert against == {"map_against_alpha_zsh", "map_against_nu_sdh"}
    assert [(across, down) for across, down, _ in grids(rows)] == [("bits", "alpha"), ("bits", "nu")]
    for name, method, axis, values in (
        ("map_against_alpha_zsh", "zsh", "alpha", ALPHAS),
        ("map_against_nu_sdh", "sdh", "nu", NUS),
    ):
        handles, labels = drawn[name].axes[0].get_legend_handles_labels()
        lines = dict(zip(labels, handles, strict=True))
        for bits in BITS:
            line = lines[f"{method}, {bits} bits"].lines[0]
            assert tuple(line.get_xdata()) == values
            expected = [
                _values(results, method=method, bits=bits, **{axis: value}).mean() for value in values
            ]
            np.testing.assert_allclose(line.get_ydata(), expected)
    handles, labels = drawn["map"].axes[0].get_legend_handles_labels()
    assert set(labels) == {one.label for one in series(rows)} | {"chance"}


def _stated(difference):
    low, high = stats.ttest_1samp(difference.ravel(), 0).confidence_interval(0.95)
    return f"{difference.mean():+.4f} [{low:+.4f}, {high:+.4f}]"


def test_a_method_that_lacks_an_axis_of_the_reference_is_paired_with_each_of_its_values(compared):
    results, rows = compared
    printed = _printed(paired_table(rows, "zsh"))
    assert list(printed[0])[:4] == ["variant", "bits", "alpha", "mAP"]
    lines = {(line["variant"], line["bits"], line["alpha"]): line for line in printed}
    others = [("lsh", {}), *((f"sdh, nu {nu:g}", {"nu": nu}) for nu in NUS)]
    assert len(lines) == len(printed) == len(others) * len(BITS) * len(ALPHAS)
    stated = difference_table(as_variants(rows, "zsh"), "zsh", name="d")
    written = {line.head: line.entries[0].text for line in stated.lines}
    for variant, own in others:
        for bits in BITS:
            for alpha in ALPHAS:
                base = _values(results, method="zsh", bits=bits, alpha=alpha)
                expected = _stated(
                    _values(results, variant=variant.partition(",")[0], bits=bits, **own) - base
                )
                line = lines[variant, str(bits), str(alpha)]
                assert (line["mAP"], line["pairs"]) == (expected, str(base.size))
                assert written[variant, str(bits), str(alpha)] == expected


def test_a_reference_without_axes_is_paired_with_every_setting_of_the_others(compared):
    results, rows = compared
    found = {
        (one.variant, one.setting["bits"]): one
        for one in paired_differences(as_variants(rows, "lsh"), reference="lsh")
    }
    assert len(found) == 4 * len(BITS)
    for method, bits, own in SETTINGS[:-2]:
        (value,) = own.values()
        (axis,) = own
        one = found[f"{method}, {axis} {value:g}", bits]
        difference = _values(results, method=method, bits=bits, **own) - _values(
            results, method="lsh", bits=bits
        )
        assert list(one.setting) == ["bits"]
        np.testing.assert_allclose(one.mean, difference.mean(), rtol=1e-12)
        assert one.pairs == difference.size


def test_an_axis_of_the_same_name_is_another_one_in_another_method(tmp_path):
    """SDH's lam is 1, and the reference's lam moves elsewhere: they are paired all the same."""
    variants = {"ours": {"zsh": {"lam": (0.01, 0.1)}}, "sdh": {"method": ("sdh",)}}
    results, rows = _made(tmp_path, _cells(variants, bits=(16,)))
    assert {row["lam"] for row in rows if row["variant"] == "sdh"} == {1.0}
    found = paired_differences(as_variants(rows, "ours"), reference="ours")
    assert [(one.variant, one.setting["lam"]) for one in found] == [("sdh", 0.01), ("sdh", 0.1)]
    for one in found:
        difference = _values(results, variant="sdh") - _values(
            results, variant="ours", lam=one.setting["lam"]
        )
        np.testing.assert_allclose(one.mean, difference.mean(), rtol=1e-12)


def test_a_reference_of_several_methods_is_paired_method_by_method(tmp_path):
    variants = {"few": {"anchors": (100,)}, "many": {"anchors": (300,)}}
    results, rows = _made(tmp_path, _cells(variants, bits=(16,), method=METHODS, **OWN))
    printed = _printed(paired_table(rows, "few"))
    assert list(printed[0])[:6] == ["variant", "bits", "method", "alpha", "nu", "mAP"]
    lines = {(line["method"], line["alpha"], line["nu"]): line for line in printed}
    assert len(lines) == len(printed) == 5
    for method, _, own in SETTINGS[:2] + SETTINGS[4:6] + SETTINGS[8:9]:
        difference = _values(results, variant="many", method=method, **own)
        difference = difference - _values(results, variant="few", method=method, **own)
        line = lines[method, str(own.get("alpha", "-")), str(own.get("nu", "-"))]
        assert (line["mAP"], line["pairs"]) == (_stated(difference), str(difference.size))


def test_axes_of_older_versions_tell_settings_apart_still():
    """They had `codes`, and `multiple` of what a baseline may tune."""
    base = {"method": "sdh", "variant": "", "bits": 16, "unseen": "cat"}
    rows = [base | {"seed": s, "multiple": m, MAP: 0.1 * m + s} for m in (1.0, 2.0) for s in (0, 1)]
    rows += [
        base | {"method": "zsh", "seed": 0, "codes": codes, MAP: 0.5} for codes in ("discrete", "relaxed")
    ]
    assert [one.label for one in series(rows)] == [
        "sdh, multiple 1",
        "sdh, multiple 2",
        "zsh, discrete",
        "zsh, relaxed",
    ]
    assert varied(summarise(rows, [MAP])) == ["method", "bits", "codes", "multiple"]
