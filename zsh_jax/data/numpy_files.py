"""Read `.npy` and `.npz` files; each header is checked against the file size before memory is allocated."""

import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from zsh_jax.data.blocks import Array, Blocks, Piece, rows_at_once, transposed
from zsh_jax.data.reading import PICKLED, reading
from zsh_jax.errors import InputError

DEFLATE = 1032  # largest expansion factor of DEFLATE
SLACK = 1 << 16  # bytes for headers
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the methods that NumPy writes
VERSION = (1, 0)  # the others are for arrays of records
NOT_NPZ = "is truncated or not an .npz file"


class _Header(NamedTuple):
    """What the header of an array states."""

    shape: tuple[int, ...]
    by_columns: bool
    dtype: np.dtype[Any]


def read_npy(path: Path, *, mapped: bool = False) -> Array:
    """Read the array of an `.npy` file.

    Args:
        path: the file.
        mapped: whether to memory-map it.

    Returns:
        The array.

    Raises:
        InputError: the file is damaged, holds Python objects, or its size does not match its header.
    """
    with reading(path, "is truncated or not an .npy file"):
        with path.open("rb") as file:
            _check_header(path, file, path.stat().st_size)
        return np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)


def npz_names(path: Path) -> tuple[str, ...]:
    """Names of the arrays of an `.npz` file, in file order.

    Raises:
        InputError: the file is damaged or encrypted.
    """
    with reading(path, NOT_NPZ):
        _check_pickle(path)
        with zipfile.ZipFile(path) as archive:
            names = [info.filename for info in archive.infolist()]
            if any(info.flag_bits & 1 for info in archive.infolist()):
                raise InputError(f"{path} is encrypted; fix: save it without a password")
    return tuple(name.removesuffix(".npy") for name in names if name.endswith(".npy"))


def read_npz(path: Path, name: str) -> Array:
    """Read one array of an `.npz` file.

    Args:
        path: the file.
        name: an entry of `npz_names`.

    Returns:
        The array.

    Raises:
        InputError: as for `read_npy`.
    """
    with reading(path, NOT_NPZ), zipfile.ZipFile(path) as archive:
        _check_member(path, archive, name)
        with archive.open(f"{name}.npy") as member:
            array: Array = np.lib.format.read_array(member, allow_pickle=False)
            member.read(1)  # reading to the end checks the checksum
    return array


def npz_blocks(path: Path, name: str) -> Blocks:
    """One array of an `.npz` file, read in blocks; only its header is read now.

    Args:
        path: the file.
        name: an entry of `npz_names`.

    Returns:
        The blocks.

    Raises:
        InputError: as for `read_npy`; from `pieces` too, if values are damaged.
    """
    with reading(path, NOT_NPZ), zipfile.ZipFile(path) as archive:
        header = _check_member(path, archive, name)
    rows, *rest = header.shape[::-1] if header.by_columns else header.shape or (0,)
    width = math.prod(rest)
    step = rows_at_once(width, header.dtype.itemsize)

    def pieces() -> Iterator[Piece]:
        with reading(path, NOT_NPZ), zipfile.ZipFile(path) as archive:
            _check_member(path, archive, name)
            with archive.open(f"{name}.npy") as member:
                _read_header(member)
                for start in range(0, rows, step):
                    count = min(step, rows - start)
                    content = member.read(count * width * header.dtype.itemsize)
                    values = np.frombuffer(content, header.dtype).reshape(count, width)
                    yield (slice(start, start + count), slice(None)), values
                member.read(1)  # reading to the end checks the checksum

    stored = Blocks((rows, *rest), header.dtype, pieces)
    return transposed(stored) if header.by_columns else stored._replace(shape=header.shape)


def _check_member(path: Path, archive: zipfile.ZipFile, name: str) -> _Header:
    """Check that an array can be unpacked; returns its header."""
    where = f"{path}, {name}"
    info = archive.getinfo(f"{name}.npy")
    if info.compress_type not in METHODS:
        raise InputError(
            f"{where} uses a compression that NumPy does not write; fix: save it with numpy.savez"
        )
    if info.file_size > DEFLATE * min(info.compress_size, path.stat().st_size) + SLACK:
        raise InputError(f"{where} cannot unpack to {info.file_size:,} bytes; fix: make it again")
    with archive.open(info) as member:
        return _check_header(where, member, info.file_size)


def _check_pickle(path: Path) -> None:
    """Refuse a file written by `pickle.dump`."""
    with path.open("rb") as file:
        if file.read(1) == b"\x80":
            raise InputError(f"{path} {PICKLED}")


def _read_header(file: Any) -> _Header | None:
    """The header at the start of a file; None if it is of another version."""
    if np.lib.format.read_magic(file) != VERSION:
        return None
    return _Header(*np.lib.format.read_array_header_1_0(file))


def _check_header(where: str | Path, file: Any, size: int) -> _Header:
    """Compare the size that an array's header states with the size of the file, before memory is allocated."""
    if isinstance(where, Path):
        _check_pickle(where)
    header = _read_header(file)
    if header is None:
        raise InputError(f"{where} is a structured array or of a newer format; fix: save plain arrays")
    shape, _, dtype = header
    if dtype.hasobject:
        raise InputError(f"{where} {PICKLED}")
    count = math.prod(shape)
    if any(length < 0 for length in shape) or (count and not dtype.itemsize):
        raise InputError(f"{where} has a header that states {dtype} {shape}; fix: make it again")
    promised, held = count * dtype.itemsize, size - file.tell()
    if promised != held:
        which = "is truncated" if held < promised else "is garbled"
        raise InputError(
            f"{where} {which}: its header states {dtype} {shape}, {promised:,} bytes, but it has {held:,}; "
            "fix: fetch or make it again"
        )
    return header
