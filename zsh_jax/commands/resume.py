"""Resume a sweep: find the finished cells, and the cells that must run again."""

import sys
from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from typing import Any

from zsh_jax.inputs.fingerprint import KINDS, PREFIX
from zsh_jax.methods.table import METHODS
from zsh_jax.tracking.history import check_history, open_history
from zsh_jax.tracking.models import is_whole_model, model_path
from zsh_jax.tracking.results import Results, cell_id, check_workdir

PRECISION = "precision"


def check_start(workdir: str | Path) -> None:
    """Check, before anything slow starts, that a sweep may use a workdir. Writes nothing.

    Args:
        workdir: the folder; it need not exist.

    Raises:
        InputError: if its results or histories belong to another program, to an older version, or cannot be read.
    """
    check_workdir(workdir)
    check_history(workdir)


def cells_done(
    workdir: str | Path,
    results: Results,
    cells: Iterable[Mapping[str, Any]],
    *,
    save_models: bool,
    shown: Container[str],
) -> frozenset[str]:
    """Find the finished cells of an earlier run.

    A cell is finished if its row and history are valid and its model is undamaged. The model must exist if models are
    saved; a cell does not run again only because the retrieval examples lack its model.

    Args:
        workdir: of the sweep.
        results: of the workdir, just opened.
        cells: identities of the sweep's cells.
        save_models: whether the sweep saves the hash function of each cell.
        shown: `cell_id` of the cells whose hash functions the retrieval examples need.

    Returns:
        `cell_id` of the finished cells. A line on standard error states the number of damaged models.

    Raises:
        InputError: if the histories cannot be read or written.
        OSError: if the disk is full or gone.
    """
    histories = open_history(workdir)
    done, damaged = set(), 0
    for cell in cells:
        identifier = cell_id(cell)
        if identifier not in results.done or (histories is not None and identifier not in histories):
            continue
        path = model_path(workdir, identifier)
        wanted = METHODS[cell["method"]].has_codes and (
            save_models or (identifier in shown and path.exists())
        )
        if wanted and not is_whole_model(path):
            damaged += path.exists()
            continue
        done.add(identifier)
    if damaged:
        what = "1 damaged model" if damaged == 1 else f"{damaged:,} damaged models"
        print(f"zsh_jax: {what} in {model_path(workdir, '').parent}; their cells run again", file=sys.stderr)
    return frozenset(done)


def told_other_data(results: Results, cells: Iterable[Mapping[str, Any]]) -> str:
    """A line on the cells of a workdir that differ from the sweep's only in their data; empty if there are none."""
    by_settings = {_settings(cell): cell for cell in cells}
    own = {cell_id(cell) for cell in by_settings.values()}
    others, unlike = 0, dict.fromkeys((*KINDS, PRECISION), False)
    for row in results.earlier:
        cell = by_settings.get(_settings(row))
        if cell is None or cell_id(row) in own:
            continue
        others += 1
        for kind in unlike:
            key = kind if kind == PRECISION else PREFIX + kind
            unlike[kind] |= row.get(key) != cell.get(key)
    if not others:
        return ""
    names = ", ".join(KINDS.get(kind, kind) for kind, differs in unlike.items() if differs)
    cells_are, they = ("1 cell", "it is") if others == 1 else (f"{others:,} cells", "they are")
    has = "has" if others == 1 else "have"
    return f"{cells_are} of this workdir {has} the same settings but other data ({names}): {they} not used"


def _settings(cell: Mapping[str, Any]) -> frozenset[tuple[str, Any]]:
    """An identity without its fingerprints and precision."""
    return frozenset(
        (key, value) for key, value in cell.items() if key != PRECISION and not key.startswith(PREFIX)
    )
