"""From the folders of sweeps to the rows that a report is made of."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from zsh_jax.errors import InputError
from zsh_jax.report.chance import CHANCE_AT, MAP_AT
from zsh_jax.report.gallery import GALLERY, Gallery, load_gallery
from zsh_jax.report.tuned import as_tuned
from zsh_jax.tracking.history import HISTORY, read_history
from zsh_jax.tracking.results import ID, read_results

AT = {"precision@": "precision_at", MAP_AT: "mean_average_precision_at", CHANCE_AT: "chance_at"}
NEEDED = ("method", "unseen", "bits", "seed")


class Sweeps(NamedTuple):
    """Some sweeps, merged.

    Attributes:
        names: of the sweeps.
        references: names of the variants that others are compared with.
        rows: one a cell, with a `variant`, which may be empty, and the figures at each N under `precision@N`,
            `map@N` and `chance@N`.
        history: by `cell_id`, where it was kept.
        galleries: by name of the sweep, where there are some.
    """

    names: tuple[str, ...]
    references: tuple[str, ...]
    rows: list[dict[str, Any]]
    history: Mapping[str, Mapping[str, Sequence[float]]]
    galleries: Mapping[str, Gallery]


def read_sweeps(workdirs: Sequence[str | Path]) -> Sweeps:
    """Read and merge the results of sweeps.

    Args:
        workdirs: their folders. Where a cell stands in several, the last counts.

    Returns:
        What is there. A cell keeps its place of first appearance, but cells of the reference variants come first.

    Raises:
        InputError: if a folder has no results, or they, its `config.json`, history or gallery cannot be read.
    """
    names, references, galleries = [], [], {}
    rows: dict[str, dict[str, Any]] = {}
    history: dict[str, Mapping[str, Sequence[float]]] = {}
    for folder in map(Path, workdirs):
        found = _rows(folder / "results.jsonl")
        config = _config(folder / "config.json")
        name = str(config.get("name") or folder.resolve().name)
        names.append(name)
        if config.get("reference"):
            references.append(str(config["reference"]))
        found = as_tuned(found, (config.get("tuning") or {}).get("axes") or {})
        rows |= {row[ID]: row for row in found}
        history |= read_history(folder / HISTORY) if (folder / HISTORY).exists() else {}
        if (folder / GALLERY).exists():
            key = name if name not in galleries else f"{name} ({folder.resolve().name})"
            galleries[key] = load_gallery(folder / GALLERY)
    first = sorted(rows.values(), key=lambda row: row["variant"] not in references)
    return Sweeps(tuple(dict.fromkeys(names)), tuple(dict.fromkeys(references)), first, history, galleries)


def _rows(path: Path) -> list[dict[str, Any]]:
    rows = read_results(path)
    if not rows:
        raise InputError(f"{path} holds no cell yet; run its sweep first")
    for row in rows:
        missing = [key for key in NEEDED if row.get(key) is None]
        if missing:
            raise InputError(f"{path}: cell {row[ID]} has no {missing[0]}; it is of no sweep of this package")
    return [_expanded(row) for row in rows]


def _expanded(row: dict[str, Any]) -> dict[str, Any]:
    """With a name for each figure at N: sweeps that are merged may have looked at different N."""
    cutoffs = row.get("cutoffs") or ()
    at = {
        f"{prefix}{n}": value
        for prefix, key in AT.items()
        for n, value in zip(cutoffs, row.get(key) or (), strict=False)
    }
    return row | {"variant": row.get("variant") or ""} | at


def _config(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        config = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        said = " ".join(str(error).split())
        raise InputError(f"{path} cannot be read ({said}); take it away, a report does without") from None
    if not isinstance(config, dict):
        raise InputError(f"{path} is no configuration; take it away, a report does without")
    return config
