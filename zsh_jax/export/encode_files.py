"""Encode features from files, larger than memory perhaps, to a file of packed codes."""

from collections.abc import Iterator
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Num

from zsh_jax.atomic import cannot_write, writing_whole
from zsh_jax.core.hashing import HashFunction, code_length, encode
from zsh_jax.data.blocks import Blocks, blocks_of, fill
from zsh_jax.data.feature_files.arrays import open_arrays
from zsh_jax.data.feature_files.files import Places, find_files
from zsh_jax.errors import InputError
from zsh_jax.export.features import features_in
from zsh_jax.progress_bar import counting

VALUES = 1 << 24  # of features on the device at a time, 64 MiB in single precision


def encode_files(
    hash_function: HashFunction, features: Places, out: str | Path, *, array: str | None = None
) -> tuple[int, int]:
    """Encode the rows of feature files, block by block, at constant memory.

    Args:
        hash_function: loaded or just trained.
        features: a file, a folder of parts, a pattern, or a list, see
            `zsh_jax.data.feature_files.files.find_files`; labels are not needed. A matrix of MATLAB may have its
            samples in columns. A matrix that a file stores by columns (Fortran order, `.mat`) is read whole.
        out: new `.npy` file of the codes, (n, ceil(l / 8)) uint8, in the order of the rows; it appears when all of them
            are written.
        array: name of the array or column of features; None for a usual name.

    Returns:
        The shape of the codes.

    Raises:
        InputError: a file is missing or damaged, features have another size or are not finite, the hash function is an
            unhashed bound, or `out` exists or cannot be written.
        OSError: if the disk is full or gone.

    Examples:
        After the examples of `zsh_jax.save` and `zsh_jax.encode`:

        >>> from zsh_jax.export.encode_files import encode_files
        >>> np.save("features.npy", features)
        >>> encode_files(zsh.load("model.safetensors"), "features.npy", "codes.npy")
        (60, 2)
        >>> bool((np.load("codes.npy") == codes).all())
        True
    """
    path = Path(out)
    if path.suffix != ".npy":
        raise InputError(f"{path} must be an .npy file of codes; fix: name it so")
    if path.exists():
        raise InputError(f"{path} exists already; fix: choose another file, or delete it")
    if code_length(hash_function) == 0:
        raise InputError("a bound has no codes; fix: use a hash function of a method with codes")
    try:
        parts = _matrices(features, array, len(hash_function.preprocessing.mean))
    except InputError as error:
        raise InputError(str(error).replace("dataset.path", "features")) from None
    shape = sum(blocks.shape[0] for _, blocks in parts), -(-code_length(hash_function) // 8)
    try:
        path.parent.mkdir(exist_ok=True)
        with writing_whole(path) as file, counting("encoding", shape[0], unit="rows") as advance:
            about = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, about)
            for codes in _codes(hash_function, parts):
                file.write(codes.data)
                advance(len(codes))
    except OSError as error:
        raise cannot_write(path, error, "choose another folder") from None
    return shape


def _matrices(features: Places, array: str | None, values: int) -> list[tuple[str, Blocks]]:
    """The features of each file, not read yet, and their place."""
    parts = []
    for file in find_files(features):
        arrays = open_arrays(file.path)
        where, blocks = features_in(arrays, values, array)
        if arrays.matlab:  # read whole; again when its turn comes
            blocks = blocks._replace(held=None, by_rows=False)
        parts.append((where, blocks))
    return parts


def _codes(hash_function: HashFunction, parts: list[tuple[str, Blocks]]) -> Iterator[np.ndarray]:
    """Codes of blocks of one size, so that one program serves all; rows of several files may share a block."""
    function: HashFunction = jax.tree.map(jnp.asarray, hash_function)
    values, total = parts[0][1].shape[1], sum(blocks.shape[0] for _, blocks in parts)
    held = np.zeros((min(total, max(1, VALUES // values)), values), function.preprocessing.mean.dtype)
    used = 0
    for where, blocks in parts:
        first = 0
        for rows in _in_order(blocks, held.dtype):
            taken = 0
            while taken < len(rows):
                count = min(len(rows) - taken, len(held) - used)
                here = held[used : used + count]
                with np.errstate(over="ignore", invalid="ignore"):  # checked below
                    here[:] = rows[taken : taken + count]
                _check_finite(here, where, first + taken)
                taken, used = taken + count, used + count
                if used == len(held):
                    yield np.asarray(encode(function, jnp.asarray(held)))
                    used = 0
            first += len(rows)
    if used:  # the rest of the block has rows of the one before
        yield np.asarray(encode(function, jnp.asarray(held)))[:used]


def _in_order(blocks: Blocks, dtype: np.dtype) -> Iterator[Num[np.ndarray, "k d"]]:
    """Blocks of rows, in their order."""
    if blocks.held is None and not blocks.by_rows:
        whole = np.empty(blocks.shape, dtype)
        for _ in fill(whole, blocks):
            pass
        blocks = blocks_of(whole)
    source = blocks if blocks.held is None else blocks_of(blocks.held)
    for _, rows in source.pieces():
        yield rows


def _check_finite(rows: Num[np.ndarray, "k d"], where: str, first: int) -> None:
    damaged = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if damaged.size:
        raise InputError(
            f"{where}: features are not finite (first: row {first + damaged[0]}); fix: extract them again"
        )
