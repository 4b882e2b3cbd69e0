"""Provenance of the rows of a report: listed on the page, with a warning where one table mixes several."""

import hashlib
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence

from zsh_jax.inputs.fingerprint import KINDS, PREFIX
from zsh_jax.report.series import Row

MADE_BY = {"version": "zsh_jax", "commit": "commit", "jax": "jax", "jaxlib": "jaxlib", "device": "device"}
"""Displayed name of each provenance key of a row."""
MANY = 4  # values listed at most
DIGITS = 12  # of a commit hash


def provenance_facts(rows: Sequence[Row], commands: Sequence[str]) -> Mapping[str, str]:
    """Provenance by displayed name: versions, commit, device, precision, dates, fingerprints, commands.

    Args:
        rows: from `read_sweeps`.
        commands: command lines of the sweeps.

    Returns:
        The values that the rows state; a name without values is omitted.
    """
    facts = {name: _counted(rows, key) for key, name in MADE_BY.items()}
    facts["precision"] = _counted(rows, "precision")
    facts["dates"] = _dates(rows)
    prints = [f"{name}: {counts}" for kind, name in KINDS.items() if (counts := _fingerprints(rows, kind))]
    facts["fingerprints"] = "; ".join(prints)
    shown = [as_typed(command) for command in commands[:MANY]]
    shown += [f"{len(commands) - MANY:,} others, see config-*.json"] if len(commands) > MANY else []
    facts |= {"command" if len(shown) == 1 else f"command {i}": one for i, one in enumerate(shown, 1)}
    return {name: value for name, value in facts.items() if value}


def as_typed(command: str) -> str:
    """A command line with its words quoted as one types them: `--config.sweep.unseen="('cat',)"`.

    Args:
        command: as a sweep has noted it, for a POSIX shell.

    Returns:
        A line that a shell reads as the same words; the one given, if no shell can read it.
    """
    try:
        words = shlex.split(command)
    except ValueError:  # an open quote: the file was written by hand
        return command
    return " ".join(map(_typed, words))


def _typed(word: str) -> str:
    key, sign, value = word.partition("=") if word.startswith("--") and "=" in word else ("", "", word)
    start = f"{shlex.quote(key)}{sign}" if sign else ""
    if "'" in value and not set(value) & set('"$`\\!'):  # which mean something between double quotes
        return f'{start}"{value}"'
    return start + shlex.quote(value)


def mixed_provenance(rows: Sequence[Row]) -> tuple[str, ...]:
    """A warning for each of version, commit, jax, jaxlib and device that differs among the rows of one data set."""
    return tuple(
        f"These tables mix cells made with different values of {name}: {counts}. This alone may cause differences "
        "between them."
        for key, name in MADE_BY.items()
        if len(_values(rows, key)) > 1 and (counts := _counted(rows, key))
    )


def _values(rows: Sequence[Row], key: str) -> Counter[str]:
    """Number of rows with each value; commits are shortened."""
    found = [str(row[key]) for row in rows if isinstance(row.get(key), str) and row[key]]
    return Counter(map(_short, found) if key == "commit" else found)


def _counted(rows: Sequence[Row], key: str) -> str:
    """The value that all rows share; else each value with its number of cells, the most frequent first."""
    found = _values(rows, key)
    silent = len(rows) - found.total()
    if len(found) == 1 and not silent:
        return next(iter(found))
    listed = [f"{value} ({_cells(count)})" for value, count in found.most_common(MANY)]
    listed += [f"{len(found) - MANY:,} others"] if len(found) > MANY else []
    listed += [f"not stated ({_cells(silent)})"] if silent and found else []
    return ", ".join(listed)


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count:,} cells"


def _short(commit: str) -> str:
    digits, dash, dirty = commit.partition("-")
    return f"{digits[:DIGITS]}{dash}{dirty}"


def _dates(rows: Sequence[Row]) -> str:
    """First and last date; ISO 8601 sorts as text."""
    found = sorted(_values(rows, "date"))
    ends = [date.replace("T", " ").removesuffix("Z") for date in found[:1] + found[1:][-1:]]
    return f"{' to '.join(ends)} UTC" if ends else ""


def _fingerprints(rows: Sequence[Row], kind: str) -> str:
    """Each fingerprint with the name of its data; for data splits, their number and one hash of all of them."""
    key = PREFIX + kind
    if kind == "split":
        splits = sorted(_values(rows, key))
        together = hashlib.sha256(" ".join(splits).encode()).hexdigest()[:16]
        return f"{len(splits):,}, together {together}" if splits else ""
    name = "dataset" if kind == "labels" else kind
    pairs = Counter(
        (str(row.get(name)), row[key]) for row in rows if isinstance(row.get(key), str) and row[key]
    )
    listed = [f"{name} {digits}" for (name, digits), _ in pairs.most_common(MANY)]
    listed += [f"{len(pairs) - MANY:,} others"] if len(pairs) > MANY else []
    return ", ".join(listed)
