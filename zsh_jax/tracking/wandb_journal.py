"""The cells that have a run in Weights & Biases: `wandb.jsonl`, a line for each finished run.

A process can die between a result and its run, or W&B can fail: a cell without a line gets its run at the next start.
"""

import json
from pathlib import Path

from zsh_jax.atomic import append_whole, cannot_write

JOURNAL = "wandb.jsonl"


def open_journal(workdir: str | Path) -> frozenset[str]:
    """Create or read the journal, at the start of a sweep. Damaged lines are ignored.

    Args:
        workdir: of the sweep; the folder exists.

    Returns:
        `cell_id` of each cell that has a run.

    Raises:
        InputError: if the file cannot be read or written.
        OSError: if the disk failed.
    """
    path = Path(workdir) / JOURNAL
    try:
        with path.open("ab+") as file:
            file.seek(0)
            content = file.read()
            if content and not content.endswith(b"\n"):
                file.write(b"\n")
    except OSError as error:
        raise cannot_write(path, error) from None
    return frozenset(filter(None, map(cell_of, content.splitlines())))


def modes(workdir: str | Path) -> dict[str, str]:
    """The mode of the latest run of each cell, "offline" or "online", by `cell_id`. Writes nothing.

    Args:
        workdir: of a sweep; it may have no journal.

    Raises:
        OSError: if the disk failed.
    """
    path = Path(workdir) / JOURNAL
    lines = path.read_bytes().splitlines() if path.exists() else []
    return {cell: str(json.loads(line).get("mode")) for line in lines if (cell := cell_of(line)) is not None}


def note_run(workdir: str | Path, cell: str, run: str, mode: str) -> None:
    """Record that a cell has a run.

    Args:
        workdir: of the sweep; the folder exists.
        cell: its `cell_id`.
        run: id of the run.
        mode: "offline" or "online".

    Raises:
        OSError: if the disk failed.
    """
    line = json.dumps({"cell_id": cell, "run": run, "mode": mode})
    append_whole(Path(workdir) / JOURNAL, f"{line}\n".encode(), make=True)


def cell_of(line: bytes) -> str | None:
    """The `cell_id` that a line names; None if it is damaged."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    cell = row.get("cell_id") if isinstance(row, dict) else None
    return cell if isinstance(cell, str) else None
