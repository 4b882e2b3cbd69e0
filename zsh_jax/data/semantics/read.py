"""Files of word vectors: word2vec binary, word2vec text and GloVe text, told apart by what is in them."""

import zlib
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from zsh_jax.data.reason import reason
from zsh_jax.errors import InputError

LONGEST_LINE = 1 << 20  # bytes; a line of text beyond it holds no vector


class _Layout(NamedTuple):
    """How a file of word vectors is laid out: `size` is (words, dimensions) where a header states them."""

    binary: bool
    size: tuple[int, int] | None


def read_vectors(path: Path, limit: int | None = None) -> Any:
    """Read a file of word vectors through gensim.

    Args:
        path: the file, of any name; `.gz` and `.bz2` are unpacked.
        limit: how many words to read, from the first; files list the frequent ones first. None for all.

    Returns:
        gensim's `KeyedVectors`, from word to vector as it stands in the file.

    Raises:
        InputError: it is not there, or not such a file, or cut off.
    """
    # gensim takes a second to import, and most of what imports this module reads no vectors.
    from gensim.models import KeyedVectors
    from gensim.utils import open as open_unpacked

    if limit is not None and limit < 1:
        raise InputError(f"semantics.limit must be 1 or more words; got {limit}")
    if not path.is_file():
        raise InputError(f"semantics.path: there is no file {path}; give a word2vec or GloVe file")
    layout = None
    try:
        with open_unpacked(str(path), "rb") as file:
            layout = _layout(file, path)
        if layout.size and path.suffix not in (".gz", ".bz2"):
            _check_size(path, layout)
        return KeyedVectors.load_word2vec_format(
            str(path),
            binary=layout.binary,
            no_header=layout.size is None,
            unicode_errors="replace",
            limit=limit,
        )
    except InputError:
        raise
    except (EOFError, ValueError, OSError, MemoryError, zlib.error) as problem:
        kind = f" as {_name(layout)}" if layout else ""
        raise InputError(
            f"{path}: cut off or garbled, cannot be read to its end{kind} ({reason(problem)}); fetch it again"
        ) from problem


def _layout(file: BinaryIO, path: Path) -> _Layout:
    first, second = file.readline(LONGEST_LINE), file.readline(LONGEST_LINE)
    header = first.split()
    if len(header) == 2 and all(number.isdigit() for number in header):
        words, dimensions = int(header[0]), int(header[1])
        if not words or not dimensions:
            raise InputError(
                f"{path}: its header promises {words} words of {dimensions} values; fetch it again"
            )
        return _Layout(not _is_text_row(second), (words, dimensions))
    if _is_text_row(first):
        return _Layout(False, None)
    raise InputError(
        f"{path} is no file of word vectors: it begins with {first[:30]!r}, where word2vec has two numbers and "
        "GloVe a word and its values"
    )


def _is_text_row(line: bytes) -> bool:
    """A word, then numbers and nothing else. Raw floats do not look so, but for a chance in many millions."""
    _, *values = line.rstrip().split(b" ")
    try:
        return len([float(value) for value in values]) > 0
    except ValueError:
        return False


def _check_size(path: Path, layout: _Layout) -> None:
    """Before gensim makes room for what the header promises."""
    assert layout.size is not None
    words, dimensions = layout.size
    least = words * (2 + dimensions * (4 if layout.binary else 2))
    held = path.stat().st_size
    if held < least:
        raise InputError(
            f"{path}: cut off, its header promises {words} words of {dimensions} values, at least {least} bytes "
            f"as {_name(layout)}, and it has {held}; fetch it again"
        )


def _name(layout: _Layout) -> str:
    if layout.size is None:
        return "GloVe text"
    return f"word2vec {'binary' if layout.binary else 'text'}"
