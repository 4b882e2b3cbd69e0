"""Read word vectors: word2vec binary, word2vec text and GloVe text; the content decides which.

Every row is checked but only the requested ones are kept, so a file of gigabytes needs little memory. Text files as
shipped have odd rows: words with blanks, no word at all, too few values. The last values of a row are its vector, the
text before them is the word, and a row without both is skipped, counted and said.
"""

import bz2
import gzip
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from jaxtyping import Float64

from zsh_jax.data.notices import say
from zsh_jax.data.reading import reading
from zsh_jax.data.text import MARKS
from zsh_jax.errors import InputError

LONGEST_LINE = 1 << 20  # bytes; a longer line of text is not a vector
MOST_VALUES = 1 << 16  # of a vector
LONGEST_WORD = 1 << 12  # bytes
CHUNK = 1 << 22  # bytes read at a time
FIRST_ROWS = 100  # rows used to find the number of values in GloVe text
NUMERALS = b"0123456789+-.eE \t"
PACKED: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open}
Notice = Callable[[str], None]
Vectors = dict[str, Float64[np.ndarray, " e"]]


class _Layout(NamedTuple):
    """Layout of a word vector file; `words` is None if no header states their number."""

    binary: bool
    words: int | None
    values: int


def read_vectors(
    path: Path, wanted: Collection[str], limit: int | None = None, *, notice: Notice = say
) -> Vectors:
    """Read the vectors of some words.

    Args:
        path: the file, with any name; `.gz` and `.bz2` are decompressed.
        wanted: the words.
        limit: number of words to read from the start (files are sorted by frequency); None for all.
        notice: takes a line about rows that a text file has beyond its header, or that are skipped.

    Returns:
        The vector of each requested word in the file, as stored. In a text file a row is a word, possibly with spaces,
        followed by the same number of values in every row; other rows are skipped.

    Raises:
        InputError: the file is missing, has another format, is truncated, or would have half of its rows skipped.
    """
    if limit is not None and limit < 1:
        raise InputError(f"semantics.limit must be 1 or more words; got {limit}")
    if not path.is_file():
        raise InputError(f"semantics.path: there is no file {path}; fix: give a word2vec or GloVe file")
    words = {word.encode("utf-8", "replace") for word in wanted}
    found: Vectors = {}
    with reading(f"{path}:", "truncated or damaged, cannot be read to its end", "fetch it again"):
        with _open(path) as file:
            layout = _layout(file, path)
        if layout.words and path.suffix not in PACKED:
            _check_size(path, layout)
        with _open(path) as file:
            rows = (
                _binary_rows(file, path, layout, words, limit)
                if layout.binary
                else _text_rows(file, path, layout, words, limit, notice=notice)
            )
            for word, vector in rows:
                found.setdefault(word.decode(), vector)  # keep the first of repeated words
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
            raise InputError(
                f"{path}: its header states {words} words of {values} values; fix: fetch it again"
            )
        rows = (line.split() for line in lines[1:])
        text = any(len(row) > values and all(map(_is_number, row[-values:])) for row in rows)
        return _Layout(not text, words, values)
    # A word may contain spaces or be a number, so take the most frequent number of fields.
    counts = Counter(count for line in (first, *lines[1:]) if (count := _numbers_at_end(line)))
    if not _numbers_at_end(first):
        raise InputError(
            f"{path} is not a file of word vectors: it begins with {first[:30]!r}; word2vec begins with two numbers, "
            "GloVe with a word and its values"
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
    """Number of values in a row, if its word has no space."""
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
    file: BinaryIO, path: Path, layout: _Layout, wanted: set[bytes], limit: int | None, *, notice: Notice
) -> Iterator[tuple[bytes, Float64[np.ndarray, " e"]]]:
    if layout.words is not None:
        _line(file, path)
    number = skipped = first = 0
    while line := file.readline(LONGEST_LINE + 1):
        if number == 0 and layout.words is None:
            line = _without_mark(line, path)
        if not line.strip():
            continue
        if number == limit:
            break
        number += 1
        fields = line.rstrip().rsplit(None, layout.values)
        # Only requested rows are parsed; in other rows a letter reveals damage.
        plain = not line[len(fields[0]) :].translate(None, NUMERALS + b"\r\n")
        if len(fields) <= layout.values or not (plain or all(map(_is_number, fields[1:]))):
            if not line.endswith(b"\n"):
                raise InputError(
                    f"{path}: truncated or damaged as {_name(layout)}: row {number} is not a word and {layout.values} "
                    "numbers; fix: fetch it again"
                )
            skipped, first = skipped + 1, first or number
            continue
        word = b" ".join(fields[0].split())
        if word in wanted:
            with np.errstate(
                over="ignore", invalid="ignore"
            ):  # values beyond single precision become infinite
                vector = np.array(fields[1:]).astype(np.float64).astype(np.float32).astype(np.float64)
            yield word, vector
    if layout.words is not None and number < min(layout.words, limit or layout.words):
        raise InputError(
            f"{path}: truncated, its header states {layout.words} words, but it has {number}; fix: fetch it again"
        )
    if skipped:
        odd = f"{skipped} of {number} rows are not a word and {layout.values} numbers (first: row {first})"
        if 2 * skipped >= number:
            raise InputError(f"{path}: damaged as {_name(layout)}: {odd}; fix: fetch it again")
        notice(f"{path}: {odd}; they are skipped")
    if layout.words is not None and number > layout.words:
        notice(f"{path}: its header states {layout.words} words, but {number} are read")


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
                f"{path}: truncated or damaged as {_name(layout)}: word {number + 1} of {layout.words} is not "
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
                f"{path}: damaged, it continues after the {layout.words} words that its header states; fix: fetch "
                "it again"
            )


def _check_size(path: Path, layout: _Layout) -> None:
    """Check the file size before a read of minutes."""
    assert layout.words is not None
    least = layout.words * (2 + layout.values * (4 if layout.binary else 2)) - 1
    held = path.stat().st_size
    if held < least:
        raise InputError(
            f"{path}: truncated, its header states {layout.words} words of {layout.values} values, at least "
            f"{least} bytes as {_name(layout)}, but it has {held}; fix: fetch it again"
        )


def _name(layout: _Layout) -> str:
    if layout.words is None:
        return "GloVe text"
    return f"word2vec {'binary' if layout.binary else 'text'}"
