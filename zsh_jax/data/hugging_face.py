"""Data sets of images that `datasets` of Hugging Face saved: a folder of `save_to_disk`, or Parquet files of the Hub.

Tables are read by pyarrow: nothing is downloaded, no script of a data set is run, and nothing is unpickled.
"""

import hashlib
import io
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Int32, UInt8

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.feature_files.files import File, Places, find_files
from zsh_jax.data.feature_files.labels import as_text, read_labels
from zsh_jax.data.feature_files.parts import DEFAULT_KEYS, IDS, LABELS, Keys, check_unique
from zsh_jax.data.images import LazyImages, square
from zsh_jax.data.notices import say
from zsh_jax.data.parquet import read_parquet
from zsh_jax.data.reading import reading, written
from zsh_jax.data.tables import Table, class_names, damaged, open_table
from zsh_jax.errors import InputError

LAYOUT = "a folder that datasets saved with save_to_disk, or Parquet files with a column of images"
ONE, SEVERAL = "state.json", "dataset_dict.json"  # of save_to_disk
UNLABELLED = -1  # in the test splits of the Hub


class _Columns(NamedTuple):
    """Names of the columns of images, labels and identifiers."""

    images: str
    labels: str
    ids: str | None


def load_hugging_face(
    path: Places, *, keys: Keys = DEFAULT_KEYS, image_size: int = 224, images: bool = True
) -> Dataset:
    """Load a data set of images with labels.

    Args:
        path: a folder of `save_to_disk`, of one or several splits; or Parquet files, see
            `zsh_jax.data.feature_files.files.find_files`, or the folder above `data`.
        keys: names of the columns of images (`features`), labels and identifiers; by default the first column of
            images, a column of labels with a usual name or with class names, and a column `id`.
        image_size: side of the square that each image is resized to, see `zsh_jax.data.images.square`.
        images: whether to return images; they are decoded on demand.

    Returns:
        The data set. Class names are those that the files state; lists of labels are several labels an image. Images
        labelled -1, as in test splits without labels, are left out, and a line on standard error counts them.

    Raises:
        InputError: a file is missing or damaged, or lacks images or labels.
    """
    files = _files(path)
    tables = [open_table(file.path) for file in files]
    columns = _columns(files[0].path, tables[0], keys)
    for file, table in zip(files, tables, strict=True):
        lost = next((name for name in columns if name and name not in table.names), None)
        if lost:
            raise InputError(f"{file.path} has no column {lost!r}; it has {', '.join(table.names)}")
    labels, names = _labels(files, tables[0], columns.labels)
    rows = [sum(table.groups) for table in tables]
    splits = np.repeat([file.split for file in files], rows)
    ids = _ids(files, columns.ids, splits)
    kept = np.arange(len(ids)) if labels.ndim == 2 else np.flatnonzero(labels != UNLABELLED)
    if len(kept) < len(ids):
        say(
            f"{files[0].path.parent}: {len(ids) - len(kept):,} of {len(ids):,} images have no label and are left out"
        )
    if not len(kept):
        raise InputError(f"{files[0].path}: no image has a label; fix: give the files of a split with labels")
    return Dataset(
        name=_name(path, files),
        ids=ids[kept],
        source_splits=splits[kept],
        labels=labels[kept],
        class_names=names,
        version=_version(files, image_size),
        images=LazyImages(_reader(files, rows, columns.images, image_size), kept, image_size)
        if images
        else None,
    )


def _files(path: Places) -> list[File]:
    if not isinstance(path, str | Path):
        return find_files(path)
    place = written(path)
    if (place / SEVERAL).is_file():
        splits = _stated(place / SEVERAL, "splits")
        return [file for split in splits for file in _saved(place / split, split)]
    if (place / ONE).is_file():
        return _saved(place, place.name)
    inner = place / "data"
    return find_files(inner if inner.is_dir() and not any(place.glob("*.parquet")) else path)


def _saved(folder: Path, split: str) -> list[File]:
    """The files of a split that `save_to_disk` wrote."""
    return [File(folder / name, split) for name in _stated(folder / ONE, "_data_files")]


def _stated(path: Path, key: str) -> list[str]:
    """Names of files or folders that a JSON file lists; none leads out of its folder."""
    with reading(path, "is not a file of datasets", "save the data set again"):
        listed = json.loads(path.read_text(encoding="utf-8"))[key]
        names = [one if isinstance(one, str) else one["filename"] for one in listed]
        if not names or any(Path(name).name != name for name in names):
            raise ValueError(f"{key} lists {names!r}")
    return names


def _columns(path: Path, table: Table, keys: Keys) -> _Columns:
    stated = [name for name in table.names if class_names(table.features, name)]
    usual = [name for name in (*LABELS, "fine_label") if name in table.names]
    pictures = [name for name in table.names if _holds_images(table, name)]
    images, labels = keys.features[:1] or pictures[:1], keys.labels[:1] or (usual + stated)[:1]
    for what, found, key in (("images", images, "features"), ("labels", labels, "labels")):
        if not found:
            raise InputError(
                f"{path} has no column of {what}; it has {', '.join(table.names)}; fix: name it with "
                f"--config.dataset.arrays.{key}, or use the data set features for columns of numbers"
            )
    ids = keys.ids[:1] or tuple(name for name in IDS if name in table.names)[:1]
    return _Columns(images[0], labels[0], ids[0] if ids else None)


def _holds_images(table: Table, name: str) -> bool:
    from pyarrow import types

    kind, stated = table.types[name], table.features.get(name)
    if isinstance(stated, dict):
        return stated.get("_type") == "Image"
    return types.is_struct(kind) and kind.get_field_index("bytes") >= 0


def _labels(
    files: Sequence[File], table: Table, column: str
) -> tuple[Int32[np.ndarray, " n"] | Bool[np.ndarray, "n c"], tuple[str, ...]]:
    from pyarrow import types

    names = class_names(table.features, column)
    if names and (types.is_list(table.types[column]) or types.is_large_list(table.types[column])):
        return np.concatenate([_hot(file.path, column, len(names)) for file in files]), names
    parts = [(str(file.path), read_parquet(file.path, column)) for file in files]
    if not names:
        return read_labels(parts, None, matlab=False)
    labels = np.concatenate([values for _, values in parts])
    _check_range(files[0].path, labels, len(names))
    return labels.astype(np.int32), names


def _hot(path: Path, column: str, classes: int) -> Bool[np.ndarray, "n c"]:
    """Lists of class numbers, of any length, as a row of marks each."""
    table, start = open_table(path), 0
    out = np.zeros((sum(table.groups), classes), bool)
    with reading(path, damaged(path)):
        for number, count in enumerate(table.groups):
            lists = table.group(column, number)
            values = lists.flatten().to_numpy(zero_copy_only=False)
            lengths = lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
            _check_range(path, values, classes, 0)
            out[start + np.repeat(np.arange(count), lengths), values] = True
            start += count
    return out


def _check_range(path: Path, labels: np.ndarray, classes: int, least: int = UNLABELLED) -> None:
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or (len(labels) and not least <= labels.min()):
        raise InputError(
            f"{path}: labels must be whole numbers of classes; got {labels.dtype} {labels.shape}"
        )
    if len(labels) and labels.max() >= classes:
        raise InputError(
            f"{path}: a label is {labels.max()}, but the file names {classes} classes; fix: save it again"
        )


def _ids(files: Sequence[File], column: str | None, splits: np.ndarray) -> np.ndarray:
    if column is None:
        seen: dict[str, int] = {}
        out = []
        for split in splits.tolist():
            seen[split] = seen.get(split, -1) + 1
            out.append(f"{split}_{seen[split]:05d}")
        return np.array(out)
    ids = np.concatenate(
        [as_text(read_parquet(file.path, column), f"{file.path}: {column}") for file in files]
    )
    for split in dict.fromkeys(splits.tolist()):
        check_unique(ids[splits == split], f"{files[0].path.parent}, split {split}")
    return ids


def _reader(files: Sequence[File], rows: Sequence[int], column: str, size: int) -> Any:
    """Decodes the image of a row; the row group that was read last is kept, since images are read in order."""
    ends = np.cumsum(rows)
    opened = lru_cache(maxsize=None)(lambda part: open_table(files[part].path))

    @lru_cache(maxsize=1)
    def group(part: int, number: int) -> Any:
        return opened(part).group(column, number)

    def read(number: int) -> UInt8[np.ndarray, "h w 3"]:
        part = int(np.searchsorted(ends, number, side="right"))
        row = number - int(ends[part]) + rows[part]
        within = np.cumsum(opened(part).groups)
        place = int(np.searchsorted(within, row, side="right"))
        where = f"{files[part].path}, row {row}"
        start = int(within[place]) - opened(part).groups[place]
        with reading(where, damaged(files[part].path)):
            value = group(part, place)[row - start].as_py()
        encoded = value.get("bytes") if isinstance(value, dict) else value
        if not isinstance(encoded, bytes):
            raise InputError(
                f"{where}: {column} holds no bytes of an image; fix: save images within the file"
            )
        return square(io.BytesIO(encoded), size, name=where)

    return read


def _name(path: Places, files: Sequence[File]) -> str:
    place = written(path) if isinstance(path, str | Path) else files[0].path.parent
    return place.resolve().name if place.is_dir() else files[0].split


def _version(files: Sequence[File], image_size: int) -> str:
    """A digest of names, lengths and times, as for a folder of images."""
    digest = hashlib.sha256(f"{image_size}".encode())
    for path, split in files:
        stat = path.stat()
        digest.update(f"{split}/{path.name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]
