"""Distinguish data with one name and different contents, before anything is averaged."""

from collections.abc import Mapping, Sequence
from typing import Any

from zsh_jax.errors import InputError
from zsh_jax.inputs.fingerprint import PREFIX
from zsh_jax.tracking.results import ID

LABELS, SPLIT = f"{PREFIX}labels", f"{PREFIX}split"
NAMED = {"features": f"{PREFIX}features", "semantics": f"{PREFIX}semantics"}
SHOWN = 6  # digits of a fingerprint


def distinguished_by_content(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Add the first digits of the fingerprint to names that several contents share.

    Args:
        rows: of sweeps; those of older versions have no fingerprints.

    Returns:
        The rows in their order. A `dataset` with several sets of labels, and `features` or `semantics` of one data set
        with several contents, get the name `NAME (DIGITS)`.

    Raises:
        InputError: if two cells have the same settings and data but different splits: two versions wrote them.
    """
    found = [dict(row) for row in rows]
    _distinguish(found, "dataset", LABELS, ())
    for name, fingerprint in NAMED.items():
        _distinguish(found, name, fingerprint, ("dataset",))
    _check_splits(found)
    return found


def _distinguish(rows: Sequence[dict[str, Any]], name: str, fingerprint: str, within: Sequence[str]) -> None:
    contents: dict[tuple[Any, ...], set[Any]] = {}
    for row in rows:
        contents.setdefault(tuple(row.get(key) for key in (*within, name)), set()).add(row.get(fingerprint))
    several = {key for key, values in contents.items() if len(values) > 1}
    for row in rows:
        if tuple(row.get(key) for key in (*within, name)) in several:
            row[name] = f"{row.get(name)} ({str(row.get(fingerprint))[:SHOWN]})"


def _check_splits(rows: Sequence[Mapping[str, Any]]) -> None:
    splits: dict[tuple[Any, ...], Any] = {}
    for row in rows:
        identity = list(row)[: list(row).index(ID)]
        settings = tuple((key, row[key]) for key in identity if key != SPLIT)
        if splits.setdefault(settings, row.get(SPLIT)) != row.get(SPLIT):
            raise InputError(
                f"cell {row[ID]} has the settings and data of another cell but other samples: two versions of zsh_jax "
                "wrote them; fix: report each workdir alone"
            )
