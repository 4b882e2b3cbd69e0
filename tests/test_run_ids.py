"""Runs of W&B: equal ids mean equal figures, in whatever workdir."""

import numpy as np
import pytest
from cells import result

from zsh_jax.tracking.results import append_results, open_results, read_results, row_of
from zsh_jax.tracking.run_ids import cell_run_id, sweep_run_id

ROW = row_of(result(0))
CHANGES = {
    "data": {"fingerprint_features": "f" * 16},
    "settings": {"lam": 0.02},
    "cut-offs": {"cutoffs": [5, 10]},
    "seen queries": {"seen_queries": 10},
    "precision": {"precision": "float64"},
    "figures of other code": {"mean_average_precision": np.nextafter(ROW["mean_average_precision"], 1)},
    "a curve": {"precision_curve": [*ROW["precision_curve"][:-1], 0.5]},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_what_changes_the_figures_changes_the_ids(changes):
    assert cell_run_id(ROW) != cell_run_id(ROW | changes)
    assert sweep_run_id({"a": 1}, [ROW]) != sweep_run_id({"a": 1}, [ROW | changes])


def test_times_and_provenance_do_not_and_a_row_from_disk_has_the_id_of_its_result(tmp_path):
    made_by = {"version": "1", "commit": None, "jax": "1", "jaxlib": "1", "device": "cpu"}
    given = result(1, failed=True)
    opened = append_results(open_results(tmp_path, {}), [given], made_by)
    (row,) = read_results(opened.path)
    assert row["date"]
    assert (
        cell_run_id(row) == cell_run_id(row_of(given)) == cell_run_id(row | {"seconds": 9.0, "device": "gpu"})
    )
    assert len(cell_run_id(row)) == 16


def test_a_sweep_s_run_is_of_its_configuration_and_all_its_cells():
    rows = [row_of(result(seed)) for seed in range(3)]
    ids = {
        sweep_run_id(config, some) for config in ({"a": 1}, {"a": 2}) for some in (rows, rows[:2], rows[1:])
    }
    assert len(ids) == 6
    assert sweep_run_id({"a": 1, "b": 2}, rows) == sweep_run_id({"b": 2, "a": 1}, rows[::-1])
