"""Files of JSON lines that only grow. Each line ends in a checksum of the rest of it, so that damage is found."""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from zsh_jax.atomic import append_whole, write_whole
from zsh_jax.inputs.fingerprint import PREFIX

CHECKSUM = "checksum"  # the last key of each line
MARKS = (b'"cell_id": "', b'"checksum": "')  # what else is in each
DIGITS = 16
LARGEST = 1 << 63  # whole numbers beyond are of no row


class Lines(NamedTuple):
    """What a file holds.

    Attributes:
        rows: of the lines that verify, without their checksums, in their order.
        whole: these lines as they stand.
        damaged: the lines that do not verify.
        old: whether the file is of an older version: its lines have no checksum, and tell no damage.
        foreign: the first line, counted from 1, if no line of the file is one of ours; else None.
    """

    rows: list[dict[str, Any]]
    whole: list[bytes]
    damaged: list[bytes]
    old: bool = False
    foreign: int | None = None


def signed(row: Mapping[str, Any]) -> bytes:
    """A row as a line.

    Args:
        row: JSON values, one at the least; none is a number that is not finite.

    Returns:
        The line, with its checksum and its end.

    Raises:
        ValueError: if a number is not finite.
    """
    start = json.dumps(row, allow_nan=False)[:-1].encode()
    return start + _signature(start) + b"\n"


def parse_lines(content: bytes, is_row: Callable[[dict[str, Any]], bool], start: bytes) -> Lines:
    """Sort the lines of a file into those that verify and those that do not.

    Args:
        content: of the file.
        is_row: whether a parsed line is one of this file.
        start: how each line of this file begins, which tells one that is torn from one that is not ours.

    Returns:
        The lines; blank ones are left out.
    """
    found, old = Lines([], [], []), Lines([], [], [])
    lines = [line.removesuffix(b"\r") for line in content.split(b"\n")]
    lines = [line for line in lines if line.strip()]
    for line in lines:
        verified = line.endswith(_signature(line[: -len(_signature(b""))]))
        row = parse_row(line, trusted=verified)
        if row is None or not is_row(row):
            found.damaged.append(line)
        elif verified:
            found.rows.append({key: value for key, value in row.items() if key != CHECKSUM})
            found.whole.append(line)
        else:
            found.damaged.append(line)
            if CHECKSUM not in row and not any(key.startswith(PREFIX) for key in row):
                old.rows.append(row)
                old.whole.append(line)
    if found.rows or not lines:
        return found
    if old.rows:
        kept = set(old.whole)
        return old._replace(old=True, damaged=[line for line in lines if line not in kept])
    if any(_is_ours(line, start) for line in lines):
        return found
    blank = next(number for number, line in enumerate(content.split(b"\n"), 1) if line.strip())
    return found._replace(foreign=blank)


def parse_row(line: bytes, *, trusted: bool = False) -> dict[str, Any] | None:
    """Parse a line of JSON.

    Args:
        line: with or without its end.
        trusted: whether it verifies: then its values were looked at when it was written.

    Returns:
        The row, if the line is an object whose values are finite scalars and lists of such; else None.
    """
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict):
        return None
    if trusted:
        return row
    flat = (one for value in row.values() for one in (value if isinstance(value, list) else [value]))
    return row if all(map(_is_scalar, flat)) else None


def damaged_path(path: Path) -> Path:
    """Where the damaged lines of a file are kept: `NAME.damaged.jsonl` beside `NAME.jsonl`."""
    return path.with_name(f"{path.stem}.damaged{path.suffix}")


def heal(path: Path, content: bytes, found: Lines) -> None:
    """Move the damaged lines of a file aside, and leave the others.

    Args:
        path: the file.
        content: of it, now.
        found: what `parse_lines` made of that.

    Raises:
        OSError: if the disk is full or gone; no line is lost then.
    """
    if found.damaged:
        append_whole(damaged_path(path), b"".join(line + b"\n" for line in found.damaged), make=True)
    rest = b"".join(line + b"\n" for line in found.whole)
    if rest != content:
        write_whole(path.resolve(), rest)


def _signature(start: bytes) -> bytes:
    """The end of a line that begins so."""
    return f', "{CHECKSUM}": "{hashlib.sha256(start).hexdigest()[:DIGITS]}"}}'.encode()


def _is_scalar(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return abs(value) < LARGEST
    return value is None or isinstance(value, str)


def _is_ours(line: bytes, start: bytes) -> bool:
    """Whether a damaged line was once one of ours, or the first part of one. Some disks leave zeros of what is lost."""
    if len(line) < len(start):
        return start.startswith(line)
    marks = (line.startswith(start), *(mark in line for mark in MARKS))
    return sum(marks) > 1 or not line.strip(b"\0") or (marks[0] and not line.endswith(b"}"))
