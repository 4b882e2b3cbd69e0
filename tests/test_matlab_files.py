"""MATLAB files of versions 4 and 5 against SciPy's reader, and those that would end its process."""

import struct
import zlib

import numpy as np
import pytest
from scipy.io import loadmat, savemat
from scipy.sparse import csc_matrix

from zsh_jax.data.feature_files.arrays import open_arrays
from zsh_jax.errors import InputError

RNG = np.random.default_rng(0)
NUMBERS = {
    kind: (100 * RNG.normal(size=(5, 3))).astype(kind)
    for kind in ("f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8")
}
OTHERS = {
    "sparse": csc_matrix(np.where(RNG.random((6, 4)) < 0.4, RNG.normal(size=(6, 4)), 0)),
    "empty_sparse": csc_matrix((3, 2)),
    "word": "sea lion",
    "words": np.array(["cat", "dog", "emu"]),
    "beyond": np.array(["狐狸", "pâté"]),
    "nothing": np.zeros((0, 0)),
    "cube": RNG.normal(size=(2, 3, 4)),
    "flags": np.array([[True, False]]),
}


def _cells(*values):
    cells = np.empty((len(values), 1), object)
    cells[:, 0] = values
    return cells


def _same(ours, theirs):
    if hasattr(theirs, "toarray"):
        theirs = theirs.toarray()
    if theirs.dtype == object:
        assert ours.shape == theirs.shape
        for one, other in zip(ours.ravel(), theirs.ravel(), strict=True):
            _same(one, other)
        return
    assert ours.dtype.kind == theirs.dtype.kind
    assert ours.dtype.itemsize == theirs.dtype.itemsize
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("packed", [False, True])
def test_every_array_is_what_scipy_reads(tmp_path, packed):
    path = tmp_path / "all.mat"
    cells = {"cells": _cells("cat", "sea lion", NUMBERS["f8"]), "nested": _cells(_cells("a", "bc"), "d")}
    savemat(path, NUMBERS | OTHERS | cells, do_compression=packed)
    theirs, arrays = loadmat(path), open_arrays(path)
    assert set(arrays.names) == {name for name in theirs if name[0] != "_"}
    for name in arrays.names:
        _same(arrays.read(name), theirs[name])


def test_version_4_too(tmp_path):
    path = tmp_path / "old.mat"
    kept = {"f8": NUMBERS["f8"], "f4": NUMBERS["f4"], "i4": NUMBERS["i4"], "u1": NUMBERS["u1"]}
    savemat(
        path, kept | {"sparse": OTHERS["sparse"], "word": "sea lion", "words": OTHERS["words"]}, format="4"
    )
    theirs, arrays = loadmat(path), open_arrays(path)
    assert set(arrays.names) == {name for name in theirs if name[0] != "_"}
    for name in arrays.names:
        _same(arrays.read(name), theirs[name])


def _element(kind, content):
    return struct.pack("<2I", kind, len(content)) + content + bytes(-len(content) % 8)


def _matrix(flags, shape, *parts, name=b"X"):
    head = _element(6, struct.pack("<2I", flags, 0)) + _element(5, struct.pack(f"<{len(shape)}i", *shape))
    return _element(14, head + _element(1, name) + b"".join(parts))


def _integers(*values):
    return _element(5, struct.pack(f"<{len(values)}i", *values))


def _file(path, *elements):
    path.write_bytes(
        b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 0x100) + b"IM" + b"".join(elements)
    )
    return path


def _nested(depth):
    cell = _matrix(6, (1, 1), _element(9, bytes(8)), name=b"")
    for _ in range(depth):
        cell = _matrix(1, (1, 1), cell, name=b"")
    return _matrix(1, (1, 1), cell)


DOUBLES = _element(9, np.arange(6.0).tobytes())
HOSTILE = {
    "cells within cells": (_nested(500), "cells are nested too deeply"),
    "unknown type of values": (_matrix(6, (2, 3), _element(11, bytes(48))), "values of type 11"),
    "type beyond every table": (_matrix(6, (2, 3), _element(60_000, bytes(48))), "values of type 60000"),
    "shape without values": (_matrix(6, (2**31 - 1, 2**31 - 1), DOUBLES), "cannot reshape"),
    "negative shape": (_matrix(6, (-2, -3), DOUBLES), r"states the shape \(-2, -3\)"),
    "complex": (_matrix(6 | 0x0800, (2, 3), DOUBLES, DOUBLES), "neither real numbers"),
    "no values": (_matrix(6, (2, 3)), "lacks its end"),
    "values that end after it": (
        _matrix(6, (2, 3), struct.pack("<2I", 9, 2**32 - 1) + bytes(48)),
        "ends? after it",
    ),
    "billions of cells": (_matrix(1, (2**31 - 1, 1)), "cells are stated in"),
    "sparse rows outside": (
        _matrix(
            5,
            (2, 1),
            _element(5, struct.pack("<i", 7)),
            _element(5, struct.pack("<2i", 0, 1)),
            _element(9, bytes(8)),
        ),
        "indices outside it",
    ),
    "sparse columns out of order": (
        _matrix(
            5,
            (2, 1),
            _element(5, struct.pack("<i", 0)),
            _element(5, struct.pack("<2i", 0, -1)),
            _element(9, bytes(8)),
        ),
        "columns out of order",
    ),
    "sparse and huge": (
        _matrix(5, (2**31 - 1, 1), _integers(), _integers(0, 0), _element(9, b"")),
        "a sparse array states the shape",
    ),
    "bomb": (
        _element(15, zlib.compress(struct.pack("<2I", 14, 2**31) + bytes(1 << 24))),
        "header of an array is garbled",
    ),
    "struct": (_matrix(2, (1, 1)), "is a struct, an object or a function"),
    "type of element": (_element(99, bytes(16)), "element of type 99"),
}


@pytest.mark.parametrize(("element", "said"), HOSTILE.values(), ids=HOSTILE)
def test_what_would_crash_or_fill_the_memory_is_refused(tmp_path, element, said):
    path = _file(tmp_path / "hostile.mat", element)
    with pytest.raises(InputError, match=rf"hostile\.mat.*{said}"):
        open_arrays(path).read("X")


@pytest.mark.parametrize("length", [*range(4), 19, 20, 64, 100, 126, 127])
def test_a_file_shorter_than_its_header_is_cut_off(tmp_path, length):
    path = tmp_path / "short.mat"
    savemat(path, {"X": np.eye(3)})
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InputError, match=r"short\.mat is truncated or not a \.mat file"):
        open_arrays(path)


def test_a_file_cut_between_or_in_its_arrays_is_cut_off(tmp_path):
    path = tmp_path / "cut.mat"
    savemat(path, {"X": np.eye(3), "Y": np.eye(2)})
    whole = path.read_bytes()
    names = []
    for kept in range(128, len(whole)):
        path.write_bytes(whole[:kept])
        try:
            names.append(open_arrays(path).names)
        except InputError as error:
            assert "is truncated" in str(error)  # noqa: PT017  most cuts are refused
    assert names == [("X",)]  # there, a file of fewer arrays is whole
