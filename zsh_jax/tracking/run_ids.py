"""Identifiers of runs in Weights & Biases: equal only for runs with the same results."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from zsh_jax.tracking.lines import CHECKSUM
from zsh_jax.tracking.provenance import PROVENANCE
from zsh_jax.tracking.results import json_value

DIGITS = 16
TIMES = "seconds"  # suffix of metrics that differ in every run


def cell_run_id(row: Mapping[str, Any]) -> str:
    """The identifier of the run of a cell.

    Args:
        row: identity, `cell_id` and metrics, from `row_of` or `read_results`.

    Returns:
        16 hexadecimal digits: a digest of all values but times and provenance. A cell that runs again with the same
        results has the same id; other data, cut-offs, numbers of queries or code give another.
    """
    left_out = {*PROVENANCE, CHECKSUM}
    stated = {
        key: json_value(value)
        for key, value in row.items()
        if key not in left_out and not key.endswith(TIMES)
    }
    return _digest(stated)


def sweep_run_id(config: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    """The identifier of the run of a whole sweep.

    Args:
        config: of the sweep; JSON values.
        rows: of its cells, from `read_results`.

    Returns:
        16 hexadecimal digits: a digest of the configuration and of the ids of its cells.
    """
    return _digest([dict(config), sorted(map(cell_run_id, rows))])


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:DIGITS]
