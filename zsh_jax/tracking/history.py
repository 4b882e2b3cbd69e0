"""The history of each cell's solve, one value an iteration: `history.jsonl` beside `results.jsonl`."""

import math
import sys
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from zsh_jax.atomic import append_whole, cannot_write
from zsh_jax.errors import InputError
from zsh_jax.sweep.result import CellResult
from zsh_jax.tracking.lines import CHECKSUM, damaged_path, heal, parse_lines, signed
from zsh_jax.tracking.results import ID, RESULTS, cell_id, counted, json_value

HISTORY = "history.jsonl"
START = b'{"cell_id": "'  # of each line


class Histories(NamedTuple):
    """The contents of a `history.jsonl`.

    Attributes:
        by_cell: by `cell_id`, the lists of values; null becomes NaN. Of two lines of one cell, the later one is used.
        damaged: number of lines that fail their checksum and are skipped.
    """

    by_cell: Mapping[str, Mapping[str, Sequence[float]]]
    damaged: int


def append_history(workdir: str | Path, batch: Sequence[CellResult]) -> None:
    """Append the histories of a batch of cells, in one write.

    A line is `{"cell_id": ..., "objective": [...], its terms, "flips": [...], "checksum": ...}`, each list with one
    value an iteration. A number that is not finite is null.

    Args:
        workdir: of the sweep; `open_history` has created the file.
        batch: results of the engine.

    Raises:
        OSError: if the disk is full or gone; the file is then unchanged.
    """
    lines = [
        {ID: cell_id(result.cell)} | {name: json_value(values) for name, values in result.history.items()}
        for result in batch
    ]
    append_whole(Path(workdir) / HISTORY, b"".join(map(signed, lines)))


def check_history(workdir: str | Path) -> None:
    """Check that a `history.jsonl` without results beside it is a file of this package. Writes nothing.

    Args:
        workdir: the folder; it need not exist.

    Raises:
        InputError: if there are no results and no line of the file is a history, or the file cannot be read.
    """
    path, results = Path(workdir) / HISTORY, Path(workdir) / RESULTS
    try:
        if not path.exists() or (results.exists() and results.stat().st_size):
            return
        number = parse_lines(path.read_bytes(), is_history, START).foreign
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); fix: choose another --config.workdir"
        ) from None
    if number is not None:
        raise InputError(
            f"{path}, line {number} is not the history of a cell; fix: choose another --config.workdir"
        )


def open_history(workdir: str | Path) -> Container[str] | None:
    """Create or reopen a `history.jsonl`; move lines that fail their checksum to `history.damaged.jsonl`.

    Args:
        workdir: of the sweep; the folder exists, and its results are checked.

    Returns:
        The cells that have a history, if damaged lines were found now or at an earlier start; else None.

    Raises:
        InputError: if the file cannot be read or written.
        OSError: if the disk is full or gone.
    """
    path = Path(workdir) / HISTORY
    damaged = damaged_path(path)
    try:
        path.touch()
        content = path.read_bytes()
        found = parse_lines(content, is_history, START)
        if found.old:  # the results are of this version, so these lines belong to none of them
            found = found._replace(damaged=[*found.damaged, *found.whole], rows=[], whole=[])
        heal(path, content, found)
        if found.damaged:
            print(
                f"zsh_jax: {counted(found.damaged)} of {path} moved to {damaged.name}; their cells run again",
                file=sys.stderr,
            )
        return {row[ID] for row in found.rows} if damaged.exists() else None
    except OSError as error:
        raise cannot_write(path, error) from None


def read_history(path: str | Path) -> Histories:
    """All undamaged histories of a file of this version or an older one.

    Raises:
        InputError: if the file cannot be read.
    """
    path = Path(path)
    try:
        found = parse_lines(path.read_bytes(), is_history, START)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); fix: delete it, a report does not need it"
        ) from None
    by_cell = {
        row[ID]: {name: _values(values) for name, values in row.items() if name != ID} for row in found.rows
    }
    return Histories(by_cell, len(found.damaged))


def is_history(row: Mapping[str, Any]) -> bool:
    """Whether a parsed line is the history of a cell."""
    values = [value for key, value in row.items() if key not in (ID, CHECKSUM)]
    return (
        isinstance(row.get(ID), str)
        and all(isinstance(value, list) for value in values)
        and not any(isinstance(one, str) for value in values for one in value)
    )


def _values(values: Sequence[Any]) -> list[float]:
    return [math.nan if value is None else float(value) for value in values]
