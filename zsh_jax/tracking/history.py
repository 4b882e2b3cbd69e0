"""How the solve of each cell went, one value an iteration: `history.jsonl` beside `results.jsonl`."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zsh_jax.errors import InputError
from zsh_jax.sweep.result import CellResult
from zsh_jax.tracking.results import ID, cell_id, json_value

HISTORY = "history.jsonl"


def append_history(workdir: str | Path, batch: Sequence[CellResult]) -> None:
    """Add the histories of a batch of cells, in one write.

    A line is `{"cell_id": ..., "objective": [...], its terms, "flips": [...]}`, each list with one value an
    iteration. A number that is not finite is null.

    Args:
        workdir: of the sweep; the folder exists.
        batch: what the engine yields.

    Raises:
        OSError: if the disk is full or gone.
    """
    lines = [
        {ID: cell_id(result.cell)} | {name: json_value(values) for name, values in result.history.items()}
        for result in batch
    ]
    with (Path(workdir) / HISTORY).open("a") as file:
        file.write("".join(json.dumps(line, allow_nan=False) + "\n" for line in lines))


def read_history(path: str | Path) -> dict[str, dict[str, list[float]]]:
    """All histories of a file.

    Args:
        path: a `history.jsonl`.

    Returns:
        By `cell_id`, the lists of values; null is NaN again. Where two lines are of one cell, the later counts. A
        last line cut short is left out.

    Raises:
        InputError: if the file cannot be read, or holds anything but histories.
    """
    path = Path(path)
    try:
        lines = path.read_text().splitlines(keepends=True)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({' '.join(str(error).split())}); take it away") from None
    found = {}
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            identifier = str(row.pop(ID))
            found[identifier] = {name: _values(values) for name, values in row.items()}
        except (AttributeError, KeyError, TypeError, ValueError):
            if number == len(lines) and not line.endswith("\n"):
                break
            raise InputError(
                f"{path}, line {number} is not the history of a cell; mend the line, or take the file away"
            ) from None
    return found


def _values(values: list[Any]) -> list[float]:
    return [math.nan if value is None else float(value) for value in values]
