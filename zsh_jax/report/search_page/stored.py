"""Read what a finished sweep has stored: its configuration, and the cells whose hash functions are on disk."""

import json
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from zsh_jax.errors import InputError
from zsh_jax.inputs.fingerprint import PREFIX
from zsh_jax.sweep.config import defaults
from zsh_jax.sweep.grid import groups
from zsh_jax.sweep.settings import check_settings
from zsh_jax.tracking.models import model_path
from zsh_jax.tracking.results import ID, RESULTS, read_rows

Row = Mapping[str, Any]  # of the results
SPLIT = f"{PREFIX}split"
OWN = ("command", "choices")  # keys of config.json that are no settings


class Function(NamedTuple):
    """A hash function on the page.

    Attributes:
        method: its name on the page: the variant, and the method where the variant does not name it.
        bits: code length.
        row: of its cell, in the results.
        path: of its file.
    """

    method: str
    bits: int
    row: Row
    path: Path


def stored_config(workdir: str | Path) -> ConfigDict:
    """The configuration of the latest sweep in a workdir.

    Raises:
        InputError: there is none, or it is not valid.
    """
    path = Path(workdir) / "config.json"
    fix = "fix: give the workdir of a finished sweep"
    try:
        found = json.loads(path.read_text())
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); {fix}") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path} is not JSON; {fix}") from None
    if not isinstance(found, dict):
        raise InputError(f"{path} is not a configuration; {fix}")
    config = defaults()
    try:
        with config.ignore_type():
            config.update(_tuples({key: value for key, value in found.items() if key not in OWN}))
        check_settings(config)
    except InputError as error:
        said, _, _ = str(error).partition("; fix:")
        raise InputError(f"{path} is not of this version ({said}); fix: rerun its sweep") from None
    except (TypeError, ValueError, KeyError, AttributeError):
        raise InputError(f"{path} is not of this version; fix: rerun its sweep") from None
    return config


def semantics_of(config: ConfigDict) -> tuple[str, ...]:
    """The kinds of semantics of a sweep, which decide the classes that have vectors."""
    every = groups(config.sweep.to_dict(), config.variants.to_dict())
    return tuple(dict.fromkeys(group.splits[0].semantics for group in every))


def stored_rows(workdir: str | Path, cells: Container[str] | None = None) -> list[Row]:
    """The rows of a workdir whose hash functions can be shown.

    Args:
        workdir: of the sweep.
        cells: `cell_id` of the cells to consider; None for all.

    Returns:
        Rows of finite cells with codes and a saved hash function, in the order of the results.

    Raises:
        InputError: there are no results, they are of an older version, or no hash function is saved.
    """
    path = Path(workdir) / RESULTS
    found = read_rows(path)
    if found.old:
        raise InputError(f"{path} is of an older version; fix: rerun its sweep in a new workdir")
    finite: list[Row] = [row for row in found.rows if row["bits"] and row.get("status") != "non_finite"]
    finite = [row for row in finite if cells is None or row[ID] in cells]
    if not finite:
        raise InputError(f"{path} has no finished cell with codes; fix: run its sweep to the end")
    saved = [row for row in finite if model_path(workdir, row[ID]).exists()]
    if not saved:
        raise InputError(
            f"{workdir} has no saved hash functions; fix: rerun its sweep with --config.save_models in this workdir"
        )
    return saved


def with_unseen(rows: Sequence[Row], unseen: str | None) -> Sequence[Row]:
    """The rows with a set of unseen classes.

    Args:
        rows: from `stored_rows`.
        unseen: names of the classes, joined by "+"; None for any.

    Raises:
        InputError: no row has these unseen classes.
    """
    chosen = rows if unseen is None else [row for row in rows if _names(row["unseen"]) == _names(unseen)]
    if not chosen:
        known = list(dict.fromkeys(row["unseen"] for row in rows))
        raise InputError(
            f"--unseen: no saved hash function has the unseen classes {unseen!r}; fix: use {known[0]!r}"
            + (f", or one of {len(known) - 1} others" if len(known) > 1 else "")
        )
    return chosen


def of_one_split(rows: Sequence[Row]) -> list[Row]:
    """The rows of the data split with the most hash functions; of several, the first in the results."""
    splits: dict[str, list[Row]] = {}
    for row in rows:
        splits.setdefault(row[SPLIT], []).append(row)
    return max(splits.values(), key=len)  # the first of equals


def functions_of(workdir: str | Path, rows: Sequence[Row], reference: str | None = None) -> list[Function]:
    """One hash function for each variant, method and code length.

    Args:
        workdir: of the sweep.
        rows: from `of_one_split`. If they differ in another axis, its first value is shown.
        reference: name of the variant that comes first.

    Returns:
        Functions in the order of the results, shorter codes of a method first.
    """
    methods: dict[str, set[str]] = {}
    for row in rows:
        methods.setdefault(row["variant"], set()).add(row["method"])
    found: dict[tuple[str, int], Function] = {}
    for row in sorted(rows, key=lambda row: row["variant"] != reference):  # stable
        several = not row["variant"] or len(methods[row["variant"]]) > 1
        name = ", ".join(part for part in (row["variant"], row["method"] if several else "") if part)
        one = Function(name, row["bits"], row, model_path(workdir, row[ID]))
        found.setdefault((name, row["bits"]), one)
    first = list(dict.fromkeys(one.method for one in found.values()))
    return sorted(found.values(), key=lambda one: (first.index(one.method), one.bits))


def _names(unseen: str) -> frozenset[str]:
    return frozenset(name.strip() for name in unseen.split("+"))


def _tuples(value: Any) -> Any:
    """JSON values with tuples in place of lists, as a configuration has them."""
    if isinstance(value, dict):
        return {key: _tuples(one) for key, one in value.items()}
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value
