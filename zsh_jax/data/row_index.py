"""Identifiers and labels of a prepared TFDS data set, stored in a small file beside it or in the user's cache.

TFDS stores each label in one record with its image. Without this index, a sweep on ImageNet reads all images to select
some.
"""

import hashlib
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Int32, Shaped

from zsh_jax.atomic import write_whole
from zsh_jax.cache_folder import cache_folder
from zsh_jax.data.numpy_files import read_npz
from zsh_jax.errors import InputError


def index_path(builder: Any, split: str) -> Path:
    """Path of the index of a split, in the folder of the data set."""
    return Path(builder.data_dir) / f"zsh_jax.{split}.npz"


def cached_path(builder: Any, split: str) -> Path:
    """Path of the index of a split in the user's cache, for a folder of the data set that cannot be written."""
    folder = hashlib.sha256(os.fsencode(Path(builder.data_dir).resolve())).hexdigest()[:16]
    return cache_folder("rows") / folder / f"{split}.npz"


def read_index(
    builder: Any, split: str
) -> tuple[Shaped[np.ndarray, " n"], Int32[np.ndarray, " n"] | Bool[np.ndarray, "n c"]] | None:
    """Read an index.

    Args:
        builder: of TFDS.
        split: of the data set.

    Returns:
        Identifiers and labels; None if there is no index or if it does not match the current files.
    """
    for path in (index_path(builder, split), cached_path(builder, split)):
        if path.is_file() and (rows := _read(path, builder, split)) is not None:
            return rows
    return None


def _read(
    path: Path, builder: Any, split: str
) -> tuple[Shaped[np.ndarray, " n"], Int32[np.ndarray, " n"] | Bool[np.ndarray, "n c"]] | None:
    try:
        stated, ids, labels = (read_npz(path, name) for name in ("files", "ids", "labels"))
    except InputError:  # damaged: fall back to the records
        return None
    if (
        str(stated) != _state_of_files(builder, split)
        or not ids.ndim == 1 <= labels.ndim <= 2
        or (ids.dtype.kind, labels.dtype) not in {("U", np.dtype(np.int32)), ("U", np.dtype(bool))}
        or not len(ids) == len(labels) == builder.info.splits[split].num_examples
    ):
        return None
    return ids, labels


def write_index(
    path: Path,
    builder: Any,
    split: str,
    ids: Shaped[np.ndarray, " n"],
    labels: Int32[np.ndarray, " n"] | Bool[np.ndarray, "n c"],
) -> None:
    """Write an index atomically.

    Args:
        path: `index_path` or `cached_path`; folders that are missing are made.
        builder: of TFDS.
        split: of the data set.
        ids: of its rows.
        labels: of its rows.

    Raises:
        OSError: the folder is not writable.
    """
    content = io.BytesIO()
    np.savez_compressed(content, files=np.array(_state_of_files(builder, split)), ids=ids, labels=labels)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content.getvalue())


def _state_of_files(builder: Any, split: str) -> str:
    digest = hashlib.sha256()
    for shard in builder.info.splits[split].filepaths:
        path = Path(shard)
        stat = path.stat() if path.is_file() else None
        digest.update(f"{path.name} {stat and (stat.st_size, stat.st_mtime_ns)}\n".encode())
    return digest.hexdigest()
