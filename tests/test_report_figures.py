"""What the figures of a report draw, read back from matplotlib, against NumPy."""

import numpy as np
import pytest
from report_sweeps import CLASSES, SEEDS, identity, methods_sweep, result, variants_sweep

from zsh_jax.report.chosen_figures import LINES, chosen_figures
from zsh_jax.report.figures.against import metric_against
from zsh_jax.report.figures.differences import differences
from zsh_jax.report.figures.heat_map import grids, heat_map
from zsh_jax.report.figures.objective import objective_by_iteration, relative_traces
from zsh_jax.report.figures.precision_at import precision_at
from zsh_jax.report.figures.precision_recall import precision_recall
from zsh_jax.report.figures.style import COLOURS, pdf, png
from zsh_jax.report.figures.unseen_bars import unseen_bars
from zsh_jax.report.paired import paired_differences
from zsh_jax.report.read import read_sweeps
from zsh_jax.report.series import as_variants, leading, series

METHODS, BITS = ("zsh", "itq", "sdh", "lsh"), (16, 32, 64)


@pytest.fixture(scope="module")
def sweeps(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweeps")
    return {
        "methods": (methods_sweep(folder / "methods"), read_sweeps([folder / "methods"])),
        "variants": (variants_sweep(folder / "variants"), read_sweeps([folder / "variants"])),
    }


def _mean(results, metric, **wanted):
    found = [metrics[metric] for cell, metrics, *_ in results if wanted.items() <= cell.items()]
    assert found
    return np.mean(found, axis=0)


def _by_label(figure):
    (axes,) = [one for one in figure.axes if one.get_label() != "<colorbar>"]
    handles, labels = axes.get_legend_handles_labels()
    return dict(zip(labels, handles, strict=True)), axes


def test_map_against_bits(sweeps):
    results, found = sweeps["methods"]
    drawn, axes = _by_label(metric_against(found.rows))
    for method in METHODS:
        line = drawn[method].lines[0]
        assert list(line.get_xdata()) == list(BITS)
        expected = [_mean(results, "mean_average_precision", method=method, bits=bits) for bits in BITS]
        np.testing.assert_allclose(line.get_ydata(), expected)
        (bars,) = drawn[method].lines[2]
        for bits, segment in zip(BITS, bars.get_segments(), strict=True):
            seeds = [
                _mean(results, "mean_average_precision", method=method, bits=bits, seed=s) for s in SEEDS
            ]
            np.testing.assert_allclose(np.ptp(segment[:, 1]), 2 * np.std(seeds, ddof=1))
    np.testing.assert_allclose(
        drawn["cosine"].get_ydata(), _mean(results, "mean_average_precision", method="cosine")
    )
    low, high = axes.get_ylim()
    heights = [y for method in METHODS for y in drawn[method].lines[0].get_ydata()]
    assert low < min(heights) < max(heights) < high
    assert [label.get_text() for label in axes.get_xticklabels()] == ["16", "32", "64"]


def test_curves_over_radii_and_at_n(sweeps):
    results, found = sweeps["methods"]
    rows = [row for row in found.rows if row["bits"] == 32]
    drawn, _ = _by_label(precision_recall(rows))
    at, _ = _by_label(precision_at(rows))
    for method in METHODS:
        line = drawn[method]
        np.testing.assert_allclose(line.get_xdata(), _mean(results, "recall_curve", method=method, bits=32))
        np.testing.assert_allclose(
            line.get_ydata(), _mean(results, "precision_curve", method=method, bits=32)
        )
        assert list(line.get_markevery()) == [2]
        expected = _mean(results, "precision_at", method=method, bits=32)
        np.testing.assert_allclose(at[method].lines[0].get_ydata(), expected)
        assert list(at[method].lines[0].get_xdata()) == [100, 1000]


def test_bars_of_each_unseen_class(sweeps):
    results, found = sweeps["methods"]
    drawn, axes = _by_label(unseen_bars([row for row in found.rows if row["bits"] == 16]))
    for method in METHODS:
        expected = [
            _mean(results, "mean_average_precision", method=method, bits=16, unseen=unseen)
            for unseen in CLASSES
        ]
        np.testing.assert_allclose([bar.get_width() for bar in drawn[method]], expected)
    assert len(axes.get_yticklabels()) == len(CLASSES)


def test_only_axes_that_were_swept_against_each_other_make_a_heat_map(sweeps):
    results, found = sweeps["variants"]
    assert grids(sweeps["methods"][1].rows) == []
    ((across, down, rows),) = grids(found.rows)
    assert (across, down) == ("lam", "alpha")
    figure = heat_map(rows, across, down)
    values = figure.axes[0].images[0].get_array()
    expected = [
        [
            _mean(results, "mean_average_precision", variant="grid", lam=x, alpha=y)
            for x in (0.0001, 0.01, 1.0)
        ]
        for y in (0.0, 1e-5, 1e-3)
    ]
    np.testing.assert_allclose(np.asarray(values), expected)
    # One axis at a time makes a star, and no grid.
    star = [row for row in rows if row["lam"] == 0.01 or row["alpha"] == 0.0]
    assert grids(star) == []


def test_differences_stand_from_best_to_worst_with_their_intervals(sweeps):
    _, found = sweeps["variants"]
    rows = as_variants(found.rows, "published")
    figure = differences(rows, "published")
    axes = figure.axes[0]
    expected = paired_differences(rows, reference="published")
    names = [label.get_text().replace("\n", " ") for label in axes.get_yticklabels()]
    assert sorted(names) == sorted({one.variant for one in expected})
    drawn = [container.lines[0].get_xdata()[0] for container in axes.containers]
    np.testing.assert_allclose(sorted(drawn), sorted(one.mean for one in expected))
    ends = sorted(tuple(container.lines[2][0].get_segments()[0][:, 0]) for container in axes.containers)
    np.testing.assert_allclose(ends, sorted((one.low, one.high) for one in expected))
    means = [np.mean([one.mean for one in expected if one.variant == name]) for name in names]
    assert means == sorted(means, reverse=True)


def test_the_objective_relative_to_its_first_value(sweeps):
    results, found = sweeps["methods"]
    rows = [row for row in found.rows if row["bits"] == 16]
    drawn, _ = _by_label(objective_by_iteration(rows, found.history))
    traces = [
        one.history["objective"] for one in results if one.cell["method"] == "zsh" and one.cell["bits"] == 16
    ]
    longest = max(map(len, traces))
    expected = np.mean([[*t, *[t[-1]] * (longest - len(t))] / t[0] for t in traces], axis=0)
    assert len({len(t) for t in traces}) > 1
    np.testing.assert_allclose(drawn["zsh"].get_ydata(), expected)
    assert relative_traces(rows, {}).size == 0


def test_a_report_draws_what_there_is_and_no_more(sweeps):
    _, found = sweeps["methods"]
    names = {one.name for one in chosen_figures(found.rows, (), found.history)}
    assert {"map", "map_by_name", "training_time", "objective_16_bits", "unseen_classes_64_bits"} <= names
    assert {"precision_recall_32_bits", "precision_at_32_bits"} <= names
    without = {one.name for one in chosen_figures(found.rows, (), {})}
    assert names - without == {f"objective_{bits}_bits" for bits in BITS}
    single = [row for row in found.rows if row["bits"] == 16 and row["unseen"] == CLASSES[0]]
    assert {one.name for one in chosen_figures(single, (), {})} == {
        "precision_recall_16_bits",
        "precision_at_16_bits",
    }


def test_one_setting_keeps_its_look_in_all_figures(sweeps):
    _, found = sweeps["methods"]
    colours = {}
    for figure in chosen_figures(found.rows, (), found.history):
        for label, handle in _by_label(figure.figure)[0].items():
            line = handle.lines[0] if hasattr(handle, "lines") else handle
            if hasattr(line, "get_color"):
                colours.setdefault(label, set()).add(str(line.get_color()))
    assert all(len(colours[method]) == 1 for method in METHODS)
    assert len(set.union(*(colours[method] for method in METHODS))) == len(METHODS)
    assert set.union(*(colours[method] for method in METHODS)) <= set(COLOURS)


def test_figures_show_the_highest_and_the_reference_where_there_are_too_many():
    rows = [
        result(cell, level=level).metrics | cell
        for level in np.linspace(0.1, 0.3, 12)
        for bits in (16, 32)
        for cell in [identity(variant=f"v{level:.3f}", bits=bits)]
    ]
    kept = [one.label for one in series(leading(rows, LINES, keep=("v0.100",)))]
    assert kept == ["v0.100", *[f"v{level:.3f}" for level in np.linspace(0.1, 0.3, 12)[-7:]]]


def test_the_same_bytes_each_time(sweeps):
    _, found = sweeps["methods"]
    for save, start in ((png, b"\x89PNG"), (pdf, b"%PDF")):
        one, other = (save(metric_against(found.rows)) for _ in range(2))
        assert one == other
        assert one.startswith(start)
        assert b"Date" not in one
