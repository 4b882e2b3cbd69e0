"""What made the rows of a report, and of which inputs: stated on the page, and in words where tables mix it."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

from zsh_jax.inputs.fingerprint import KINDS, PREFIX
from zsh_jax.report.series import Row

MADE_BY = {"version": "zsh_jax", "commit": "commit", "jax": "jax", "jaxlib": "jaxlib", "device": "device"}
"""By the key of a row, what readers call it."""
MANY = 4  # of what is listed
DIGITS = 12  # of a commit


def provenance_facts(rows: Sequence[Row], commands: Sequence[str]) -> Mapping[str, str]:
    """Where figures come from.

    Args:
        rows: as `read_sweeps` gives them.
        commands: command lines of the sweeps.

    Returns:
        By what readers call it: versions, commit, device, precision, dates, fingerprints, commands; what the rows do
        not state is left out.
    """
    facts = {name: _counted(rows, key) for key, name in MADE_BY.items()}
    facts["precision"] = _counted(rows, "precision")
    facts["dates"] = _dates(rows)
    prints = [f"{name}: {told}" for kind, name in KINDS.items() if (told := _fingerprints(rows, kind))]
    facts["fingerprints"] = "; ".join(prints)
    shown = list(commands[:MANY])
    shown += [f"{len(commands) - MANY:,} others, see config-*.json"] if len(commands) > MANY else []
    facts |= {"command" if len(shown) == 1 else f"command {i}": one for i, one in enumerate(shown, 1)}
    return {name: value for name, value in facts.items() if value}


def mixed_provenance(rows: Sequence[Row]) -> tuple[str, ...]:
    """What is to be said where rows that tables put beside each other were made in different ways.

    Args:
        rows: of one data set.

    Returns:
        A sentence for each of version, commit, jax, jaxlib and device of which there are several.
    """
    return tuple(
        f"These tables mix cells made with different values of {name}: {told}. Differences between them may be due "
        "to that alone."
        for key, name in MADE_BY.items()
        if len(_values(rows, key)) > 1 and (told := _counted(rows, key))
    )


def _values(rows: Sequence[Row], key: str) -> Counter[str]:
    """How many rows state each value; commits by their first digits."""
    found = [str(row[key]) for row in rows if isinstance(row.get(key), str) and row[key]]
    return Counter(map(_short, found) if key == "commit" else found)


def _counted(rows: Sequence[Row], key: str) -> str:
    """The value that all rows state; or each, the most frequent first, with the number of its cells."""
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
    """The first and the last; ISO 8601 sorts as text."""
    found = sorted(_values(rows, "date"))
    ends = [date.replace("T", " ").removesuffix("Z") for date in found[:1] + found[1:][-1:]]
    return f"{' to '.join(ends)} UTC" if ends else ""


def _fingerprints(rows: Sequence[Row], kind: str) -> str:
    """Of what has few, each with the name of what it is of; of data splits, how many and what they are together."""
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
