"""Tables of a report, as HTML, CSV and LaTeX, against the same figures taken by NumPy and SciPy from the results."""

import csv
import io

import numpy as np
import pytest
from report_sweeps import CLASSES, SEEDS, methods_sweep, variants_sweep
from scipy import stats

from zsh_jax.report.contents import contents
from zsh_jax.report.read import read_sweeps
from zsh_jax.report.series import as_variants, series
from zsh_jax.report.significance import among_the_best, mean_ranks, p_value
from zsh_jax.report.tables.comparison import difference_table, metric_table, unseen_class_table
from zsh_jax.report.tables.csv import comma_separated
from zsh_jax.report.tables.html import html
from zsh_jax.report.tables.latex import latex
from zsh_jax.report.tables.markdown import markdown
from zsh_jax.report.tables.side_by_side import bit_table, cost_table, generalised_table, tie_rule_table

METHODS, BITS = ("zsh", "itq", "sdh", "lsh"), (16, 32, 64)


@pytest.fixture(scope="module")
def methods(tmp_path_factory):
    folder = tmp_path_factory.mktemp("methods")
    results = methods_sweep(folder)
    return read_sweeps([folder]), results


def _cube(results, metric, method, bits):
    """(seed, unseen), from what was written rather than from what was read."""
    found = np.full((len(SEEDS), len(CLASSES)), np.nan)
    for cell, metrics, *_ in results:
        if cell["method"] == method and cell["bits"] == bits:
            found[SEEDS.index(cell["seed"]), CLASSES.index(cell["unseen"])] = metrics[metric]
    return found


def _parsed(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_every_figure_is_that_of_numpy_in_all_forms(methods):
    sweeps, results = methods
    table = metric_table(sweeps.rows, "mean_average_precision", "mAP", name="map")
    pipes = {row.split(" | ")[0]: row.split(" | ")[1:] for row in markdown(table).splitlines()[2:]}
    page, lines, tex = (
        html(table),
        {line["setting"]: line for line in _parsed(comma_separated(table))},
        latex(table),
    )
    assert list(lines) == [*METHODS, "cosine", "chance"]
    for method, bits in [(method, bits) for method in METHODS for bits in BITS] + [("cosine", 0)]:
        seeds = _cube(results, "mean_average_precision", method, bits).mean(axis=1)
        head = f"{bits} bits" if bits else "unhashed"
        np.testing.assert_allclose(float(lines[method][f"{head} mean"]), seeds.mean(), rtol=1e-12)
        np.testing.assert_allclose(
            float(lines[method][f"{head} standard deviation"]), seeds.std(ddof=1), rtol=1e-12
        )
        mean, deviation = f"{seeds.mean():.4f}", f"{seeds.std(ddof=1):.4f}"
        assert f"{mean} ± {deviation}" in page
        assert rf"{mean} $\pm$ {deviation}" in tex
        place = table.columns.index(head)
        assert pipes[f"| {method}"][place].strip(" |*") == f"{mean} ± {deviation}"
    assert lines["zsh"]["unhashed mean"] == lines["cosine"]["16 bits mean"] == ""


@pytest.mark.parametrize("divisor", ["", "_min", "_found"])
def test_map_at_each_cut_off_has_a_table(methods, divisor):
    sweeps, results = methods
    (part,) = contents(sweeps)
    tables = {table.name: table for table in part.tables}
    for place, n in enumerate((100, 1000)):
        lines = {line["setting"]: line for line in _parsed(comma_separated(tables[f"map_at{divisor}_{n}"]))}
        for method in METHODS:
            seeds = np.mean(
                [
                    [
                        metrics[f"mean_average_precision_at{divisor}"][place]
                        for cell, metrics, *_ in results
                        if (cell["method"], cell["bits"], cell["seed"]) == (method, 32, seed)
                    ]
                    for seed in SEEDS
                ],
                axis=1,
            )
            np.testing.assert_allclose(float(lines[method]["32 bits mean"]), seeds.mean(), rtol=1e-12)


def test_bold_is_the_best_and_what_scipy_cannot_tell_from_it(methods):
    sweeps, results = methods
    table = metric_table(sweeps.rows, "precision_radius2", "P", name="p")
    marked = {line["setting"]: line for line in _parsed(comma_separated(table))}
    for bits in BITS:
        cubes = {method: _cube(results, "precision_radius2", method, bits) for method in METHODS}
        best = max(METHODS, key=lambda method: cubes[method].mean())
        for method in METHODS:
            p = 1.0 if method == best else stats.ttest_rel(cubes[best].ravel(), cubes[method].ravel()).pvalue
            assert marked[method][f"{bits} bits best"] == str(int(p >= 0.05))
    bold = [entry.text for line in table.lines for entry in line.entries if entry and entry.best]
    assert html(table).count("<strong>") == latex(table).count(r"\textbf{") == len(bold)
    assert markdown(table).count("**") == 2 * len(bold)


def test_a_mean_over_fewer_classes_says_so_and_is_never_the_best(methods):
    sweeps, results = methods
    rows = [row for row in sweeps.rows if (row["method"], row["unseen"]) != ("sdh", CLASSES[0])]
    lines = {
        line.head[0]: line for line in metric_table(rows, "mean_average_precision", "mAP", name="m").lines
    }
    for place, bits in enumerate(BITS):
        entry = lines["sdh"].entries[place]
        seeds = _cube(results, "mean_average_precision", "sdh", bits)[:, 1:].mean(axis=1)
        assert entry.text == f"{seeds.mean():.4f} ± {seeds.std(ddof=1):.4f} (2 of 3 classes)"
        assert not entry.best
        assert lines["zsh"].entries[place].best
        assert entry.numbers["mean"] > lines["zsh"].entries[place].numbers["mean"]


def test_p_values_are_scipys():
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 12))
    pairs = [dict(enumerate(values)) for values in (one, other + 0.3)]
    np.testing.assert_allclose(p_value(*pairs), stats.ttest_rel(one, other + 0.3).pvalue, rtol=1e-12)
    # Over the pairs that both have, and that are finite.
    fewer = pairs[0] | {3: np.nan, 99: 1.0}
    kept = np.delete(np.arange(12), 3)
    np.testing.assert_allclose(
        p_value(fewer, pairs[1]), stats.ttest_rel(one[kept], other[kept] + 0.3).pvalue, rtol=1e-12
    )


def test_what_is_equal_is_as_good_and_what_is_alone_has_no_equal():
    same, steady = {0: 0.5, 1: 0.7}, {0: 0.25, 1: 0.45}
    assert p_value(same, dict(same)) == 1.0
    assert p_value({0: 0.5, 1: 0.75}, {0: 0.25, 1: 0.5}) == 0.0  # always less by the same
    assert np.isnan(p_value({0: 0.5}, {0: 0.4}))
    assert among_the_best([0.6, 0.6, 0.3, np.nan], [same, same, steady, {}]) == [True, True, False, False]
    assert among_the_best([0.6], [same]) == [False]
    assert among_the_best([0.6, 0.5], [{0: 0.6}, {0: 0.5}]) == [True, False]


def test_ranks_over_what_all_have(methods):
    sweeps, results = methods
    table = metric_table(sweeps.rows, "mean_average_precision", "mAP", name="map", rank=True)
    cubes = np.array(
        [[_cube(results, "mean_average_precision", m, b).ravel() for b in BITS] for m in METHODS]
    )
    expected = stats.rankdata(-cubes.reshape(len(METHODS), -1), axis=0).mean(axis=1)
    stated = {line["setting"]: line["rank mean"] for line in _parsed(comma_separated(table))}
    np.testing.assert_allclose([float(stated[method]) for method in METHODS], expected)
    assert stated["cosine"] == ""
    assert mean_ranks([{0: 1.0, 1: 2.0}, {0: 3.0, 1: np.nan}]) == [2.0, 1.0]


def test_one_unseen_class_at_a_time(methods):
    sweeps, results = methods
    table = unseen_class_table(sweeps.rows, name="unseen")
    lines = {(line["bits"], line["setting"]): line for line in _parsed(comma_separated(table))}
    assert len(lines) == len(METHODS) * len(BITS) + 2  # a bound, and chance
    for method, bits in ((m, b) for m in METHODS for b in BITS):
        cube = _cube(results, "mean_average_precision", method, bits)
        for place, unseen in enumerate(CLASSES):
            stated = float(lines[f"{bits} bits", method][f"{unseen} mean"])
            np.testing.assert_allclose(stated, cube[:, place].mean(), rtol=1e-12)


def _by_bits(table):
    return {(line["bits"], line["setting"]): line for line in _parsed(comma_separated(table))}


def test_costs_are_means_over_seeds_by_image_and_by_query(methods):
    sweeps, results = methods
    lines = _by_bits(cost_table(sweeps.rows, name="s"))
    for method in METHODS:
        line = lines["32 bits", method]
        seconds, encode, evaluate = (
            _cube(results, f"{name}seconds", method, 32).mean() for name in ("", "encode_", "evaluate_")
        )
        np.testing.assert_allclose(float(line["training s mean"]), seconds)
        np.testing.assert_allclose(float(line["encoding µs an image mean"]), 1e6 * encode / 9000)
        stated = float(line["search and evaluation µs a query mean"])
        np.testing.assert_allclose(stated, 1e6 * evaluate / 130)
    assert lines["unhashed", "cosine"]["encoding µs an image mean"] == ""


def test_costs_of_rows_without_counts_are_those_of_training_alone(methods):
    sweeps, _ = methods
    lost = ("encoded_samples", "evaluated_queries")
    old = [{key: value for key, value in row.items() if key not in lost} for row in sweeps.rows]
    assert cost_table(old, name="s").columns == ("training s",)


def test_the_tie_rules_beside_each_other(methods):
    sweeps, results = methods
    lines = _by_bits(tie_rule_table(sweeps.rows, name="t"))
    names = {"tie-aware": "mean_average_precision"}
    names |= {f"{rule} order": f"mean_average_precision_{rule}" for rule in ("worst", "best")}
    for method, bits in ((m, b) for m in METHODS for b in BITS):
        for head, metric in names.items():
            line = lines[f"{bits} bits", method]
            cubes = {name: _cube(results, metric, name, bits) for name in METHODS}
            seeds = cubes[method].mean(axis=1)
            np.testing.assert_allclose(float(line[f"{head} mean"]), seeds.mean())
            np.testing.assert_allclose(float(line[f"{head} standard deviation"]), seeds.std(ddof=1))
            best = max(METHODS, key=lambda name, cubes=cubes: cubes[name].mean())
            p = 1.0 if method == best else stats.ttest_rel(cubes[best].ravel(), cubes[method].ravel()).pvalue
            assert line[f"{head} best"] == str(int(p >= 0.05))


def test_generalised_setting_is_of_the_cells_that_were_asked_so(methods):
    sweeps, results = methods
    lines = _by_bits(generalised_table(sweeps.rows, name="g"))
    assert set(lines) == {(f"{bits} bits", m) for bits in BITS for m in ("zsh", "itq")} | {
        ("unhashed", "cosine")
    }
    for head, name in {"unseen": "", "seen": "_seen", "harmonic": "_harmonic"}.items():
        expected = _cube(results, f"mean_average_precision{name}", "itq", 16).mean()
        np.testing.assert_allclose(float(lines["16 bits", "itq"][f"{head} mean"]), expected)


def test_bit_statistics_have_no_best(methods):
    sweeps, results = methods
    table = bit_table(sweeps.rows, name="b")
    lines = _by_bits(table)
    assert ("unhashed", "cosine") not in lines
    heads = ("balance", "correlation", "distinct", "codes a class")
    names = ("bit_balance", "bit_correlation", "distinct_codes", "codes_per_class")
    for head, name in zip(heads, names, strict=True):
        stated = float(lines["64 bits", "sdh"][f"{head} mean"])
        np.testing.assert_allclose(stated, _cube(results, name, "sdh", 64).mean())
    assert not any(entry.best for line in table.lines for entry in line.entries)


def test_differences_are_paired_one_setting_at_a_time(tmp_path):
    results = variants_sweep(tmp_path)
    rows = read_sweeps([tmp_path]).rows
    table = difference_table(as_variants(rows, "published"), "published", name="d")
    lines = {(line["variant"], line["bits"]): line for line in _parsed(comma_separated(table))}
    assert len(lines) == 2 * 2 + 9  # two variants at two code lengths, and each place of the grid

    def values(wanted):
        found = [
            (cell["seed"], cell["unseen"], metrics["mean_average_precision"])
            for cell, metrics, *_ in results
            if wanted.items() <= cell.items()
        ]
        return np.array([value for *_, value in sorted(found)])

    base = values({"variant": "published", "bits": 16})
    for name, wanted in {
        "coupled": {"variant": "coupled", "bits": 16},
        "grid, lam 0.0001, alpha 0.001": {"variant": "grid", "lam": 0.0001, "alpha": 0.001},
    }.items():
        found = stats.ttest_1samp(values(wanted) - base, 0)
        low, high = found.confidence_interval(0.95)
        line = lines[name, "16"]
        stated = [float(line[f"mAP {part}"]) for part in ("mean", "low", "high", "pairs")]
        np.testing.assert_allclose(stated, [(values(wanted) - base).mean(), low, high, 9], rtol=1e-9)


def test_names_of_settings(tmp_path):
    methods_sweep(tmp_path / "one")
    variants_sweep(tmp_path / "two")
    rows = read_sweeps([tmp_path / "two", tmp_path / "one"]).rows
    names = [one.label for one in series(rows)]
    assert names[:3] == ["published", "coupled", "no_rotation"]
    assert names[-5:] == ["zsh", "itq", "sdh", "lsh", "cosine"]
    assert "grid, lam 1, alpha 0" in names
    assert len(names) == len(set(names)) == 3 + 9 + 5
    with_bits = [one.label for one in series([row for row in rows if row["method"] == "itq"], apart_from=())]
    assert with_bits == ["16 bits", "32 bits", "64 bits"]
