"""Arrays of `.mat` files of versions 4 and 5.

They are read here rather than by SciPy, which believes what a file says of itself: a wrong type, length or index, or
cells within cells, end the process, and a file that was cut between two arrays lacks the others without a word.

The layout: MathWorks, "MAT-File Format".
"""

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from zsh_jax.data.numpy_files import DEFLATE, SLACK, Array
from zsh_jax.data.reading import reading
from zsh_jax.errors import InputError

HEADER, HEADER_4 = 128, 20  # bytes
MATRIX, COMPRESSED = 14, 15  # types of elements
CELL, CHARACTERS, SPARSE, DOUBLE = 1, 4, 5, 6  # classes of matrices; other numbers are from 7 to 15
READ = {CELL, CHARACTERS, SPARSE, *range(DOUBLE, 16)}
COMPLEX = 0x0800  # of a matrix's flags
DEEPEST = 3  # cells within cells
SPARSEST = 1000  # zeros for each value that is stored
TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
TEXT = {1: "latin-1", 2: "latin-1", 16: "utf-8", 4: "utf-16", 17: "utf-16", 18: "utf-32"}
TYPES_4 = ("f8", "f4", "i4", "i2", "u2", "u1")  # by the third digit of the kind


class Variable(NamedTuple):
    """One array of a file.

    Attributes:
        name: of the array.
        kind: its class, as version 5 numbers them.
        shape: of the matrix.
        place: where its element begins, after its tag; in version 4, where its values begin.
        length: of the element; in version 4, of the values.
        packed: whether the element is compressed.
        stored: type of the values, in version 4.
        order: of bytes, "<" or ">".
    """

    name: str
    kind: int
    shape: tuple[int, ...]
    place: int
    length: int
    packed: bool
    stored: str
    order: str


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
            if len(start) >= 4 and 0 in start[:4]:
                file.seek(0)
                return tuple(_walk_4(file, size))
            if len(start) < HEADER:
                raise _Damage(f"{len(start)} bytes, and its header alone has {HEADER}")
            order = {b"IM": "<", b"MI": ">"}.get(start[126:])
            if order is None:
                raise _Damage("its header does not end as that of MATLAB")
            return tuple(_walk_5(file, size, order))


def read_matlab(path: Path, variable: Variable) -> Array:
    """Read one array.

    Args:
        path: of the file.
        variable: one of `matlab_variables`.

    Returns:
        The array, numbers in the type in which they are stored; text as one string a row; a cell array is one of
        objects.

    Raises:
        InputError: it is damaged, or neither real numbers nor text nor cells of these.
    """
    if variable.kind not in READ:
        raise InputError(
            f"{path}: {variable.name} is a struct, an object or a function; fix: save plain arrays of numbers"
        )
    with reading(path, "is cut off or no .mat file"), path.open("rb") as file:
        file.seek(variable.place)
        content = file.read(variable.length)
        if variable.stored:
            return _values_4(content, variable)
        if variable.packed:
            content = _unpacked(content, variable.order, DEFLATE * variable.length + SLACK)
        return _matrix(memoryview(content), variable.order, 1)


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
        if thousands not in (0, 1) or hundreds or width >= len(TYPES_4) or content > 2:
            raise _Damage("it begins neither as version 4 nor as version 5")
        if rows < 0 or columns < 0 or is_complex or not 0 < length <= size:
            raise _Damage(f"it promises an array of {rows} x {columns}, perhaps of complex numbers")
        name = file.read(length).strip(b"\0").decode("latin-1")
        place, stored = file.tell(), f"{order}{TYPES_4[width]}"
        held = rows * columns * np.dtype(stored).itemsize
        if place + held > size:
            raise _Damage(f"{name!r} ends {place + held - size:,} bytes after the file")
        matrix = (DOUBLE, CHARACTERS, SPARSE)[content]
        yield Variable(name, matrix, (rows, columns), place, held, False, stored, order)
        file.seek(place + held)


def _values_4(content: bytes, variable: Variable) -> Array:
    values = np.frombuffer(content, variable.stored).reshape(variable.shape, order="F")
    if variable.kind == CHARACTERS:
        return _strings("".join(map(chr, values.ravel(order="F").astype(np.uint8).tolist())), variable.shape)
    if variable.kind == SPARSE:  # row, column and value in each row; the shape in the last
        if variable.shape[1] != 3 or not np.isfinite(values).all():
            raise _Damage(f"{variable.name} is no sparse array of real numbers")
        rows, columns = values[:-1, 0].astype(np.int64) - 1, values[:-1, 1].astype(np.int64) - 1
        return _dense(rows, columns, values[:-1, 2], (int(values[-1, 0]), int(values[-1, 1])))
    return values


def _walk_5(file: BinaryIO, size: int, order: str) -> Iterator[Variable]:
    while file.tell() < size:
        head = file.read(8)
        if len(head) < 8:
            raise _Damage(f"its last {len(head)} bytes are part of a header")
        kind, length = struct.unpack(f"{order}2I", head)
        place = file.tell()
        if kind not in (MATRIX, COMPRESSED):
            raise _Damage(f"an element of type {kind} stands at byte {place - 8:,}")
        if place + length > size:
            raise _Damage(f"its last array ends {place + length - size:,} bytes after the file")
        if length:
            start = file.read(min(length, SLACK))
            packed = kind == COMPRESSED
            found = _head(_unpacked(start, order, SLACK, whole=False) if packed else start, order)
            yield Variable(found.name, found.kind, found.shape, place, length, packed, "", order)
        file.seek(place + length)


def _unpacked(content: bytes, order: str, at_most: int, *, whole: bool = True) -> bytes:
    """The matrix inside a compressed element."""
    unpacking = zlib.decompressobj()
    inner = unpacking.decompress(content, at_most)
    kind, length = struct.unpack(f"{order}2I", inner[:8])
    if kind != MATRIX:
        raise _Damage(f"an element of type {kind} is compressed")
    if whole and (length != len(inner) - 8 or not unpacking.eof):
        raise _Damage(f"a compressed array has {len(inner) - 8:,} bytes of {length:,}")
    return inner[8:]


class _Head(NamedTuple):
    """Of a matrix: its name, class, flags and shape, and where its values begin."""

    name: str
    kind: int
    flags: int
    shape: tuple[int, ...]
    place: int


def _head(content: bytes | memoryview, order: str) -> _Head:
    parts = _parts(content, order)
    types, texts, places = zip(*(next(parts) for _ in range(3)), strict=True)
    if types != (6, 5, 1) or len(texts[0]) != 8 or len(texts[1]) % 4:
        raise _Damage("the header of an array is garbled")
    flags = struct.unpack(f"{order}I", texts[0][:4])[0]
    shape = struct.unpack(f"{order}{len(texts[1]) // 4}i", texts[1])
    if len(shape) < 2 or min(shape) < 0:
        raise _Damage(f"an array promises the shape {shape}")
    return _Head(bytes(texts[2]).decode("latin-1"), flags & 0xFF, flags, shape, places[2])


def _matrix(content: memoryview, order: str, depth: int) -> Array:
    head = _head(content, order)
    if head.kind not in READ or head.flags & COMPLEX:
        raise _Damage(f"{head.name!r} is neither real numbers nor text nor cells of these")
    count = math.prod(head.shape)
    if head.kind == CELL:
        return _cells(content, head, count, order, depth)
    parts = _parts(content, order, head.place)
    if head.kind == SPARSE:
        rows, ends, values = (_numbers(*next(parts)[:2], order) for _ in range(3))
        if (
            len(head.shape) != 2
            or len(ends) != head.shape[1] + 1
            or rows.dtype.kind + ends.dtype.kind != "ii"
        ):
            raise _Damage(f"{head.name!r} is no sparse array")
        stored = np.diff(ends)
        if ends[0] or (stored < 0).any() or ends[-1] > min(len(rows), len(values)):
            raise _Damage(f"{head.name!r} has columns out of order")
        columns = np.repeat(np.arange(head.shape[1]), stored)
        return _dense(rows[: ends[-1]], columns, values[: ends[-1]], head.shape)
    kind, raw, _ = next(parts)
    if head.kind == CHARACTERS:
        if count and kind not in TEXT:
            raise _Damage(f"text of type {kind}")
        encoding = TEXT.get(kind, "latin-1")
        ends_of = {"<": "-le", ">": "-be"}[order] if encoding[:4] == "utf-" and encoding != "utf-8" else ""
        return _strings(bytes(raw).decode(encoding + ends_of), head.shape)
    return _numbers(kind, raw, order).reshape(head.shape, order="F")


def _numbers(kind: int, raw: memoryview, order: str) -> Array:
    if kind not in TYPES:
        raise _Damage(f"values of type {kind}")
    return np.frombuffer(raw, f"{order}{TYPES[kind]}")


def _dense(rows: Array, columns: Array, values: Array, shape: tuple[int, ...]) -> Array:
    """All values of a sparse array."""
    if min(shape) < 0 or math.prod(shape) > SPARSEST * (len(values) + sum(shape[1:]) + 1):
        raise _Damage(f"a sparse array promises the shape {shape}, and {len(values)} values are stored")
    outside = (rows < 0) | (rows >= shape[0]) | (columns < 0) | (columns >= shape[1])
    if outside.any():
        raise _Damage(f"a sparse array of shape {shape} has values outside of it")
    out = np.zeros(shape, values.dtype.newbyteorder("="))
    out[rows, columns] = values
    return out


def _strings(text: str, shape: tuple[int, ...]) -> Array:
    """The rows of a matrix of characters, which lie column by column."""
    rows, length = shape[0], math.prod(shape[1:])
    if rows == 1:
        return np.array([text])
    if len(text) != rows * length:
        raise _Damage(f"{rows} x {length} characters are promised, and {len(text)} are there")
    return np.array([text[row::rows] for row in range(rows)], "U" if length else "U1")


def _cells(content: memoryview, head: _Head, count: int, order: str, depth: int) -> Array:
    if depth > DEEPEST:
        raise _Damage("cells within cells within cells")
    if 8 * count > len(content):
        raise _Damage(f"{count:,} cells are promised in {len(content):,} bytes")
    out = np.empty(count, object)
    parts = _parts(content, order, head.place)
    for number in range(count):
        kind, raw, _ = next(parts)
        if kind != MATRIX:
            raise _Damage(f"a cell of type {kind}")
        out[number] = _matrix(raw, order, depth + 1) if raw else np.zeros((0, 0))
    return out.reshape(head.shape, order="F")


def _parts(content: bytes | memoryview, order: str, place: int = 0) -> Iterator[tuple[int, memoryview, int]]:
    """Type and content of each part of a matrix, and where the next one begins."""
    content = memoryview(content)
    while True:
        if place + 8 > len(content):
            raise _Damage("an array lacks its end")
        kind, length = struct.unpack_from(f"{order}2I", content, place)
        begin, step = place + 8, 8 + -(-length // 8) * 8
        if kind >> 16:  # up to four bytes stand in the place of the length
            kind, length, begin, step = kind & 0xFFFF, kind >> 16, place + 4, 8
        if begin + length > len(content) or (step == 8 and begin == place + 4 and length > 4):
            raise _Damage("a part of an array ends after it")
        place += step
        yield kind, content[begin : begin + length], place
