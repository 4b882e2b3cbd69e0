"""Read and merge the rows of a report from the folders of sweeps."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from zsh_jax.errors import InputError
from zsh_jax.report.chance import CHANCE_AT, DIVISORS, MAP_AT
from zsh_jax.report.code_pictures import CODES, CodePictures, load_code_pictures
from zsh_jax.report.gallery import GALLERY, Gallery, load_gallery
from zsh_jax.report.same_names import distinguished_by_content
from zsh_jax.report.tuned import as_tuned, of_choices
from zsh_jax.tracking.history import HISTORY, read_history
from zsh_jax.tracking.results import ID, RESULTS, Rows, counted, read_rows

AT = {
    "precision@": "precision_at",
    **{f"{MAP_AT}{divisor}": f"mean_average_precision_at{end}" for divisor, end in DIVISORS.items()},
    **{f"{CHANCE_AT}{divisor}": f"chance_at{end}" for divisor, end in DIVISORS.items()},
}
OLD = "These results are of an older version of zsh_jax: they have no checksums and no fingerprints of the data."
NEEDED = ("method", "unseen", "bits", "seed")


class Sweeps(NamedTuple):
    """Merged sweeps.

    Attributes:
        names: of the sweeps.
        references: names of the reference variants.
        rows: one a cell, with a `variant`, which may be empty, and metrics at each N as `precision@N`, `map@N` and
            `chance@N`.
        history: by `cell_id`, where it was saved.
        galleries: by name of the sweep, where it has one.
        codes: pictures of codes, of each sweep that has them.
        damaged: a line for each file with lines that fail their checksum or cannot be read; these are skipped.
        old: a warning if an older version of the package wrote the results; else empty.
        commands: command lines of the sweeps, where they were saved.
    """

    names: tuple[str, ...]
    references: tuple[str, ...]
    rows: list[dict[str, Any]]
    history: Mapping[str, Mapping[str, Sequence[float]]]
    galleries: Mapping[str, Gallery]
    codes: tuple[CodePictures, ...] = ()
    damaged: tuple[str, ...] = ()
    old: str = ""
    commands: tuple[str, ...] = ()


def read_sweeps(workdirs: Sequence[str | Path], *, chosen: bool = False) -> Sweeps:
    """Read and merge the results of sweeps.

    Args:
        workdirs: their folders. If several hold a cell, the last one is used.
        chosen: whether tuned axes keep the value that tuning chose for each cell; else they are "tuned", so that
            means are taken over the chosen values.

    Returns:
        Merged sweeps. Cells stay in the order of first appearance, those of the reference variants first. Data with
        one name and different contents get distinct names.

    Raises:
        InputError: if a folder has no results, or its results, `config.json` or history cannot be read; or if only
            some of the sweeps have fingerprints of their data (older versions wrote none).
    """
    names, references, commands, galleries = [], [], [], {}
    rows: dict[str, dict[str, Any]] = {}
    history: dict[str, Mapping[str, Sequence[float]]] = {}
    damaged: list[str] = []
    old: dict[Path, bool] = {}
    pictures: list[CodePictures] = []
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
        found = of_choices(found, config.get("choices") or {})
        if not chosen:
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
            except InputError as error:  # a gallery only illustrates the results
                damaged.append(f"gallery skipped: {error}")
        if (folder / CODES).exists():
            try:
                pictures.append(load_code_pictures(folder / CODES))
            except InputError as error:
                damaged.append(f"pictures of codes skipped: {error}")
    first = sorted(rows.values(), key=lambda row: row["variant"] not in references)
    return Sweeps(
        tuple(dict.fromkeys(names)),
        tuple(dict.fromkeys(references)),
        distinguished_by_content(first),
        history,
        galleries,
        tuple(pictures),
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
            f"{olds} is of an older version, without fingerprints of its data, and {news} is not; fix: report each "
            "one alone"
        )
    return ""


def _left_out(damaged: int, path: Path) -> list[str]:
    return [f"{counted(damaged)} of {path} skipped"] if damaged else []


def _read(path: Path) -> Rows:
    read = read_rows(path)
    if not read.rows:
        raise InputError(f"{path} holds no cell yet; fix: run its sweep first")
    return read


def _rows(rows: list[dict[str, Any]], path: Path) -> list[dict[str, Any]]:
    for row in rows:
        missing = [key for key in NEEDED if row.get(key) is None]
        if missing:
            raise InputError(
                f"{path}: cell {row[ID]} has no {missing[0]}; no sweep of this package wrote it; fix: delete the line"
            )
    return [_expanded(row) for row in rows]


def _expanded(row: dict[str, Any]) -> dict[str, Any]:
    """Add a key for each metric at N: merged sweeps may have different N."""
    cutoffs = row.get("cutoffs") or ()
    at = {
        f"{prefix}{n}": value
        for prefix, key in AT.items()
        for n, value in zip(cutoffs, row.get(key) or (), strict=False)
        if isinstance(n, int) and n > 0
    }
    return row | {"variant": row.get("variant") or ""} | at


def _commands(folder: Path, config: Mapping[str, Any]) -> list[str]:
    """All command lines that ran in a workdir, the last one first: earlier ones may have made some of its cells."""
    found = [config.get("command")]
    for path in sorted(folder.glob("config-*.json")):
        try:
            found.append(_config(path).get("command"))
        except InputError:  # a report does not need it
            continue
    return [command for command in found if isinstance(command, str) and command]


def _config(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        config = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        said = " ".join(str(error).split())
        raise InputError(
            f"{path} cannot be read ({said}); fix: delete it, a report does not need it"
        ) from None
    if not isinstance(config, dict):
        raise InputError(f"{path} is not a configuration; fix: delete it, a report does not need it")
    return config
