"""Named arrays in files: `.npz`, `.npy` with others beside it, and both kinds of `.mat`. Nothing is unpickled."""

import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from zsh_jax.data.reason import reason
from zsh_jax.errors import InputError

Array = np.ndarray[Any, np.dtype[Any]]
HDF5 = b"\x89HDF\r\n\x1a\n"
HDF5_PLACES = (0, 512)  # MATLAB writes its own header of 512 bytes before it
KINDS = (".npz", ".npy", ".mat")


class Arrays(NamedTuple):
    """The arrays of a file, read one by one.

    Attributes:
        path: the file.
        names: of its arrays, in its order.
        read: gives the array of a name.
        matlab: whether MATLAB wrote it, where vectors are matrices and classes are counted from 1.
    """

    path: Path
    names: tuple[str, ...]
    read: Callable[[str], Array]
    matlab: bool = False


def open_arrays(path: Path) -> Arrays:
    """See which arrays a file holds.

    Args:
        path: `.npz`, `.mat` (version 5, or 7.3 where h5py is installed), or `.npy`. The arrays of the last are
            `features`, which is this file, memory-mapped, and a NAME for each `STEM.NAME.npy` or `NAME.npy` beside it.

    Returns:
        Its arrays.

    Raises:
        InputError: it is of another kind, or damaged; reading an array raises the same where that one is.
    """
    if not path.is_file():
        raise InputError(f"dataset.path: there is no file {path}; give a {', '.join(KINDS)} file of features")
    opening = {".npz": _open_npz, ".npy": _open_npy, ".mat": _open_mat}.get(path.suffix.lower())
    if opening is None:
        raise InputError(f"{path}: features are read from {', '.join(KINDS)} files; save it as one of them")
    arrays = _guard(path, opening, path)
    return arrays._replace(read=lambda name: _guard(path, arrays.read, name))


def _guard(path: Path, what: Callable[[Any], Any], argument: Any) -> Any:
    """Say in one line why a file could not be read."""
    try:
        return what(argument)
    except InputError:
        raise
    except Exception as problem:  # NumPy, zipfile, SciPy and HDF5 each fail in ways of their own
        if "allow_pickle" in str(problem) or "Object arrays" in str(problem):
            raise InputError(
                f"{path} holds Python objects, which are never unpickled; save plain arrays of numbers and strings"
            ) from problem
        kinds = (
            OSError,
            ValueError,
            EOFError,
            KeyError,
            TypeError,
            MemoryError,
            zlib.error,
            zipfile.BadZipFile,
        )
        if not isinstance(problem, kinds) and type(problem).__module__.split(".")[0] not in ("scipy", "h5py"):
            raise
        raise InputError(
            f"{path} is cut off or no {path.suffix} file ({reason(problem)}); fetch or make it again"
        ) from problem


def _open_npz(path: Path) -> Arrays:
    with zipfile.ZipFile(path) as archive:
        names = tuple(name.removesuffix(".npy") for name in archive.namelist())

    def read(name: str) -> Array:
        with np.load(path, allow_pickle=False) as archive:
            return np.asarray(archive[name])

    return Arrays(path, names, read)


def _open_npy(path: Path) -> Arrays:
    beside = {"features": path}
    for other in sorted(path.parent.glob("*.npy")):
        stem = other.stem
        if other != path and "." not in stem:
            beside.setdefault(stem, other)
    for other in sorted(path.parent.glob(f"{path.stem}.*.npy")):  # its own go before those of the folder
        beside[other.stem.removeprefix(f"{path.stem}.")] = other

    def read(name: str) -> Array:
        return _guard(
            beside[name],
            lambda file: np.load(file, allow_pickle=False, mmap_mode="r" if file == path else None),
            beside[name],
        )

    return Arrays(path, tuple(beside), read)


def _open_mat(path: Path) -> Arrays:
    with path.open("rb") as file:
        starts = []
        for place in HDF5_PLACES:
            file.seek(place)
            starts.append(file.read(len(HDF5)))
    if HDF5 in starts:
        return _open_hdf5(path)
    from scipy.io import loadmat, whosmat

    def read(name: str) -> Array:
        array = loadmat(path, variable_names=[name])[name]
        return np.asarray(array.toarray() if hasattr(array, "toarray") else array)

    return Arrays(path, tuple(name for name, _, _ in whosmat(path)), read, matlab=True)


def _open_hdf5(path: Path) -> Arrays:
    try:
        import h5py
    except ImportError as problem:
        raise InputError(
            f"{path} is a MATLAB 7.3 file, which h5py reads; pip install -e '.[mat]', or save it in MATLAB with -v7"
        ) from problem
    with h5py.File(path, "r") as file:
        names = tuple(name for name, item in file.items() if isinstance(item, h5py.Dataset))

    def read(name: str) -> Array:
        with h5py.File(path, "r") as file:
            return np.asarray(file[name]).T  # MATLAB stores columns first

    return Arrays(path, names, read, matlab=True)
