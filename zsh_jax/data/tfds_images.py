"""Images of a prepared TFDS data set, decoded on demand."""

import io
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from jaxtyping import UInt8

from zsh_jax.data.images import LazyImages, square
from zsh_jax.data.reading import reading


def side(builder: Any) -> int | None:
    """Side of the images of a TFDS data set, if it declares squares of one size; else None."""
    height, width, _ = builder.info.features["image"].shape
    return int(height) if height and height == width else None


def tfds_images(builder: Any, splits: Sequence[str], size: int) -> LazyImages:
    """The images of some splits, concatenated.

    Args:
        builder: of a TFDS data set prepared as array_record, with a feature `image`.
        splits: their names.
        size: side of the square to which images are resized.

    Returns:
        The images; reading a damaged one raises an error that names its place.
    """
    import tensorflow_datasets as tfds

    counts = [builder.info.splits[split].num_examples for split in splits]
    ends = np.cumsum(counts)

    @cache
    def source(split: str) -> Any:
        decoders = {"image": tfds.decode.SkipDecoding()}
        return builder.as_data_source(split, decoders=decoders, file_format="array_record")

    def read(number: int) -> UInt8[np.ndarray, "h w 3"]:
        part = int(np.searchsorted(ends, number, side="right"))
        row = number - int(ends[part]) + counts[part]
        where = f"{builder.data_dir}, {splits[part]} row {row}"
        with reading(where, "cannot be read", "prepare the data set again"):
            encoded = source(splits[part])[row]["image"]
        return square(io.BytesIO(encoded), size, name=where)

    return LazyImages(read, np.arange(sum(counts)), size)
