"""Arrays of `.mat` files of versions 4 and 5: their structure is checked here, then SciPy reads one of them.

SciPy believes what a file says of itself: a wrong length sends it round and round, cells within cells end the process,
and a file that was cut between two arrays loses the others without a word.

The layout: MathWorks, "MAT-File Format".
"""

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from zsh_jax.data.numpy_files import DEFLATE, SLACK, Array
from zsh_jax.data.reading import reading
from zsh_jax.errors import InputError

HEADER, HEADER_4 = 128, 20  # bytes
MATRIX, COMPRESSED = 14, 15  # types of elements
CELL, CHARACTERS, SPARSE = 1, 4, 5  # classes of matrices; numbers are from 6 to 15
READ = {CELL, CHARACTERS, SPARSE, *range(6, 16)}
DEEPEST = 3  # cells within cells
LARGEST_CELLS = 1 << 26  # bytes
WIDTHS_4 = (8, 4, 4, 2, 2, 1)  # bytes a value, by the third digit of the type
SPARSEST = 1000  # zeros for each value that is stored


class Variable(NamedTuple):
    """One array of a file: its name, its class as version 5 numbers them, and its shape."""

    name: str
    kind: int
    shape: tuple[int, ...]


class _Damage(Exception):
    """What is wrong with the structure."""


def matlab_variables(path: Path) -> tuple[Variable, ...]:
    """The arrays of a file.

    Args:
        path: of version 4 or 5.

    Returns:
        All of them, also those that cannot be read here.

    Raises:
        InputError: the file is cut off or damaged.
    """
    with reading(path, "is cut off or no .mat file"):
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(HEADER)
            file.seek(0)
            if len(start) >= 4 and 0 in start[:4]:
                return tuple(_walk_4(file, size))
            if len(start) < HEADER:
                raise _Damage(f"{len(start)} bytes, and its header alone has {HEADER}")
            order = {b"IM": "<", b"MI": ">"}.get(start[126:])
            if order is None:
                raise _Damage("its header does not end as that of MATLAB")
            file.seek(HEADER)
            return tuple(_walk_5(file, size, order))


def read_matlab(path: Path, variable: Variable) -> Array:
    """Read one array.

    Args:
        path: of the file.
        variable: one of `matlab_variables`.

    Returns:
        The array; a cell array is one of objects.

    Raises:
        InputError: it is damaged, or neither numbers nor text nor cells of these.
    """
    if variable.kind not in READ:
        raise InputError(
            f"{path}: {variable.name} is a struct, an object or a function; fix: save plain arrays of numbers"
        )
    from scipy.io import loadmat

    with reading(path, "is cut off or no .mat file"):
        array = loadmat(path, variable_names=[variable.name])[variable.name]
        if hasattr(array, "toarray"):
            if math.prod(array.shape) > SPARSEST * (array.nnz + sum(array.shape) + 1):
                raise _Damage(f"{variable.name} has {array.shape} values, and {array.nnz} are stored")
            array = array.toarray()
        return np.asarray(array)


def _walk_4(file: BinaryIO, size: int) -> Iterator[Variable]:
    order = "<"
    while file.tell() < size:
        head = file.read(HEADER_4)
        if len(head) < HEADER_4:
            raise _Damage(f"its last {len(head)} bytes are part of a header")
        if file.tell() == HEADER_4 and not 0 <= struct.unpack("<i", head[:4])[0] <= 5000:
            order = ">"
        kind, rows, columns, is_complex, length = struct.unpack(f"{order}5i", head)
        thousands, rest = divmod(kind, 1000)
        hundreds, rest = divmod(rest, 100)
        width, content = divmod(rest, 10)
        if thousands not in (0, 1) or hundreds or width >= len(WIDTHS_4) or content > 2:
            raise _Damage("it begins neither as version 4 nor as version 5")
        if rows < 0 or columns < 0 or is_complex not in (0, 1) or not 0 < length <= size:
            raise _Damage(f"it promises an array of {rows} x {columns}")
        name = file.read(length).strip(b"\0").decode("latin-1")
        end = file.tell() + rows * columns * WIDTHS_4[width] * (1 + is_complex)
        if end > size:
            raise _Damage(f"{name!r} ends {end - size:,} bytes after the file")
        yield Variable(name, (6, CHARACTERS, SPARSE)[content], (rows, columns))
        file.seek(end)


def _walk_5(file: BinaryIO, size: int, order: str) -> Iterator[Variable]:
    while file.tell() < size:
        head = file.read(8)
        if len(head) < 8:
            raise _Damage(f"its last {len(head)} bytes are part of a header")
        kind, length = struct.unpack(f"{order}2I", head)
        end = file.tell() + length
        if kind not in (MATRIX, COMPRESSED):
            raise _Damage(f"an element of type {kind} stands at byte {file.tell() - 8:,}")
        if end > size:
            raise _Damage(f"its last array ends {end - size:,} bytes after the file")
        if length:
            yield _matrix(_content(file, kind, length, order), order)
        file.seek(end)


class _Content(NamedTuple):
    """The beginning of a matrix, perhaps all of it; how long it is; and what gives all of it."""

    start: bytes
    length: int
    whole: Any


def _content(file: BinaryIO, kind: int, length: int, order: str) -> _Content:
    place = file.tell()
    if kind == MATRIX:

        def plain() -> bytes:
            file.seek(place)
            return file.read(min(length, LARGEST_CELLS))

        return _Content(file.read(min(length, SLACK)), length, plain)

    def unpacked(at_most: int) -> bytes:
        file.seek(place)
        return zlib.decompressobj().decompress(file.read(length), at_most)

    start = unpacked(SLACK)
    inner, promised = struct.unpack(f"{order}2I", start[:8])
    if inner != MATRIX or promised > DEFLATE * length + SLACK:
        raise _Damage(f"{length:,} bytes cannot unpack to {promised:,}")
    return _Content(start[8:], promised, lambda: unpacked(LARGEST_CELLS)[8:])


def _matrix(content: _Content, order: str) -> Variable:
    """See that a matrix has as many values as it promises, and that its cells do not nest too deeply."""
    name, kind, shape, after = _head(content.start, order)
    count = math.prod(shape)
    if min(shape, default=-1) < 0 or (kind in READ - {SPARSE} and count > content.length):
        raise _Damage(f"{name!r} promises {shape} values in {content.length:,} bytes")
    if kind == CELL:
        _check_cells(content.whole(), after, count, order, 1)
    elif kind in READ and _tag(content.start, after, order).end > content.length:
        raise _Damage(f"the values of {name!r} end after it")
    return Variable(name, kind, shape)


def _head(content: bytes, order: str) -> tuple[str, int, tuple[int, ...], int]:
    """Name, class and shape of a matrix, and where its values begin."""
    parts = _parts(content, order)
    (flags, _), (sizes, _), (name, after) = next(parts), next(parts), next(parts)
    lengths = struct.unpack(f"{order}{len(sizes) // 4}i", sizes[: len(sizes) // 4 * 4])
    return name.decode("latin-1"), struct.unpack(f"{order}I", flags[:4])[0] & 0xFF, lengths, after


def _check_cells(content: bytes, place: int, count: int, order: str, depth: int) -> None:
    if depth > DEEPEST:
        raise _Damage("cells within cells within cells")
    for _ in range(count):
        tag = _tag(content, place, order)
        if tag.kind != MATRIX or tag.end > len(content):
            raise _Damage("a cell ends after the others")
        inner = content[tag.begin : tag.end]
        if inner:
            _, kind, shape, after = _head(inner, order)
            if kind not in READ - {SPARSE} or not 0 <= math.prod(shape) <= len(inner):
                raise _Damage("a cell that is neither numbers nor text")
            if kind == CELL:
                _check_cells(inner, after, math.prod(shape), order, depth + 1)
        place = tag.next


def _parts(content: bytes, order: str) -> Iterator[tuple[bytes, int]]:
    """The parts of a matrix, and where each ends: flags, sizes, name, and then what depends on its class."""
    place = 0
    while True:
        tag = _tag(content, place, order)
        if tag.end > len(content):
            raise _Damage("the header of an array ends after it")
        yield content[tag.begin : tag.end], tag.next
        place = tag.next


class _Tag(NamedTuple):
    """Type of a part; where its content begins and ends, and where the next part begins."""

    kind: int
    begin: int
    end: int
    next: int


def _tag(content: bytes, place: int, order: str) -> _Tag:
    if place + 8 > len(content):
        raise _Damage("an array without a header")
    first, length = struct.unpack_from(f"{order}2I", content, place)
    if first >> 16:  # up to four bytes stand in the place of the length
        return _Tag(first & 0xFFFF, place + 4, place + 4 + (first >> 16), place + 8)
    return _Tag(first, place + 8, place + 8 + length, place + 8 + -(-length // 8) * 8)
