"""Read arrays from `.mat` files of versions 4 and 5.

SciPy is not used here because it trusts what the file states: a wrong type, length or index, or deeply nested cells,
can crash the process, and it reads a file truncated between two arrays without an error. Format: MathWorks, "MAT-File
Format".
"""

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from zsh_jax.data.blocks import Array
from zsh_jax.data.numpy_files import DEFLATE, SLACK
from zsh_jax.data.reading import reading
from zsh_jax.errors import InputError

HEADER, HEADER_4 = 128, 20  # bytes
MATRIX, COMPRESSED = 14, 15  # element types
CELL, CHARACTERS, SPARSE, DOUBLE = 1, 4, 5, 6  # matrix classes; other numeric classes are 7 to 15
READ = {CELL, CHARACTERS, SPARSE, *range(DOUBLE, 16)}
COMPLEX = 0x0800  # matrix flag
DEEPEST = 3  # nesting depth of cells
SPARSEST = 1000  # zeros per stored value
TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
TEXT = {1: "latin-1", 2: "latin-1", 16: "utf-8", 4: "utf-16", 17: "utf-16", 18: "utf-32"}
TYPES_4 = ("f8", "f4", "i4", "i2", "u2", "u1")  # by the third digit of the kind


class Variable(NamedTuple):
    """One array of a file.

    Attributes:
        name: of the array.
        kind: its class, in the numbering of version 5.
        shape: of the matrix.
        place: offset of its element after the tag; in version 4, offset of its values.
        length: of the element; in version 4, of the values.
        packed: whether the element is compressed.
        stored: type of the values, in version 4.
        order: byte order, "<" or ">".
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
    """A defect of the file structure."""


def matlab_variables(path: Path) -> tuple[Variable, ...]:
    """List the arrays of a file.

    Args:
        path: a `.mat` file of version 4 or 5.

    Returns:
        All arrays, including those that `read_matlab` cannot read.

    Raises:
        InputError: the file is truncated or damaged.
    """
    with reading(path, "is truncated or not a .mat file"):
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(HEADER)
            if len(start) >= 4 and 0 in start[:4]:
                file.seek(0)
                return tuple(_walk_4(file, size))
            if len(start) < HEADER:
                raise _Damage(f"{len(start)} bytes, but the header has {HEADER}")
            order = {b"IM": "<", b"MI": ">"}.get(start[126:])
            if order is None:
                raise _Damage("its header does not end like a MATLAB header")
            found = tuple(_walk_5(file, size, order))
            if not found:
                raise _Damage(f"it ends after its header of {HEADER} bytes")
            return found


def read_matlab(path: Path, variable: Variable) -> Array:
    """Read one array.

    Args:
        path: the file.
        variable: an entry of `matlab_variables`.

    Returns:
        The array: numbers in their stored type; text as one string a row; a cell array as an object array.

    Raises:
        InputError: the array is damaged, or is not made of real numbers, text or cells.
    """
    if variable.kind not in READ:
        raise InputError(
            f"{path}: {variable.name} is a struct, an object or a function; fix: save plain arrays of numbers"
        )
    with reading(path, "is truncated or not a .mat file"), path.open("rb") as file:
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
            raise _Damage(f"its last {len(head)} bytes are an incomplete header")
        if file.tell() == HEADER_4 and not 0 <= struct.unpack("<i", head[:4])[0] <= 5000:
            order = ">"
        kind, rows, columns, is_complex, length = struct.unpack(f"{order}5i", head)
        thousands, rest = divmod(kind, 1000)
        hundreds, rest = divmod(rest, 100)
        width, content = divmod(rest, 10)
        if thousands not in (0, 1) or hundreds or width >= len(TYPES_4) or content > 2:
            raise _Damage("its first bytes match neither version 4 nor version 5")
        if rows < 0 or columns < 0 or is_complex or not 0 < length <= size:
            raise _Damage(f"it states an array of {rows} x {columns}, perhaps of complex numbers")
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
            raise _Damage(f"{variable.name} is not a sparse array of real numbers")
        rows, columns = values[:-1, 0].astype(np.int64) - 1, values[:-1, 1].astype(np.int64) - 1
        return _dense(rows, columns, values[:-1, 2], (int(values[-1, 0]), int(values[-1, 1])))
    return values


def _walk_5(file: BinaryIO, size: int, order: str) -> Iterator[Variable]:
    while file.tell() < size:
        head = file.read(8)
        if len(head) < 8:
            raise _Damage(f"its last {len(head)} bytes are an incomplete header")
        kind, length = struct.unpack(f"{order}2I", head)
        place = file.tell()
        if kind not in (MATRIX, COMPRESSED):
            raise _Damage(f"an unexpected element of type {kind} at byte {place - 8:,}")
        if place + length > size:
            raise _Damage(f"its last array ends {place + length - size:,} bytes after the file")
        if length:
            start = file.read(min(length, SLACK))
            packed = kind == COMPRESSED
            found = _head(_unpacked(start, order, SLACK, whole=False) if packed else start, order)
            yield Variable(found.name, found.kind, found.shape, place, length, packed, "", order)
        file.seek(place + length)


def _unpacked(content: bytes, order: str, at_most: int, *, whole: bool = True) -> bytes:
    """Decompress the matrix of a compressed element."""
    unpacking = zlib.decompressobj()
    inner = unpacking.decompress(content, at_most)
    kind, length = struct.unpack(f"{order}2I", inner[:8])
    if kind != MATRIX:
        raise _Damage(f"an element of type {kind} is compressed")
    if whole and (length != len(inner) - 8 or not unpacking.eof):
        raise _Damage(f"a compressed array has {len(inner) - 8:,} bytes of {length:,}")
    return inner[8:]


class _Head(NamedTuple):
    """Name, class, flags and shape of a matrix, and the offset of its values."""

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
        raise _Damage(f"an array states the shape {shape}")
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
            raise _Damage(f"{head.name!r} is not a sparse array")
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
    """Convert a sparse array to a dense one."""
    if min(shape) < 0 or math.prod(shape) > SPARSEST * (len(values) + sum(shape[1:]) + 1):
        raise _Damage(f"a sparse array states the shape {shape}but stores {len(values)} values")
    outside = (rows < 0) | (rows >= shape[0]) | (columns < 0) | (columns >= shape[1])
    if outside.any():
        raise _Damage(f"a sparse array of shape {shape} has indices outside it")
    out = np.zeros(shape, values.dtype.newbyteorder("="))
    out[rows, columns] = values
    return out


def _strings(text: str, shape: tuple[int, ...]) -> Array:
    """The rows of a character matrix, which is stored column by column."""
    rows, length = shape[0], math.prod(shape[1:])
    if rows == 1:
        return np.array([text])
    if len(text) != rows * length:
        raise _Damage(f"{rows} x {length} characters are stated, but {len(text)} are stored")
    return np.array([text[row::rows] for row in range(rows)], "U" if length else "U1")


def _cells(content: memoryview, head: _Head, count: int, order: str, depth: int) -> Array:
    if depth > DEEPEST:
        raise _Damage("cells are nested too deeply")
    if 8 * count > len(content):
        raise _Damage(f"{count:,} cells are stated in {len(content):,} bytes")
    out = np.empty(count, object)
    parts = _parts(content, order, head.place)
    for number in range(count):
        kind, raw, _ = next(parts)
        if kind != MATRIX:
            raise _Damage(f"a cell of type {kind}")
        out[number] = _matrix(raw, order, depth + 1) if raw else np.zeros((0, 0))
    return out.reshape(head.shape, order="F")


def _parts(content: bytes | memoryview, order: str, place: int = 0) -> Iterator[tuple[int, memoryview, int]]:
    """Iterate over type, content and end offset of each part of a matrix."""
    content = memoryview(content)
    while True:
        if place + 8 > len(content):
            raise _Damage("an array lacks its end")
        kind, length = struct.unpack_from(f"{order}2I", content, place)
        begin, step = place + 8, 8 + -(-length // 8) * 8
        if kind >> 16:  # small element: up to four bytes are stored in place of the length
            kind, length, begin, step = kind & 0xFFFF, kind >> 16, place + 4, 8
        if begin + length > len(content) or (step == 8 and begin == place + 4 and length > 4):
            raise _Damage("a part of an array ends after it")
        place += step
        yield kind, content[begin : begin + length], place
