"""Named arrays in files: `.npz`, `.npy` and files beside it, `.parquet`, `.arrow`, both kinds of `.mat`.

Nothing is unpickled.
"""

import glob
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from zsh_jax.data.blocks import Array, Blocks, blocks_of
from zsh_jax.data.feature_files.matlab import matlab_variables, read_matlab
from zsh_jax.data.numpy_files import DEFLATE, SLACK, npz_blocks, npz_names, read_npy, read_npz
from zsh_jax.data.parquet import parquet_blocks, parquet_names, read_parquet
from zsh_jax.data.reading import reading
from zsh_jax.errors import InputError

HDF5 = b"\x89HDF\r\n\x1a\n"
HDF5_PLACES = (0, 512)  # MATLAB writes its own 512-byte header first
DAMAGED = "is truncated or not a .mat file"
KINDS = (".npz", ".npy", ".parquet", ".mat", ".arrow")


class Arrays(NamedTuple):
    """The arrays of a file, read one by one.

    Attributes:
        path: the file.
        names: array names, in file order.
        read: returns the array with a given name.
        blocks: returns the same array, to be read in blocks; of a `.mat` file it is read whole.
        matlab: whether MATLAB wrote the file; MATLAB stores vectors as matrices and counts classes from 1.
    """

    path: Path
    names: tuple[str, ...]
    read: Callable[[str], Array]
    blocks: Callable[[str], Blocks]
    matlab: bool = False


def open_arrays(path: Path) -> Arrays:
    """List the arrays of a file.

    Args:
        path: `.npz`, `.parquet` or `.arrow` (if pyarrow is installed; arrays are columns), `.mat` (version 5, or 7.3 if
            h5py is installed) or `.npy`. The arrays of an `.npy` file are `features` (the file itself, memory-mapped)
            and one NAME for each `STEM.NAME.npy` or `NAME.npy` in its folder.

    Returns:
        The arrays.

    Raises:
        InputError: the file type is unknown or the file is damaged; `read` raises the same for a damaged array.
    """
    if not path.is_file():
        raise InputError(
            f"dataset.path: there is no file {path}; fix: give a {', '.join(KINDS)} file of features"
        )
    kinds = {
        ".npz": _open_npz,
        ".npy": _open_npy,
        ".parquet": _open_table,
        ".arrow": _open_table,
        ".mat": _open_mat,
    }
    opening = kinds.get(path.suffix.lower())
    if opening is None:
        raise InputError(
            f"{path}: features are read from {', '.join(KINDS)} files; fix: save it as one of them"
        )
    return opening(path)


def _open_npz(path: Path) -> Arrays:
    return Arrays(
        path, npz_names(path), lambda name: read_npz(path, name), lambda name: npz_blocks(path, name)
    )


def _open_table(path: Path) -> Arrays:
    return Arrays(
        path,
        parquet_names(path),
        lambda name: read_parquet(path, name),
        lambda name: parquet_blocks(path, name),
    )


def _open_npy(path: Path) -> Arrays:
    beside = {"features": path}
    for other in sorted(path.parent.glob("*.npy")):
        stem = other.stem
        if other != path and "." not in stem:
            beside.setdefault(stem, other)
    for other in sorted(
        path.parent.glob(f"{glob.escape(path.stem)}.*.npy")
    ):  # STEM.NAME.npy takes precedence over NAME.npy
        beside[other.stem.removeprefix(f"{path.stem}.")] = other

    def read(name: str) -> Array:
        return read_npy(beside[name], mapped=beside[name] == path)

    return Arrays(path, tuple(beside), read, lambda name: blocks_of(read_npy(beside[name], mapped=True)))


def _open_mat(path: Path) -> Arrays:
    with reading(path, "cannot be read"), path.open("rb") as file:
        starts = []
        for place in HDF5_PLACES:
            file.seek(place)
            starts.append(file.read(len(HDF5)))
    if HDF5 in starts:
        return _open_hdf5(path)
    found = {variable.name: variable for variable in matlab_variables(path)}

    def read(name: str) -> Array:
        return read_matlab(path, found[name])

    return Arrays(path, tuple(found), read, lambda name: _read_twice(read, name), matlab=True)


def _read_twice(read: Callable[[str], Array], name: str) -> Blocks:
    """Blocks of an array that is read whole: now for its shape, and again for its values unless `held` is used."""
    array = read(name)
    return blocks_of(array)._replace(pieces=lambda: blocks_of(read(name)).pieces())


def _open_hdf5(path: Path) -> Arrays:
    try:
        import h5py
    except ImportError as problem:
        raise InputError(
            f"{path} is a MATLAB 7.3 file and needs h5py; fix: pip install -e '.[mat]', or save it in MATLAB with -v7"
        ) from problem

    def is_array(file: Any, name: str) -> bool:
        link = file.get(name, getlink=True)  # links may point outside the file
        return isinstance(link, h5py.HardLink) and isinstance(file[name], h5py.Dataset)

    def read(name: str) -> Array:
        with reading(path, DAMAGED), h5py.File(path, "r") as file:
            stored = file[name]
            if stored.is_virtual or stored.external or stored.dtype.kind not in "biufSU":
                raise InputError(
                    f"{path}: {name} is {stored.dtype}, or is stored in another file; fix: save plain arrays with -v7"
                )
            if math.prod(stored.shape) * stored.dtype.itemsize > DEFLATE * path.stat().st_size + SLACK:
                raise InputError(f"{path}: {name} states {stored.shape} values, which the file cannot hold")
            return np.asarray(stored).T  # MATLAB is column-major

    with reading(path, DAMAGED), h5py.File(path, "r") as file:
        names = tuple(name for name in file if is_array(file, name))
    return Arrays(path, names, read, lambda name: _read_twice(read, name), matlab=True)
