"""Read text files: UTF-8, UTF-16 and UTF-32 with a byte order mark, or another encoding that can be told."""

import codecs
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from zsh_jax.atomic import write_whole
from zsh_jax.data.encodings import plausible_encodings
from zsh_jax.data.notices import say
from zsh_jax.data.reading import reading
from zsh_jax.errors import InputError

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins with the UTF-16 mark
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
NUMBERED = re.compile(r"(\d{1,9})(?:[.:,;)\]]\s*|\s+)(\S.*)")  # 2 bee; 002.bee; 2, bee
INVISIBLE = "\ufeff\u200b\u2060\u00ad"  # invisible characters, which make equal-looking names differ


def read_text(path: Path) -> str:
    """Read a text file.

    Args:
        path: the file. A line on standard error names the encoding if it is told from the bytes.

    Returns:
        Its text without a byte order mark, with Python line ends.

    Raises:
        InputError: the file cannot be read, or its encoding cannot be told.
    """
    with reading(path, "cannot be read"):
        content = path.read_bytes()
    mark, encoding = next(
        ((mark, encoding) for mark, encoding in MARKS if content.startswith(mark)), (b"", "utf-8")
    )
    try:
        if not mark and b"\0" in content:  # valid UTF-8, but no text
            raise UnicodeDecodeError(encoding, content, content.index(b"\0"), len(content), "zero byte")
        text = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as problem:
        told = () if mark else plausible_encodings(content)
        if len(told) != 1:
            raise InputError(not_utf8(path, content, problem.start + len(mark), encoding)) from problem
        say(f"{path} is read as {told[0].upper()}, told from its bytes; save it as UTF-8 to be sure")
        text = content.decode(told[0])
    return text.replace("\r\n", "\n").replace("\r", "\n")


def not_utf8(where: str | Path, content: bytes, place: int, encoding: str = "utf-8") -> str:
    """The error message for text that cannot be decoded, with the encodings that it may have.

    Args:
        where: name of the file or place.
        content: all bytes.
        place: offset of the first wrong byte.
        encoding: the encoding that was tried.

    Returns:
        The message.
    """
    if encoding != "utf-8":
        return f"{where}: byte {place} is not {encoding.upper()}, despite its byte order mark; fix: save it as UTF-8"
    line = content.count(b"\n", 0, place) + 1
    told = plausible_encodings(content)
    may_be = f" and may be {' or '.join(name.upper() for name in told)}" if told else ""
    return (
        f"{where}, line {line}: byte 0x{content[place]:02x} is not UTF-8{may_be}; fix: save it as UTF-8, such as with "
        f"iconv -f {told[0] if told else 'ENCODING'} -t UTF-8"
    )


def read_names(path: Path) -> tuple[str, ...]:
    """Read names, one a line.

    Args:
        path: the file; empty lines are skipped, and numbers before the names are removed, see `without_numbers`.

    Returns:
        The names, each once, without surrounding spaces.

    Raises:
        InputError: as for `read_text`, and for a name that is repeated or holds an invisible character.
    """
    lines = [(number, line.strip()) for number, line in enumerate(read_text(path).split("\n"), 1)]
    first: dict[str, int] = {}
    for number, name in without_numbers([(number, line) for number, line in lines if line]):
        hidden = unseen_letter(name)
        if hidden:
            raise InputError(f"{path}, line {number}: {name!r} holds {hidden}; fix: remove it")
        if name in first:
            raise InputError(
                f"{path}: class names must be unique, one a line; {name!r} is in lines {first[name]} and {number}"
            )
        first[name] = number
    if not first:
        raise InputError(
            f"{path}: class names must be unique, one a line; the file is empty; fix: write the names into it"
        )
    return tuple(first)


def without_numbers(lines: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """Names without the numbers of their classes, in the order of these, such as `2 bee`, `02: bee` or `2 002.bee`.

    Args:
        lines: number and text of each line.

    Returns:
        The same, unless every text begins with a number, these count all lines from 0 or from 1, in any order, and
        names differ without them.
    """
    found = [NUMBERED.fullmatch(text) for _, text in lines]
    numbers = [int(match[1]) for match in found if match]
    if len(numbers) < max(len(lines), 2) or sorted(numbers) not in (
        list(range(len(lines))),
        list(range(1, len(lines) + 1)),
    ):
        return list(lines)
    named = [(number, match[2]) for (number, _), match in zip(lines, found, strict=True) if match]
    if len({name for _, name in named}) < len(named):  # 1 ton, 2 ton
        return list(lines)
    return without_numbers([named[place] for place in sorted(range(len(named)), key=numbers.__getitem__)])


def write_names(path: Path, names: Iterable[str]) -> None:
    """Write names as `read_names` reads them, atomically.

    Args:
        path: the file.
        names: one a line.

    Raises:
        OSError: the file cannot be written.
    """
    write_whole(path, "".join(f"{name}\n" for name in names).encode())


def unseen_letter(name: str) -> str | None:
    """The first invisible or unprintable character of a name: control, surrogate or zero width; else None."""
    for letter in name:
        if unicodedata.category(letter) in ("Cc", "Cs") or letter in INVISIBLE:
            return (
                "bytes that are not UTF-8" if unicodedata.category(letter) == "Cs" else f"U+{ord(letter):04X}"
            )
    return None
