"""The results folder of a sweep: `config.json`, and `results.jsonl` with one line a cell."""

import hashlib
import json
import math
import sys
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from zsh_jax.atomic import append_whole, cannot_write, write_whole
from zsh_jax.errors import InputError
from zsh_jax.sweep.result import CellResult
from zsh_jax.tracking.lines import (
    Lines,
    damaged_path,
    heal,
    parse_lines,
    parse_row,
    signed,
)
from zsh_jax.tracking.provenance import dated
from zsh_jax.tracking.row import ID, cell_id, identity_of, is_row, json_value, row_of
from zsh_jax.tracking.row_types import TEXTS

__all__ = [
    "ID",
    "RESULTS",
    "Results",
    "Rows",
    "append_results",
    "cell_id",
    "check_evaluation",
    "check_workdir",
    "counted",
    "json_value",
    "open_results",
    "read_results",
    "read_rows",
    "row_of",
]

RESULTS = "results.jsonl"
START = b'{"method": '  # of each line, as `identity` makes it
NOTHING: Mapping[str, str | None] = MappingProxyType({})


class Results(NamedTuple):
    """A results folder.

    Attributes:
        path: its `results.jsonl`.
        done: `cell_id` of every cell that stands there.
        earlier: identities of the cells that stood there when it was opened.
    """

    path: Path
    done: frozenset[str]
    earlier: tuple[Mapping[str, Any], ...] = ()


class Rows(NamedTuple):
    """What a `results.jsonl` holds.

    Attributes:
        rows: one flat dict a cell: identity, `cell_id`, metrics, provenance. A metric that is null in the file, alone
            or within a curve, is NaN. Where two lines are of one cell, the later counts.
        old: whether an older version of the package wrote them: they do not say what data they are of.
        damaged: how many lines were left out because they do not verify.
    """

    rows: list[dict[str, Any]]
    old: bool
    damaged: int


def check_workdir(workdir: str | Path) -> None:
    """See to it, before anything long starts, that a sweep may use a workdir. Nothing is written.

    Args:
        workdir: the folder; it need not be there.

    Raises:
        InputError: if its `results.jsonl` is somebody else's or of an older version, or cannot be read.
    """
    path = Path(workdir) / RESULTS
    try:
        if path.exists():
            _refuse_old(path, _read(path)[1])
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); choose another --config.workdir"
        ) from None


def open_results(workdir: str | Path, config: Mapping[str, Any]) -> Results:
    """Make or reopen a results folder, before anything long starts.

    What counts is the cell: whatever sweep wrote a cell, it is done. `config.json` is that of the latest sweep; an
    earlier one that differs is kept beside it as `config-DIGEST.json`. Lines that do not verify, such as a last one cut
    short when a run was killed, are moved to `results.damaged.jsonl`, with a line of warning on the standard error.

    Args:
        workdir: the folder; made if it is not there.
        config: of the sweep; values that JSON can hold.

    Returns:
        The folder and the cells that are done.

    Raises:
        InputError: if the folder cannot be written to, or its `results.jsonl` is somebody else's or of an older
            version.
        OSError: if the disk is full or gone.
    """
    folder = Path(workdir)
    path = folder / RESULTS
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.touch()
        content, found = _read(path)
        _refuse_old(path, found)
        heal(path, content, found)
        append_whole(path, b"")  # finds out whether it can be written to
        _write_config(folder / "config.json", config)
    except OSError as error:
        raise cannot_write(folder, error) from None
    if found.damaged:
        print(
            f"zsh_jax: {counted(found.damaged)} of {path} moved to {damaged_path(path).name}; their cells run again",
            file=sys.stderr,
        )
    return Results(path, frozenset(row[ID] for row in found.rows), tuple(map(identity_of, found.rows)))


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
    path = Path(workdir) / RESULTS
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


def append_results(
    results: Results, batch: Sequence[CellResult], made_by: Mapping[str, str | None] = NOTHING
) -> Results:
    """Add the results of a batch of cells, in one write that has reached the disk on return.

    A row is the cell's identity, its `cell_id`, its metrics, its provenance, and a checksum of all this. JSON has no
    NaN: a number that is not finite is written as null.

    Args:
        results: of `open_results`.
        batch: what the engine yields.
        made_by: of `provenance`.

    Returns:
        The folder with these cells done too.

    Raises:
        OSError: if the disk is full or gone; the file then stands as it was before.
    """
    rows = [row_of(result) | dated(made_by) for result in batch]
    for row in rows:
        if not is_row(row):
            raise ValueError(f"a result has values of types that no row may have: {row}")
    append_whole(results.path, b"".join(map(signed, rows)))
    return results._replace(done=results.done | {row[ID] for row in rows})


def read_results(path: str | Path) -> list[dict[str, Any]]:
    """All rows of a `results.jsonl` that verify, in the order in which they were written.

    Args:
        path: the file.

    Returns:
        The rows, see `Rows`.

    Raises:
        InputError: if there is no such file, or it is somebody else's.
    """
    return read_rows(path).rows


def read_rows(path: str | Path) -> Rows:
    """All rows of a `results.jsonl` that verify, and what is to be said of the file.

    Args:
        path: the file.

    Returns:
        The rows, whether they are old, and how many lines were left out.

    Raises:
        InputError: if there is no such file, or it is somebody else's.
    """
    path = Path(path)
    try:
        _, found = _read(path)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); name the results.jsonl of a sweep"
        ) from None
    latest = {row[ID]: row for row in found.rows}
    return Rows([_with_nan(row) for row in latest.values()], found.old, len(found.damaged))


def counted(lines: Sequence[object] | int) -> str:
    """How many damaged lines there are, in words."""
    count = lines if isinstance(lines, int) else len(lines)
    return "1 damaged line" if count == 1 else f"{count:,} damaged lines"


def _with_nan(row: dict[str, Any]) -> dict[str, Any]:
    def restored(value: Any) -> Any:
        if isinstance(value, list):
            return [restored(one) for one in value]
        return math.nan if value is None else value

    head = set(identity_of(row)) | set(TEXTS)
    return {key: value if key in head else restored(value) for key, value in row.items()}


def _read(path: Path) -> tuple[bytes, Lines]:
    """The content of a file of results and the lines in it.

    Raises:
        InputError: if it is somebody else's.
        OSError: if it cannot be read.
    """
    content = path.read_bytes()
    found = parse_lines(content, is_row, START)
    if found.foreign is not None:
        row = parse_row(content.split(b"\n")[found.foreign - 1])
        what = (
            "is not JSON"
            if row is None
            else f"has no {ID}: it is not the result of a cell"
            if ID not in row
            else f"has a {ID} that does not belong to the keys before it"
        )
        raise InputError(f"{path}, line {found.foreign} {what}; choose another --config.workdir")
    return content, found


def _refuse_old(path: Path, found: Lines) -> None:
    if found.old:
        raise InputError(
            f"{path} is of an older version, whose cells do not say what data they are of; choose another "
            "--config.workdir (python -m zsh_jax.report still reads this one)"
        )


def _write_config(path: Path, config: Mapping[str, Any]) -> None:
    content = (json.dumps(config, indent=2) + "\n").encode()
    earlier = path.read_bytes() if path.exists() else content
    if earlier != content:
        digest = hashlib.sha256(earlier).hexdigest()[:8]
        write_whole(path.with_name(f"config-{digest}.json"), earlier)
    write_whole(path, content)
