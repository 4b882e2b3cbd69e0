"""Files of word vectors: word2vec binary, word2vec text and GloVe text, told apart by what is in them.

Every row is checked, and the wanted ones are kept: a file of gigabytes takes the memory of a few words.
"""

import bz2
import gzip
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from jaxtyping import Float64

from zsh_jax.data.reading import reading
from zsh_jax.data.text import MARKS
from zsh_jax.errors import InputError

LONGEST_LINE = 1 << 20  # bytes; a line of text beyond it holds no vector
MOST_VALUES = 1 << 16  # of a vector
LONGEST_WORD = 1 << 12  # bytes
CHUNK = 1 << 22  # bytes that are read together
FIRST_ROWS = 100  # that tell how many values a row of GloVe has
NUMERALS = b"0123456789+-.eE \t"
PACKED: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open}
Vectors = dict[str, Float64[np.ndarray, " e"]]


class _Layout(NamedTuple):
    """How a file of word vectors is laid out: `words` is None where no header states how many there are."""

    binary: bool
    words: int | None
    values: int


def read_vectors(path: Path, wanted: Collection[str], limit: int | None = None) -> Vectors:
    """Read the vectors of some words.

    Args:
        path: the file, of any name; `.gz` and `.bz2` are unpacked.
        wanted: the words.
        limit: how many words to read, from the first; files list the frequent ones first. None for all.

    Returns:
        From each wanted word that is in the file to its vector as it stands there. In a text file, a row is a word,
        perhaps with blanks in it, and then as many numbers as every row has.

    Raises:
        InputError: it is not there, or not such a file, or cut off.
    """
    if limit is not None and limit < 1:
        raise InputError(f"semantics.limit must be 1 or more words; got {limit}")
    if not path.is_file():
        raise InputError(f"semantics.path: there is no file {path}; give a word2vec or GloVe file")
    words = {word.encode("utf-8", "replace") for word in wanted}
    found: Vectors = {}
    with reading(f"{path}:", "cut off or garbled, cannot be read to its end", "fetch it again"):
        with _open(path) as file:
            layout = _layout(file, path)
        if layout.words and path.suffix not in PACKED:
            _check_size(path, layout)
        with _open(path) as file:
            rows = (_binary_rows if layout.binary else _text_rows)(file, path, layout, words, limit)
            for word, vector in rows:
                found.setdefault(word.decode(), vector)  # files list a word once; else the first
    return found


def _open(path: Path) -> BinaryIO:
    file: BinaryIO = PACKED.get(path.suffix, open)(path, "rb")
    return file


def _layout(file: BinaryIO, path: Path) -> _Layout:
    lines = [_line(file, path) for _ in range(FIRST_ROWS)]
    first = _without_mark(lines[0], path)
    header = first.split()
    if len(header) == 2 and all(number.isdigit() and len(number) < 16 for number in header):
        words, values = int(header[0]), int(header[1])
        if not words or not 0 < values <= MOST_VALUES:
            raise InputError(f"{path}: its header promises {words} words of {values} values; fetch it again")
        second = lines[1].split()
        return _Layout(not all(map(_is_number, second[-values:])) or len(second) <= values, words, values)
    # The word may have blanks, and be a number: most rows have the right count of fields.
    counts = Counter(count for line in (first, *lines[1:]) if (count := _numbers_at_end(line)))
    if not _numbers_at_end(first):
        raise InputError(
            f"{path} is no file of word vectors: it begins with {first[:30]!r}, where word2vec has two numbers and "
            "GloVe a word and its values"
        )
    return _Layout(False, None, max(counts, key=lambda count: (counts[count], count)))


def _without_mark(first: bytes, path: Path) -> bytes:
    mark, encoding = next(((mark, name) for mark, name in MARKS if first.startswith(mark)), (b"", "utf-8"))
    if encoding != "utf-8":
        raise InputError(
            f"{path} is {encoding.upper()} text; fix: save it as UTF-8, such as with iconv -f {encoding[:6]} -t UTF-8"
        )
    return first[len(mark) :]


def _line(file: BinaryIO, path: Path) -> bytes:
    line = file.readline(LONGEST_LINE + 1)
    return line[:LONGEST_LINE]


def _numbers_at_end(line: bytes) -> int:
    """How many values a row has, if its word has no blank."""
    fields = line.split()
    count = next(
        (count for count, field in enumerate(reversed(fields)) if not _is_number(field)), len(fields)
    )
    return max(0, min(count, len(fields) - 1))


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return b"_" not in field


def _text_rows(
    file: BinaryIO, path: Path, layout: _Layout, wanted: set[bytes], limit: int | None
) -> Iterator[tuple[bytes, Float64[np.ndarray, " e"]]]:
    if layout.words is not None:
        _line(file, path)
    number = 0
    most = min(limit or layout.words or 0, layout.words or limit or 0) or None
    while line := file.readline(LONGEST_LINE + 1):
        if number == 0 and layout.words is None:
            line = _without_mark(line, path)
        if not line.strip():
            continue
        if limit is not None and number == most:
            return
        number += 1
        fields = line.rstrip().rsplit(None, layout.values)
        # Numbers are made of the wanted rows alone; in the others a letter shows what is garbled.
        plain = not line[len(fields[0]) :].translate(None, NUMERALS + b"\r\n")
        if len(fields) <= layout.values or not (plain or all(map(_is_number, fields[1:]))):
            raise InputError(
                f"{path}: cut off or garbled as {_name(layout)}: row {number} is not a word and {layout.values} "
                "numbers; fix: fetch it again"
            )
        word = b" ".join(fields[0].split())
        if word in wanted:
            with np.errstate(
                over="ignore", invalid="ignore"
            ):  # what single precision cannot hold becomes infinite
                vector = np.array(fields[1:]).astype(np.float64).astype(np.float32).astype(np.float64)
            yield word, vector
    if layout.words is not None and number != layout.words:
        what = "cut off" if number < layout.words else "garbled"
        raise InputError(
            f"{path}: {what}, its header promises {layout.words} words, and it has {number}; fix: fetch it again"
        )


def _binary_rows(
    file: BinaryIO, path: Path, layout: _Layout, wanted: set[bytes], limit: int | None
) -> Iterator[tuple[bytes, Float64[np.ndarray, " e"]]]:
    _line(file, path)
    assert layout.words is not None
    width, content, place = 4 * layout.values, b"", 0
    for number in range(min(layout.words, limit or layout.words)):
        if place + LONGEST_WORD + width > len(content):
            content, place = content[place:] + file.read(CHUNK), 0
        end = content.find(b" ", place, place + LONGEST_WORD)
        if end < 0 or end + 1 + width > len(content):
            raise InputError(
                f"{path}: cut off or garbled as {_name(layout)}: word {number + 1} of {layout.words} is not "
                "whole; fix: fetch it again"
            )
        word = content[place:end].lstrip(b"\n")
        place = end + 1 + width
        if word in wanted:
            yield word, np.frombuffer(content, "<f4", layout.values, end + 1).astype(np.float64)
    if limit is None or limit >= layout.words:
        after = content[place:] + file.read(CHUNK)
        if after.strip():
            raise InputError(
                f"{path}: garbled, it goes on after the {layout.words} words that its header promises; fix: fetch "
                "it again"
            )


def _check_size(path: Path, layout: _Layout) -> None:
    """Before it is read for minutes."""
    assert layout.words is not None
    least = layout.words * (2 + layout.values * (4 if layout.binary else 2)) - 1
    held = path.stat().st_size
    if held < least:
        raise InputError(
            f"{path}: cut off, its header promises {layout.words} words of {layout.values} values, at least "
            f"{least} bytes as {_name(layout)}, and it has {held}; fetch it again"
        )


def _name(layout: _Layout) -> str:
    if layout.words is None:
        return "GloVe text"
    return f"word2vec {'binary' if layout.binary else 'text'}"
