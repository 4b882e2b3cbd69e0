"""Join workdirs: the finished cells of several processes in one folder, each once."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from zsh_jax.atomic import append_whole, cannot_write, write_whole
from zsh_jax.errors import InputError
from zsh_jax.tracking.history import HISTORY, is_history, open_history
from zsh_jax.tracking.history import START as HISTORY_START
from zsh_jax.tracking.lines import Lines, heal, parse_lines
from zsh_jax.tracking.models import model_path
from zsh_jax.tracking.results import ID, RESULTS, read_lines, refuse_old
from zsh_jax.tracking.row import searched_of
from zsh_jax.tracking.vectors import FOLDER
from zsh_jax.tracking.wandb_journal import JOURNAL, cell_of, open_journal


class Merged(NamedTuple):
    """What was joined.

    Attributes:
        added: number of cells that are new in the folder.
        there: number of cells that it had already.
        damaged: number of lines that fail their checksum and are left behind.
        empty: number of parts without a finished cell.
    """

    added: int
    there: int
    damaged: int
    empty: int


def merge(into: str | Path, parts: Sequence[str | Path]) -> Merged:
    """Add the finished cells of workdirs to another: rows, histories, models, class vectors, and which have W&B runs.

    Lines are copied byte by byte, so that their checksums stay right. Of a cell that is there already, only what it
    lacks is copied: equal identities mean equal settings and data. Results are written last; an interrupted merge
    is run again.

    Args:
        into: the workdir; created if needed. The caller holds its lock.
        parts: workdirs, none of which is in use.

    Returns:
        Numbers of cells and lines.

    Raises:
        InputError: the results of a part are of another program or an older version, or were evaluated by other
            settings than the rest; or the workdir is not writable.
        OSError: if the disk is full or gone.
    """
    into = Path(into)
    every = [_results(Path(part)) for part in parts]  # all are read before anything is written
    _check_alike([into, *map(Path, parts)], [_results(into), *every])
    try:
        into.mkdir(parents=True, exist_ok=True)
        (into / RESULTS).touch()
        open_history(into)
        mine = _results(into)
        heal(into / RESULTS, (into / RESULTS).read_bytes(), mine)
        known = {row[ID] for row in mine.rows}
        counts = [_add(into, Path(part), found, known) for part, found in zip(parts, every, strict=True)]
    except OSError as error:
        raise cannot_write(into, error) from None
    added, there = map(sum, zip(*counts, strict=True))
    empty = sum(not found.rows for found in every)
    return Merged(added, there, sum(len(found.damaged) for found in every), empty)


def _check_alike(workdirs: Sequence[Path], every: Sequence[Lines]) -> None:
    """Refuse cells that no one sweep would find finished."""
    for setting in ("cutoffs", "seen_queries", "search", "rescored"):
        where: dict[str, Path] = {}
        for workdir, found in zip(workdirs, every, strict=True):
            for row in found.rows:
                where.setdefault(str((row | searched_of(row)).get(setting)), workdir)
        if len(where) > 1:
            (one, first), (other, second) = list(where.items())[:2]
            raise InputError(
                f"{first} was evaluated with evaluation.{setting} {one}, {second} with {other}; fix: rerun one of them "
                "with the other's setting, in another workdir"
            )


def _results(workdir: Path) -> Lines:
    """The results of a workdir; none if it ended before its first cell."""
    path = workdir / RESULTS
    if not path.exists():
        return Lines([], [], [])
    try:
        _, found = read_lines(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); fix: name another workdir") from None
    refuse_old(path, found)
    return found


def _add(into: Path, part: Path, found: Lines, known: set[str]) -> tuple[int, int]:
    """Add the new cells of a part, and their names to the known ones; how many are new, how many were there."""
    new: dict[str, bytes] = {}
    for row, line in zip(found.rows, found.whole, strict=True):
        if row[ID] not in known:
            new[row[ID]] = line  # of two lines of one cell, the later one is used
    every = {row[ID] for row in found.rows}
    for name in every:
        _copy(model_path(part, name), model_path(into, name))
    for path in sorted((part / FOLDER).glob("*.safetensors")):
        _copy(path, into / FOLDER / path.name)
    _append(into / HISTORY, _histories(part, new))
    if (part / JOURNAL).exists():
        noted = open_journal(into)
        lines = (part / JOURNAL).read_bytes().splitlines()
        _append(into / JOURNAL, [line for line in lines if cell_of(line) in every - noted])
    _append(into / RESULTS, list(new.values()))
    known.update(new)
    return len(new), len(every) - len(new)


def _histories(part: Path, cells: dict[str, bytes]) -> list[bytes]:
    if not (part / HISTORY).exists():
        return []
    found = parse_lines((part / HISTORY).read_bytes(), is_history, HISTORY_START)
    return [line for row, line in zip(found.rows, found.whole, strict=True) if row[ID] in cells]


def _append(path: Path, lines: Sequence[bytes]) -> None:
    if lines:
        append_whole(path, b"".join(line + b"\n" for line in lines))


def _copy(path: Path, to: Path) -> None:
    """Copy a file, if there is one."""
    if path.exists() and not to.exists():
        to.parent.mkdir(parents=True, exist_ok=True)
        write_whole(to, path.read_bytes())
