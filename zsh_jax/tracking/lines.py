"""Append-only files of JSON lines. Each line ends in a checksum of the rest of the line, which detects damage."""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from zsh_jax.atomic import append_whole, write_whole
from zsh_jax.inputs.fingerprint import PREFIX

CHECKSUM = "checksum"  # the last key of each line
MARKS = (b'"cell_id": "', b'"checksum": "')  # in every line
DIGITS = 16
LARGEST = 1 << 63  # rows have no larger integers


class Lines(NamedTuple):
    """The contents of a file.

    Attributes:
        rows: of the valid lines, without their checksums, in their order.
        whole: the valid lines as bytes.
        damaged: the lines that fail their checksum.
        old: whether the file is of an older version, whose lines have no checksum.
        foreign: number of the first line, from 1, if no line of the file belongs to this package; else None.
    """

    rows: list[dict[str, Any]]
    whole: list[bytes]
    damaged: list[bytes]
    old: bool = False
    foreign: int | None = None


def signed(row: Mapping[str, Any]) -> bytes:
    """A row as a line, with its checksum and newline.

    Args:
        row: at least one JSON value; numbers are finite.

    Raises:
        ValueError: if a number is not finite.
    """
    start = json.dumps(row, allow_nan=False)[:-1].encode()
    return start + _signature(start) + b"\n"


def parse_lines(content: bytes, is_row: Callable[[dict[str, Any]], bool], start: bytes) -> Lines:
    """Sort the lines of a file into valid and damaged lines; skip blank lines.

    Args:
        content: of the file.
        is_row: whether a parsed line is a row of this kind of file.
        start: first bytes of each line, which distinguish a truncated line from a foreign one.
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
        line: with or without its newline.
        trusted: whether its checksum is right: its values were then checked when it was written.

    Returns:
        The row if the line is an object of finite scalars and lists of finite scalars; else None.
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
    """The file of the damaged lines: `NAME.damaged.jsonl` beside `NAME.jsonl`."""
    return path.with_name(f"{path.stem}.damaged{path.suffix}")


def heal(path: Path, content: bytes, found: Lines) -> None:
    """Move the damaged lines of a file to `damaged_path`, and keep the others.

    Args:
        path: the file.
        content: its current content.
        found: from `parse_lines`.

    Raises:
        OSError: if the disk is full or gone; no line is lost.
    """
    if found.damaged:
        append_whole(damaged_path(path), b"".join(line + b"\n" for line in found.damaged), make=True)
    rest = b"".join(line + b"\n" for line in found.whole)
    if rest != content:
        write_whole(path.resolve(), rest)


def _signature(start: bytes) -> bytes:
    """The end of a line with this start: its checksum."""
    return f', "{CHECKSUM}": "{hashlib.sha256(start).hexdigest()[:DIGITS]}"}}'.encode()


def _is_scalar(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return abs(value) < LARGEST
    return value is None or isinstance(value, str)


def _is_ours(line: bytes, start: bytes) -> bool:
    """Whether a damaged line was written by this package, in full or in part. Some disks replace lost data by zeros."""
    if len(line) < len(start):
        return start.startswith(line)
    marks = (line.startswith(start), *(mark in line for mark in MARKS))
    return sum(marks) > 1 or not line.strip(b"\0") or (marks[0] and not line.endswith(b"}"))
