"""Load the drawn shapes; the first use generates them."""

import sys

import numpy as np

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.rows import read_split
from zsh_jax.data.shapes.builder import ZshShapes, config_of
from zsh_jax.data.shapes.drawing import ATTRIBUTES, CLASS_NAMES, SIDE
from zsh_jax.data.tfds_images import tfds_images
from zsh_jax.data.tfds_source import own_builder
from zsh_jax.data.tfds_warnings import quiet
from zsh_jax.errors import InputError


def load_shapes(
    data_dir: str | None = None, images: bool = True, seed: int = 0, on_demand: bool = False
) -> Dataset:
    """Load `zsh_shapes`: 9,000 images of 32 x 32 in 30 classes with attributes, generated on first use.

    Args:
        data_dir: folder of TFDS data sets; None for the TFDS default.
        images: whether to decode the images; reading only identifiers and labels is faster.
        seed: seed of the drawing; each seed is stored separately.
        on_demand: whether images stay on disk and are decoded on demand.

    Returns:
        The data set, class by class; `attributes` is (30, 11).

    Raises:
        InputError: `seed` is negative, the stored data are damaged, or the folder is not writable.
    """
    if seed < 0:
        raise InputError(f"seed of zsh_shapes must be 0 or more; got {seed}")
    builder = _prepared(data_dir, seed)
    rows = read_split(builder, "train", images=images and not on_demand)
    return Dataset(
        name="zsh_shapes",
        ids=rows.ids,
        source_splits=np.full(len(rows.labels), "train"),
        labels=rows.labels,
        class_names=CLASS_NAMES,
        attributes=ATTRIBUTES.copy(),
        images=tfds_images(builder, ["train"], SIDE) if images and on_demand else rows.images,
    )


def _prepared(data_dir: str | None, seed: int) -> ZshShapes:
    builder: ZshShapes = own_builder(
        lambda: ZshShapes(config=config_of(seed), data_dir=data_dir), "zsh_shapes", data_dir
    )
    if builder.is_prepared():
        return builder
    print(f"zsh_jax: drawing zsh_shapes (seed {seed}) into {builder.data_dir}", file=sys.stderr)
    try:
        with quiet(streams=True):
            builder.download_and_prepare(file_format="array_record")
    except OSError as problem:
        # TFDS writes to a temporary folder and renames it last: a second process finds the name taken.
        builder = ZshShapes(config=config_of(seed), data_dir=data_dir)
        if not builder.is_prepared():
            raise InputError(
                f"cannot write zsh_shapes to {builder.data_dir} ({problem}); fix: choose a writable folder"
            ) from problem
    return builder
