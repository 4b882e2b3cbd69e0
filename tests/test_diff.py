"""`zsh-jax diff`: what is paired with what, and the intervals of SciPy."""

from pathlib import Path

import numpy as np
import pytest
from printed_tables import csv_lines, grid, printed, printed_lines, refused, value_of_cell
from report_sweeps import CLASSES, SEEDS, identity, methods_sweep, write_sweep
from scipy import stats

from zsh_jax.errors import InputError
from zsh_jax.report.cell_pairs import pair_cells
from zsh_jax.report.read import read_sweeps

OLD = Path(__file__).parent / "old_workdir"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Sweeps that differ in a weight, in the method, or in the seeds."""
    folder = tmp_path_factory.mktemp("diff")
    methods_sweep(folder / "methods")
    for name, some in {
        "published": grid(),
        "strong": grid(alpha=0.001)[:-1],
        "two": grid(alpha=0.001) + grid(alpha=0.01),
        "sdh": grid(method="sdh"),
        "learned": grid(method="itq") + grid(method="lsh"),
        "other_seeds": [identity(seed=9, unseen=unseen) for unseen in CLASSES],
    }.items():
        write_sweep(folder / name, some, name=name)
    return folder


def test_a_difference_has_the_interval_of_scipy(made, capsys):
    (*said,) = printed(capsys, "diff", made / "published", made / "strong").splitlines()
    assert "different: alpha is 1e-05 in A, 0.001 in B" in said
    assert "cells without a partner: 1 of A and 0 of B" in said
    assert any(line.startswith("paired by method, bits, unseen, seed, and ") for line in said)
    lines = csv_lines(printed(capsys, "diff", made / "published", made / "strong", "--csv"))
    keys = [(s, u) for s in SEEDS for u in CLASSES]
    for line in lines:
        bits = int(line["bits"])
        some = keys if bits == 16 else keys[:-1]
        one, other = (
            np.array([value_of_cell(identity(bits=bits, seed=s, unseen=u, alpha=alpha)) for s, u in some])
            for alpha in (1e-5, 1e-3)
        )
        ends = stats.ttest_rel(other, one).confidence_interval(0.95)
        assert int(line["pairs"]) == len(some)
        np.testing.assert_allclose([float(line["B - A low"]), float(line["B - A high"])], ends, rtol=1e-9)
        np.testing.assert_allclose(float(line["B - A mean"]), (other - one).mean(), rtol=1e-9)
        np.testing.assert_allclose([float(line["mAP A"]), float(line["mAP B"])], [one.mean(), other.mean()])
    assert [line["bits"] for line in lines] == ["16", "32"]


def test_each_value_in_which_two_sweeps_differ_has_lines_of_its_own(made, capsys):
    lines = csv_lines(printed(capsys, "diff", made / "published", made / "two", "--csv"))
    assert [(line["alpha A"], line["alpha B"], line["bits"]) for line in lines] == [
        ("1e-05", alpha, bits) for alpha in ("0.001", "0.01") for bits in ("16", "32")
    ]
    few = csv_lines(
        printed(capsys, "diff", made / "published", made / "two", "--csv", "--where", "alpha<=1e-3")
    )
    assert len(few) == 2
    text = printed(capsys, "diff", made / "sdh", made / "learned")
    assert "in one of the two only: lam, nu, passes" in text
    heads, *lines = printed_lines(text)
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
    assert said in refused(capsys, "diff", made / first, made / second)
    assert "is not a metric" in refused(
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
