"""Read rows of a prepared TFDS data set without TensorFlow."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Int32, Shaped, UInt8

from zsh_jax.data.library_errors import reason
from zsh_jax.data.reading import reading
from zsh_jax.data.row_index import cached_path, index_path, read_index, write_index
from zsh_jax.data.tfds_warnings import quiet
from zsh_jax.errors import InputError

AGAIN = "prepare the data set again"


class Rows(NamedTuple):
    """One split of a data set, in stored order."""

    ids: Shaped[np.ndarray, " n"]
    labels: Int32[np.ndarray, " n"] | Bool[np.ndarray, "n c"]
    images: UInt8[np.ndarray, "n h w 3"] | None


def read_split(builder: Any, split: str, *, images: bool) -> Rows:
    """Read one split of a data set prepared as array_record, with features `image` and `label` or `labels`.

    Args:
        builder: of TFDS.
        split: its name, such as `train`.
        images: whether to decode the images; reading only identifiers and labels is faster.

    Returns:
        The rows. Without a feature `id` or `file_name`, the identifier is the row number, such as `train_00042`. Grey
        images get three equal channels.

    Raises:
        InputError: a file is missing or damaged, or the images differ in size.
    """
    with reading(builder.data_dir, "is damaged", AGAIN):  # a damaged description gives invalid names
        info = builder.info.splits[split]
        shards = list(zip(info.filepaths, info.shard_lengths, strict=True))
        known = None if images else read_index(builder, split)
    if known is not None:
        return Rows(*known, None)
    parts: list[Rows] = []
    first = 0
    for number, (shard, stated) in enumerate(shards):
        parts.append(_read_shard(builder, split, number, Path(shard), stated, images=images, first=first))
        first += len(parts[-1].labels)
    rows = join(parts, builder.data_dir)
    if not images:
        with suppress(OSError):  # where the cache cannot be written, the next reading is as slow
            write_index(cached_path(builder, split), builder, split, rows.ids, rows.labels)
    return rows


def index_rows(builder: Any, split: str) -> None:
    """Write an index of identifiers and labels, which makes `read_split` fast.

    Args:
        builder: of TFDS.
        split: its name.

    Raises:
        InputError: a file is missing or damaged, or the folder is not writable.
    """
    rows = read_split(builder, split, images=False)
    path = index_path(builder, split)
    try:
        write_index(path, builder, split, rows.ids, rows.labels)
    except OSError as problem:
        raise InputError(
            f"{path} cannot be written ({reason(problem)}); reading works without it, but is slower"
        ) from problem


def join(parts: Sequence[Rows], where: str | Path) -> Rows:
    """Concatenate rows.

    Args:
        parts: at least one; all with images or all without.
        where: their source, for error messages.

    Returns:
        All rows.

    Raises:
        InputError: the images of the parts differ in size.
    """
    images = [part.images for part in parts if part.images is not None]
    _check_sizes([part.shape[1:] for part in images], where)
    return Rows(
        np.concatenate([part.ids for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate(images) if images else None,
    )


def _read_shard(
    builder: Any, split: str, number: int, shard: Path, stated: int, *, images: bool, first: int
) -> Rows:
    """Read one file, so that an error names it and its encoded images are freed before the next file."""
    import tensorflow_datasets as tfds
    from array_record.python.array_record_module import ArrayRecordReader

    if not shard.is_file():
        raise InputError(f"{shard} is missing; fix: prepare the data set again")
    decoders = None if images else {"image": tfds.decode.SkipDecoding()}
    selection = f"{split}[{number}shard]"
    with reading(shard, "is truncated or damaged", AGAIN):
        # A file truncated at a multiple of 64 KiB opens as an empty file, and every read returns empty records.
        reader = ArrayRecordReader(str(shard))
        held = reader.num_records()
        if held != stated:
            raise InputError(
                f"{shard} is truncated or damaged (it holds {held} of {stated} records); fix: {AGAIN}"
            )
        reader.close()
        source = builder.as_data_source(selection, decoders=decoders, file_format="array_record")
        with quiet():
            rows = source.__getitems__(range(stated))
        name = next((feature for feature in ("id", "file_name") if feature in builder.info.features), None)
        if name:
            ids = [row[name].decode() if isinstance(row[name], bytes) else str(row[name]) for row in rows]
        else:
            ids = [f"{split}_{first + i:05d}" for i in range(len(rows))]
        labels = _labels(rows, builder.info.features)
    return Rows(np.array(ids), labels, _stack([row["image"] for row in rows], shard) if images else None)


def _labels(rows: Sequence[Any], features: Any) -> Int32[np.ndarray, " n"] | Bool[np.ndarray, "n c"]:
    if "label" in features:
        return np.array([row["label"] for row in rows], np.int32)
    hot = np.zeros((len(rows), features["labels"].feature.num_classes), bool)
    for number, row in enumerate(rows):
        hot[number, np.asarray(row["labels"], np.int64)] = True
    return hot


def _stack(images: Sequence[UInt8[np.ndarray, "h w ch"]], shard: Path) -> UInt8[np.ndarray, "n h w 3"]:
    _check_sizes([image.shape for image in images], shard)
    stacked = np.stack(images)
    if stacked.dtype != np.uint8 or stacked.shape[-1] not in (1, 3):
        raise InputError(
            f"{shard}: images are {stacked.dtype} with {stacked.shape[-1]} channels, not 8-bit grey or RGB; fix: "
            "use another data set"
        )
    return np.repeat(stacked, 3, axis=-1) if stacked.shape[-1] == 1 else stacked


def _check_sizes(shapes: Iterable[tuple[int, ...]], where: str | Path) -> None:
    sizes = sorted(set(shapes))
    if len(sizes) > 1:
        smallest, largest = (" x ".join(map(str, size)) for size in (sizes[0], sizes[-1]))
        raise InputError(
            f"{where}: images differ in size (from {smallest} to {largest}), but features need one size; fix: set "
            "--config.dataset.image_size, or use precomputed features"
        )
