"""Read the tensors of a PyTorch file without PyTorch, and without running what a pickle may ask for.

A file that `torch.save` wrote before its version 1.6 is five pickles (a magic number, a format version, the machine,
the tensors by name, the keys of their storages), then the storages: a count in 8 bytes and the numbers. The pickle of
the tensors may name the four things of `_KNOWN` and nothing else.
"""

import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from jaxtyping import Shaped

from zsh_jax.data.library_errors import reason
from zsh_jax.data.reading import reading
from zsh_jax.errors import InputError

MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001
LONGEST = 2**28  # numbers of one storage


class _Storage(NamedTuple):
    key: str
    dtype: np.dtype


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]  # in numbers


def _tensor(
    storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any
) -> _Tensor:
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


_KNOWN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch", "FloatStorage"): np.dtype("<f4"),
    ("torch", "LongStorage"): np.dtype("<i8"),
}


def read_torch_tensors(path: Path) -> dict[str, Shaped[np.ndarray, "..."]]:
    """The tensors of a file by name, each with the strides with which it was stored.

    Args:
        path: a file of `torch.save`, of a version before 1.6, that holds a mapping from names to tensors.

    Returns:
        Arrays in memory of their own, contiguous.

    Raises:
        InputError: if the file is cut, is not of that format, or names anything but tensors of floats and integers.
    """
    with reading(path, "cannot be read"), path.open("rb") as file:
        try:
            tensors, storages = _contents(file)
            return {name: _array(tensor, storages) for name, tensor in tensors.items()}
        except (
            pickle.UnpicklingError,
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
            IndexError,
            EOFError,
        ) as problem:
            raise InputError(
                f"{path} is no file of tensors in PyTorch's old format ({reason(problem)}); fix: install the package "
                "that it came from again"
            ) from problem


def _contents(file: BinaryIO) -> tuple[dict[str, _Tensor], dict[str, Shaped[np.ndarray, " k"]]]:
    dtypes: dict[str, np.dtype] = {}

    def storage(named: Any) -> _Storage:
        kind, dtype, key, _, count, view = named
        if (
            kind != "storage"
            or view is not None
            or not isinstance(dtype, np.dtype)
            or not 0 <= count <= LONGEST
        ):
            raise pickle.UnpicklingError(f"a storage {key!r} of an unknown kind")
        dtypes[str(key)] = dtype
        return _Storage(str(key), dtype)

    if _unpickled(file) != MAGIC or _unpickled(file) != VERSION:
        raise pickle.UnpicklingError("it has another beginning")
    _unpickled(file)  # sizes of the machine's types
    tensors = dict(_unpickled(file, storage))
    if not all(isinstance(tensor, _Tensor) for tensor in tensors.values()):
        raise pickle.UnpicklingError("it holds more than tensors")
    storages = {}
    for key in _unpickled(file):
        (count,) = np.frombuffer(file.read(8), "<i8")
        dtype = dtypes[key]
        content = file.read(int(count) * dtype.itemsize) if 0 <= count <= LONGEST else b""
        if len(content) != count * dtype.itemsize:
            raise pickle.UnpicklingError("it is cut")
        storages[key] = np.frombuffer(content, dtype)
    return tensors, storages


def _unpickled(file: BinaryIO, storage: Callable[[Any], _Storage] | None = None) -> Any:
    """One pickle, which may name nothing but `_KNOWN`."""

    class Reader(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            if (module, name) not in _KNOWN:
                raise pickle.UnpicklingError(f"it names {module}.{name}")
            return _KNOWN[module, name]

        def persistent_load(self, named: Any) -> _Storage:
            if storage is None:
                raise pickle.UnpicklingError("a storage out of place")
            return storage(named)

    return Reader(file).load()


def _array(tensor: _Tensor, storages: dict[str, Shaped[np.ndarray, " k"]]) -> Shaped[np.ndarray, "..."]:
    """A tensor by its strides: those of a convolution are often not in the order of its axes."""
    numbers = storages[tensor.storage.key]
    steps = [(size - 1) * stride for size, stride in zip(tensor.shape, tensor.strides, strict=True)]
    if min((tensor.offset, *tensor.shape, *tensor.strides)) < 0 or tensor.offset + sum(steps) >= max(
        1, numbers.size
    ):
        raise pickle.UnpicklingError("a tensor that reaches beyond its storage")
    strides = tuple(stride * numbers.itemsize for stride in tensor.strides)
    view = np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.shape, strides, writeable=False)
    return np.array(view)
