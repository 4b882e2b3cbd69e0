"""Histories of solves on disk."""

import numpy as np
import pytest
from cells import result
from rows import rows_of

from zsh_jax.errors import InputError
from zsh_jax.tracking.history import HISTORY, append_history, open_history, read_history
from zsh_jax.tracking.results import cell_id


def test_what_is_read_is_what_was_appended(tmp_path):
    batch = [result(seed, iterations=3 + seed, failed=seed == 1) for seed in range(3)]
    assert open_history(tmp_path) is None
    append_history(tmp_path, batch[:2])
    append_history(tmp_path, batch[2:])
    path = tmp_path / HISTORY
    assert [row["cell_id"] for row in rows_of(path)] == [cell_id(one.cell) for one in batch]
    found = read_history(path).by_cell
    assert list(found) == [cell_id(one.cell) for one in batch]
    for one in batch:
        read = found[cell_id(one.cell)]
        assert read.keys() == one.history.keys()
        for name, values in one.history.items():
            np.testing.assert_allclose(read[name], values, rtol=1e-7)
    assert np.isnan(found[cell_id(batch[1].cell)]["objective"][-1])


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_history(tmp_path / "none")
