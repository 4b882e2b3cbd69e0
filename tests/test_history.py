"""Histories of solves on disk."""

import json

import numpy as np
import pytest
from cells import result

from zsh_jax.errors import InputError
from zsh_jax.tracking.history import HISTORY, append_history, read_history
from zsh_jax.tracking.results import cell_id


def test_what_is_read_is_what_was_appended(tmp_path):
    batch = [result(seed, iterations=3 + seed, failed=seed == 1) for seed in range(3)]
    append_history(tmp_path, batch[:2])
    append_history(tmp_path, batch[2:])
    path = tmp_path / HISTORY
    for line in path.read_text().splitlines():
        json.loads(line, parse_constant=pytest.fail)
    found = read_history(path)
    assert list(found) == [cell_id(one.cell) for one in batch]
    for one in batch:
        read = found[cell_id(one.cell)]
        assert read.keys() == one.history.keys()
        for name, values in one.history.items():
            np.testing.assert_allclose(read[name], values, rtol=1e-7)
    assert np.isnan(found[cell_id(batch[1].cell)]["objective"][-1])


def test_a_line_cut_short_at_the_end_is_left_out_and_anything_else_is_an_error(tmp_path):
    path = tmp_path / HISTORY
    append_history(tmp_path, [result(0), result(1)])
    whole = path.read_text()
    path.write_text(whole[:-20])
    assert list(read_history(path)) == [cell_id(result(0).cell)]
    for broken in ("{}\n" + whole, whole + "[1]\n", whole + "{\n", '{"cell_id": "a", "objective": 3}\n'):
        path.write_text(broken)
        with pytest.raises(
            InputError, match=r"history.jsonl, line \d+ is not the history of a cell"
        ) as error:
            read_history(path)
        assert "\n" not in str(error.value)
    with pytest.raises(InputError, match="cannot be read"):
        read_history(tmp_path / "none")
