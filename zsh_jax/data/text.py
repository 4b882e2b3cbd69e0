"""Read text files: UTF-8, or UTF-16 and UTF-32 with a byte order mark."""

import codecs
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from zsh_jax.atomic import write_whole
from zsh_jax.data.reading import reading
from zsh_jax.errors import InputError

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins with the UTF-16 mark
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
INVISIBLE = "\ufeff\u200b\u2060\u00ad"  # invisible characters, which make equal-looking names differ


def read_text(path: Path) -> str:
    """Read a text file.

    Args:
        path: the file.

    Returns:
        Its text without a byte order mark, with Python line ends.

    Raises:
        InputError: the file cannot be read, or is neither UTF-8 nor marked as UTF-16 or UTF-32.
    """
    with reading(path, "cannot be read"):
        content = path.read_bytes()
    mark, encoding = next(
        ((mark, encoding) for mark, encoding in MARKS if content.startswith(mark)), (b"", "utf-8")
    )
    if not mark and b"\0" in content:
        raise InputError(
            f"{path} is not UTF-8 text: it has zero bytes, like UTF-16 without a byte order mark; fix: save it as UTF-8"
        )
    try:
        text = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as problem:
        raise InputError(not_utf8(path, content, problem.start + len(mark), encoding)) from problem
    return text.replace("\r\n", "\n").replace("\r", "\n")


def not_utf8(where: str | Path, content: bytes, place: int, encoding: str = "utf-8") -> str:
    """The error message for text that cannot be decoded, with a likely encoding.

    Args:
        where: name of the file or place.
        content: all bytes.
        place: offset of the first wrong byte.
        encoding: the encoding that was tried.

    Returns:
        The message.
    """
    if encoding != "utf-8":
        return f"{where}: byte {place} is not {encoding.upper()}, despite its byte order mark; fix:  save it as UTF-8"
    line = content.count(b"\n", 0, place) + 1
    guesses = "".join(f" -f {name}" for name in likely_encodings(content)[:1])
    return (
        f"{where}, line {line}: byte 0x{content[place]:02x} is not UTF-8; fix: save it as UTF-8, such as "
        f"with iconv{guesses or ' -f ENCODING'} -t UTF-8"
    )


def likely_encodings(content: bytes) -> list[str]:
    """Likely encodings of bytes that are not UTF-8; only for the message, since a guess may be wrong."""
    high = re.findall(rb"[\x80-\xff]+", content)
    lone = sum(len(run) == 1 for run in high)
    order = ("latin1", "gb18030") if 2 * lone > len(high) else ("gb18030", "big5", "shift_jis", "latin1")
    out = []
    for name in order:
        try:
            content.decode(name)
        except UnicodeDecodeError:
            continue
        out.append(name)
    return out


def read_names(path: Path) -> tuple[str, ...]:
    """Read names, one a line.

    Args:
        path: the file; empty lines are skipped.

    Returns:
        The names, each once, without surrounding spaces.

    Raises:
        InputError: as for `read_text`, and for a name that is repeated or holds an invisible character.
    """
    lines = [(number, line.strip()) for number, line in enumerate(read_text(path).split("\n"), 1)]
    first: dict[str, int] = {}
    for number, name in lines:
        if not name:
            continue
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
