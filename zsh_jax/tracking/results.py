"""The results of a sweep on disk: `config.json`, and `results.jsonl` with one line a cell."""

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
from zsh_jax.sweep.searches import NO_OTHERS, Searching
from zsh_jax.tracking.lines import (
    Lines,
    damaged_path,
    heal,
    parse_lines,
    parse_row,
    signed,
)
from zsh_jax.tracking.provenance import dated
from zsh_jax.tracking.row import ID, cell_id, identity_of, is_row, json_value, row_of, searched_of
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
START = b'{"method": '  # of each line, from `identity`
NOTHING: Mapping[str, str | None] = MappingProxyType({})


class Results(NamedTuple):
    """A results folder.

    Attributes:
        path: its `results.jsonl`.
        done: `cell_id` of every cell in the file.
        earlier: identities of the cells in the file when it was opened.
    """

    path: Path
    done: frozenset[str]
    earlier: tuple[Mapping[str, Any], ...] = ()


class Rows(NamedTuple):
    """The contents of a `results.jsonl`.

    Attributes:
        rows: one flat dict a cell: identity, `cell_id`, metrics, provenance. A metric that is null in the file, alone
            or within a curve, is NaN. Of two lines of one cell, the later one is used.
        old: whether an older version of the package wrote them, without fingerprints of the data.
        damaged: number of lines that fail their checksum and are skipped.
    """

    rows: list[dict[str, Any]]
    old: bool
    damaged: int


def check_workdir(workdir: str | Path) -> None:
    """Check, before anything slow starts, that a sweep may use a workdir. Writes nothing.

    Args:
        workdir: the folder; it need not exist.

    Raises:
        InputError: if its `results.jsonl` is of another program or an older version, or cannot be read.
    """
    path = Path(workdir) / RESULTS
    try:
        if path.exists():
            refuse_old(path, read_lines(path)[1])
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); fix: choose another --config.workdir"
        ) from None


def open_results(workdir: str | Path, config: Mapping[str, Any]) -> Results:
    """Create or reopen a results folder, before anything slow starts.

    A cell is finished whichever sweep wrote it. `config.json` belongs to the latest sweep; a different earlier one is
    renamed to `config-DIGEST.json`. Lines that fail their checksum, such as a last line cut short when a run was
    killed, are moved to `results.damaged.jsonl`, with a warning on standard error.

    Args:
        workdir: the folder; created if needed.
        config: of the sweep; JSON values.

    Returns:
        The folder and its finished cells.

    Raises:
        InputError: if the folder is not writable, or its `results.jsonl` is of another program or an older version.
        OSError: if the disk is full or gone.
    """
    folder = Path(workdir)
    path = folder / RESULTS
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.touch()
        content, found = read_lines(path)
        refuse_old(path, found)
        heal(path, content, found)
        append_whole(path, b"")  # fails if the file is not writable
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
    workdir: str | Path,
    cells: Container[str],
    *,
    cutoffs: Sequence[int],
    seen_queries: int,
    searching: Searching = NO_OTHERS,
) -> None:
    """Check that the finished cells of a sweep were evaluated with the same settings.

    Args:
        workdir: of the sweep; it need not exist.
        cells: `cell_id` of the sweep's cells.
        cutoffs: the N of precision at N.
        seen_queries: number of queries of seen classes.
        searching: searches beside Hamming distance.

    Raises:
        InputError: if a finished cell has other settings, or the results cannot be read.
    """
    path = Path(workdir) / RESULTS
    if not path.exists():
        return
    rescored = searching.first if "rescored" in searching.names else None
    wanted: dict[str, Any] = {"cutoffs": tuple(cutoffs), "seen_queries": seen_queries}
    wanted |= {"search": searching.names, "rescored": rescored}
    for row in read_results(path):
        if row[ID] not in cells:
            continue
        found = {"cutoffs": tuple(row.get("cutoffs", ())), "seen_queries": row.get("seen_queries", 0)}
        found |= searched_of(row)
        for setting, there in found.items():
            if there != wanted[setting]:
                raise InputError(
                    f"{path} has cells of this sweep with evaluation.{setting} {there}, not {wanted[setting]}; fix: "
                    f"choose another --config.workdir, or set --config.evaluation.{setting} to {there}"
                )


def append_results(
    results: Results, batch: Sequence[CellResult], made_by: Mapping[str, str | None] = NOTHING
) -> Results:
    """Append the results of a batch of cells, in one write that is on disk on return.

    A row is the cell's identity, `cell_id`, metrics, provenance, and a checksum of all this. JSON has no NaN: a number
    that is not finite is written as null.

    Args:
        results: from `open_results`.
        batch: results of the engine.
        made_by: from `provenance`.

    Returns:
        The folder with these cells finished too.

    Raises:
        OSError: if the disk is full or gone; the file is then unchanged.
    """
    rows = [row_of(result) | dated(made_by) for result in batch]
    for row in rows:
        if not is_row(row):
            raise ValueError(f"a result has values of types that no row may have: {row}")
    append_whole(results.path, b"".join(map(signed, rows)))
    return results._replace(done=results.done | {row[ID] for row in rows})


def read_results(path: str | Path) -> list[dict[str, Any]]:
    """All valid rows of a `results.jsonl`, in the order in which they were written; see `Rows`.

    Raises:
        InputError: if there is no such file, or it is of another program.
    """
    return read_rows(path).rows


def read_rows(path: str | Path) -> Rows:
    """All valid rows of a `results.jsonl`, whether it is old, and its number of damaged lines.

    Raises:
        InputError: if there is no such file, or it is of another program.
    """
    path = Path(path)
    try:
        _, found = read_lines(path)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); fix: give the workdir of a sweep"
        ) from None
    latest = {row[ID]: row for row in found.rows}
    return Rows([_with_nan(row) for row in latest.values()], found.old, len(found.damaged))


def counted(lines: Sequence[object] | int) -> str:
    """The number of damaged lines as text."""
    count = lines if isinstance(lines, int) else len(lines)
    return "1 damaged line" if count == 1 else f"{count:,} damaged lines"


def _with_nan(row: dict[str, Any]) -> dict[str, Any]:
    def restored(value: Any) -> Any:
        if isinstance(value, list):
            return [restored(one) for one in value]
        return math.nan if value is None else value

    head = set(identity_of(row)) | set(TEXTS)
    return {key: value if key in head else restored(value) for key, value in row.items()}


def read_lines(path: Path) -> tuple[bytes, Lines]:
    """The content of a file of results and the lines in it.

    Raises:
        InputError: if it is of another program.
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
            else f"has a {ID} that does not match the keys before it"
        )
        raise InputError(f"{path}, line {found.foreign} {what}; fix: choose another --config.workdir")
    return content, found


def refuse_old(path: Path, found: Lines) -> None:
    """Refuse results that an older version of the package wrote."""
    if found.old:
        raise InputError(
            f"{path} is of an older version, without fingerprints of its data; fix: choose another "
            "--config.workdir (python -m zsh_jax.report still reads this one)"
        )


def _write_config(path: Path, config: Mapping[str, Any]) -> None:
    content = (json.dumps(config, indent=2) + "\n").encode()
    earlier = path.read_bytes() if path.exists() else content
    if earlier != content:
        digest = hashlib.sha256(earlier).hexdigest()[:8]
        write_whole(path.with_name(f"config-{digest}.json"), earlier)
    write_whole(path, content)
