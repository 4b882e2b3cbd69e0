"""From the folders of sweeps to the rows that a report is made of."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from zsh_jax.errors import InputError
from zsh_jax.report.chance import CHANCE_AT, MAP_AT
from zsh_jax.report.gallery import GALLERY, Gallery, load_gallery
from zsh_jax.report.same_names import told_by_content
from zsh_jax.report.tuned import as_tuned
from zsh_jax.tracking.history import HISTORY, read_history
from zsh_jax.tracking.results import ID, RESULTS, Rows, counted, read_rows

AT = {"precision@": "precision_at", MAP_AT: "mean_average_precision_at", CHANCE_AT: "chance_at"}
OLD = "These results are of an older version of zsh_jax: they have no checksums, nor fingerprints of their data."
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
        damaged: what was left out because it does not verify, or cannot be read, a line a file.
        old: a line that says so, where an older version of the package wrote the results; else empty.
        commands: command lines of the sweeps, where they were kept.
    """

    names: tuple[str, ...]
    references: tuple[str, ...]
    rows: list[dict[str, Any]]
    history: Mapping[str, Mapping[str, Sequence[float]]]
    galleries: Mapping[str, Gallery]
    damaged: tuple[str, ...] = ()
    old: str = ""
    commands: tuple[str, ...] = ()


def read_sweeps(workdirs: Sequence[str | Path]) -> Sweeps:
    """Read and merge the results of sweeps.

    Args:
        workdirs: their folders. Where a cell stands in several, the last counts.

    Returns:
        What is there. A cell keeps its place of first appearance, but cells of the reference variants come first.
        Data of one name and several contents have names that tell them apart.

    Raises:
        InputError: if a folder has no results, or they, its `config.json` or history cannot be read; or if some
            results are of an older version, which does not say what data they are of, and some are not.
    """
    names, references, commands, galleries = [], [], [], {}
    rows: dict[str, dict[str, Any]] = {}
    history: dict[str, Mapping[str, Sequence[float]]] = {}
    damaged: list[str] = []
    old: dict[Path, bool] = {}
    for folder in map(Path, workdirs):
        read = _read(folder / RESULTS)
        old[folder] = read.old
        damaged += _left_out(read.damaged, folder / RESULTS)
        found = _rows(read.rows, folder / RESULTS)
        config = _config(folder / "config.json")
        name = str(config.get("name") or folder.resolve().name)
        names.append(name)
        if config.get("reference"):
            references.append(str(config["reference"]))
        commands += _commands(folder, config)
        found = as_tuned(found, (config.get("tuning") or {}).get("axes") or {})
        rows |= {row[ID]: row for row in found}
        if (folder / HISTORY).exists():
            histories = read_history(folder / HISTORY)
            damaged += _left_out(histories.damaged, folder / HISTORY)
            history |= histories.by_cell
        if (folder / GALLERY).exists():
            key = name if name not in galleries else f"{name} ({folder.resolve().name})"
            try:
                galleries[key] = load_gallery(folder / GALLERY)
            except InputError as error:  # it only illustrates the results, which are there
                damaged.append(f"gallery left out: {error}")
    first = sorted(rows.values(), key=lambda row: row["variant"] not in references)
    return Sweeps(
        tuple(dict.fromkeys(names)),
        tuple(dict.fromkeys(references)),
        told_by_content(first),
        history,
        galleries,
        tuple(damaged),
        _told_old(old),
        tuple(dict.fromkeys(commands)),
    )


def _told_old(old: Mapping[Path, bool]) -> str:
    if all(old.values()):
        return OLD
    if any(old.values()):
        olds, news = (
            next(folder for folder, is_old in old.items() if is_old is kind) for kind in (True, False)
        )
        raise InputError(
            f"{olds} is of an older version, whose cells do not say what data they are of, and {news} is not; report "
            "them one by one"
        )
    return ""


def _left_out(damaged: int, path: Path) -> list[str]:
    return [f"{counted(damaged)} of {path} left out"] if damaged else []


def _read(path: Path) -> Rows:
    read = read_rows(path)
    if not read.rows:
        raise InputError(f"{path} holds no cell yet; run its sweep first")
    return read


def _rows(rows: list[dict[str, Any]], path: Path) -> list[dict[str, Any]]:
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
        if isinstance(n, int) and n > 0
    }
    return row | {"variant": row.get("variant") or ""} | at


def _commands(folder: Path, config: Mapping[str, Any]) -> list[str]:
    """The command lines that a workdir has seen, the last one first: others may have made some of its cells."""
    found = [config.get("command")]
    for path in sorted(folder.glob("config-*.json")):
        try:
            found.append(_config(path).get("command"))
        except InputError:  # a report does without
            continue
    return [command for command in found if isinstance(command, str) and command]


def _config(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        config = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        said = " ".join(str(error).split())
        raise InputError(f"{path} cannot be read ({said}); take it away, a report does without") from None
    if not isinstance(config, dict):
        raise InputError(f"{path} is no configuration; take it away, a report does without")
    return config
