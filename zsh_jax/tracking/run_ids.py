"""Identifiers of runs in Weights & Biases: equal only for what states the same figures."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from zsh_jax.tracking.lines import CHECKSUM
from zsh_jax.tracking.provenance import PROVENANCE
from zsh_jax.tracking.results import json_value

DIGITS = 16
TIMES = "seconds"  # how metrics end that no rerun gives again


def cell_run_id(row: Mapping[str, Any]) -> str:
    """The identifier of the run of a cell.

    Args:
        row: identity, `cell_id` and metrics, as `row_of` or `read_results` gives them.

    Returns:
        16 hexadecimal digits: a digest of all that is neither a time nor provenance. A cell that is run anew keeps it
        if it gives the same figures; other data, cut-offs, numbers of queries or code make another.
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
        config: of the sweep; values that JSON can hold.
        rows: of its cells, as `read_results` gives them.

    Returns:
        16 hexadecimal digits: a digest of the configuration and of what its cells state.
    """
    return _digest([dict(config), sorted(map(cell_run_id, rows))])


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:DIGITS]
