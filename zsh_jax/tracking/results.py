"""The results folder of a sweep: `config.json`, and `results.jsonl` with one line a cell."""

import hashlib
import json
import math
import os
import sys
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from zsh_jax.atomic import write_whole
from zsh_jax.errors import InputError
from zsh_jax.sweep.result import CellResult

ID = "cell_id"  # stands in each row between identity and metrics


class Results(NamedTuple):
    """A results folder.

    Attributes:
        path: its `results.jsonl`.
        done: `cell_id` of every cell that stands there.
    """

    path: Path
    done: frozenset[str]


def cell_id(cell: Mapping[str, Any]) -> str:
    """A short name for a cell that is the same in every process, on every machine.

    Args:
        cell: the flat identity; JSON scalars. The order of its keys does not matter, and numbers that are equal
            (1, 1.0) count as the same.

    Returns:
        16 hexadecimal digits.

    Raises:
        ValueError: if a value is not a finite JSON scalar.
    """
    plain = {key: _scalar(key, value) for key, value in cell.items()}
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def open_results(workdir: str | Path, config: Mapping[str, Any]) -> Results:
    """Make or reopen a results folder, before anything long starts.

    What counts is the cell: whatever sweep wrote a cell, it is done. `config.json` is that of the latest sweep; an
    earlier one that differs is kept beside it as `config-DIGEST.json`. A last line cut short when a run was killed
    is taken off the file, with a line of warning on the standard error.

    Args:
        workdir: the folder; made if it is not there.
        config: of the sweep; values that JSON can hold.

    Returns:
        The folder and the cells that are done.

    Raises:
        InputError: if the folder cannot be written to, or its `results.jsonl` holds anything but cells.
    """
    folder = Path(workdir)
    path = folder / "results.jsonl"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        content = path.read_bytes() if path.exists() else b""
        rows, whole = _parse(path, content)
        with path.open("ab") as file:
            if whole < len(content):
                print(f"zsh_jax: dropped a last line that was cut short from {path}", file=sys.stderr)
                file.truncate(whole)
            elif content and not content.endswith(b"\n"):
                file.write(b"\n")
        _write_config(folder / "config.json", config)
    except OSError as error:
        raise InputError(
            f"results cannot be written to {folder} ({error.strerror}); choose another --config.workdir"
        ) from None
    return Results(path, frozenset(row[ID] for row in rows))


def check_evaluation(
    workdir: str | Path, cells: Container[str], *, cutoffs: Sequence[int], seen_queries: int
) -> None:
    """See to it that what is there of a sweep's cells was evaluated in the same way.

    Args:
        workdir: of the sweep; it need not be there.
        cells: `cell_id` of the sweep's cells.
        cutoffs: the N of precision at N that are asked for.
        seen_queries: how many queries of seen classes are asked for.

    Raises:
        InputError: if a cell that is there has other settings, or the results cannot be read.
    """
    path = Path(workdir) / "results.jsonl"
    if not path.exists():
        return
    asked = {"cutoffs": tuple(cutoffs), "seen_queries": seen_queries}
    for row in read_results(path):
        if row[ID] not in cells:
            continue
        found = {"cutoffs": tuple(row.get("cutoffs", ())), "seen_queries": row.get("seen_queries", 0)}
        for setting, there in found.items():
            if there != asked[setting]:
                raise InputError(
                    f"{path} has cells of this sweep with evaluation.{setting} {there}, not {asked[setting]}; choose "
                    f"another --config.workdir, or those {setting.replace('_', ' ')}"
                )


def append_results(results: Results, batch: Sequence[CellResult]) -> Results:
    """Add the results of a batch of cells, in one write that has reached the disk on return.

    A row is the cell's identity, its `cell_id`, then its metrics. JSON has no NaN: a number that is not finite is
    written as null.

    Args:
        results: of `open_results`.
        batch: what the engine yields.

    Returns:
        The folder with these cells done too.

    Raises:
        OSError: if the disk is full or gone; the file then stands as it was before.
    """
    lines = "".join(json.dumps(row_of(result), allow_nan=False) + "\n" for result in batch)
    with results.path.open("ab", buffering=0) as file:
        before = os.fstat(file.fileno()).st_size
        content = lines.encode()
        try:
            if file.write(content) < len(content):
                raise OSError(f"no room left for {results.path}")
            os.fsync(file.fileno())
        except OSError:
            file.truncate(before)
            raise
    return results._replace(done=results.done | {cell_id(result.cell) for result in batch})


def read_results(path: str | Path) -> list[dict[str, Any]]:
    """All rows of a `results.jsonl`, in the order in which they were written.

    Args:
        path: the file.

    Returns:
        One flat dict a cell: identity, `cell_id`, metrics. A metric that is null in the file, alone or within a
        curve, is NaN again. Where two lines are of one cell, the later counts. A last line cut short is left out.

    Raises:
        InputError: if there is no such file, or it holds anything but cells.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); name the results.jsonl of a sweep"
        ) from None
    rows, _ = _parse(path, content)
    latest = {row[ID]: row for row in rows}
    return [_with_nan(row) for row in latest.values()]


def row_of(result: CellResult) -> dict[str, Any]:
    """A result as a line of `results.jsonl` states it; None for numbers that are not finite.

    Args:
        result: of one cell.

    Returns:
        Identity, `cell_id`, metrics: JSON scalars and lists of them.
    """
    head = {key: json_value(value) for key, value in result.cell.items()} | {ID: cell_id(result.cell)}
    tail = {key: json_value(value) for key, value in result.metrics.items()}
    if head.keys() & tail.keys():
        raise ValueError(f"keys of both identity and metrics: {sorted(head.keys() & tail.keys())}")
    return head | tail


def json_value(value: Any) -> Any:
    """A value as JSON can hold it.

    Args:
        value: a scalar, an array, or lists of them.

    Returns:
        The same in Python's own types; None for a number that is not finite.
    """
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [json_value(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _scalar(key: str, value: object) -> object:
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and math.isfinite(value):
        return int(value) if value.is_integer() else value
    if value is None or isinstance(value, bool | int | str):
        return value
    raise ValueError(f"{key} = {value!r} cannot be part of a cell's identity")


def _with_nan(row: dict[str, Any]) -> dict[str, Any]:
    def restored(value: Any) -> Any:
        if isinstance(value, list):
            return [restored(one) for one in value]
        return math.nan if value is None else value

    head = set(_identity(row))
    return {key: value if key in head else restored(value) for key, value in row.items()}


def _identity(row: Mapping[str, Any]) -> dict[str, Any]:
    keys = list(row)
    return {key: row[key] for key in keys[: keys.index(ID)]}


def _parse(path: Path, content: bytes) -> tuple[list[dict[str, Any]], int]:
    """The rows of a file, and how many of its bytes they are: fewer than all if the last line was cut short."""
    rows = []
    whole = 0
    for number, line in enumerate(content.splitlines(keepends=True), 1):
        try:
            row = json.loads(line)
        except ValueError:
            # A batch is appended in one write: only what comes last, and begins as a row does, can be torn.
            if whole + len(line) == len(content) and not line.endswith(b"\n") and line.startswith(b"{"):
                break
            raise _foreign(path, number, "is not JSON") from None
        if not isinstance(row, dict) or ID not in row:
            raise _foreign(path, number, f"has no {ID}: it is not the result of a cell")
        try:
            same = cell_id(_identity(row)) == row[ID]
        except ValueError:
            same = False
        if not same:
            raise _foreign(path, number, f"has a {ID} that does not belong to the keys before it")
        rows.append(row)
        whole += len(line)
    return rows, whole


def _foreign(path: Path, number: int, what: str) -> InputError:
    return InputError(f"{path}, line {number} {what}; mend the line, or choose another --config.workdir")


def _write_config(path: Path, config: Mapping[str, Any]) -> None:
    content = (json.dumps(config, indent=2) + "\n").encode()
    earlier = path.read_bytes() if path.exists() else content
    if earlier != content:
        digest = hashlib.sha256(earlier).hexdigest()[:8]
        write_whole(path.with_name(f"config-{digest}.json"), earlier)
    write_whole(path, content)
