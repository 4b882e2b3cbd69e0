"""One result as a row: the cell's identity, its id, and its metrics."""

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from zsh_jax.sweep.result import CellResult
from zsh_jax.sweep.searches import SEARCHES, map_of
from zsh_jax.tracking.lines import CHECKSUM
from zsh_jax.tracking.row_types import fits

ID = "cell_id"  # in each row between identity and metrics


def cell_id(cell: Mapping[str, Any]) -> str:
    """A short id of a cell, the same in every process and on every machine.

    Args:
        cell: the flat identity; JSON scalars. The order of keys does not matter, and equal numbers (1, 1.0) are the
            same.

    Returns:
        16 hexadecimal digits.

    Raises:
        ValueError: if a value is not a finite JSON scalar.
    """
    plain = {key: _scalar(key, value) for key, value in cell.items()}
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def row_of(result: CellResult) -> dict[str, Any]:
    """A result as a row: identity, `cell_id`, metrics; JSON values, None for numbers that are not finite."""
    head = {key: json_value(value) for key, value in result.cell.items()} | {ID: cell_id(result.cell)}
    tail = {key: json_value(value) for key, value in result.metrics.items()}
    if head.keys() & tail.keys():
        raise ValueError(f"keys of both identity and metrics: {sorted(head.keys() & tail.keys())}")
    return head | tail


def json_value(value: Any) -> Any:
    """A scalar, array or list in Python's own types, for JSON; None for a number that is not finite."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [json_value(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def identity_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The identity of a row's cell: the keys before its id."""
    keys = list(row)
    return {key: row[key] for key in keys[: keys.index(ID)]}


def searched_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of the searches beside Hamming distance that a row was evaluated with.

    Args:
        row: of a cell.

    Returns:
        Names of the searches, and the number of rescored items, None without them.
    """
    return {
        "search": tuple(name for name in SEARCHES if map_of(name) in row),
        "rescored": row.get("rescored"),
    }


def is_row(row: Mapping[str, Any]) -> bool:
    """Whether a line is the result of a cell: its id matches the keys before it, and its values can be averaged."""
    if ID not in row:
        return False
    identity = identity_of(row)
    outcome = {key: value for key, value in row.items() if key not in identity and key not in (ID, CHECKSUM)}
    try:
        return cell_id(identity) == row[ID] and fits(identity, outcome)
    except ValueError:
        return False


def _scalar(key: str, value: object) -> object:
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and math.isfinite(value):
        return int(value) if value.is_integer() else value
    if value is None or isinstance(value, bool | int | str):
        return value
    raise ValueError(f"{key} = {value!r} cannot be part of a cell's identity")
