"""Load the drawn shapes; the first use generates them."""

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.rows import read_split
from zsh_jax.data.shapes import tinted
from zsh_jax.data.shapes.builder import ZshShapes, ZshTintedShapes, config_of
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
    kind = _Kind("zsh_shapes", ZshShapes, CLASS_NAMES, ATTRIBUTES)
    return _load(kind, data_dir, images=images, seed=seed, on_demand=on_demand)


def load_tinted_shapes(
    data_dir: str | None = None, images: bool = True, seed: int = 0, on_demand: bool = False
) -> Dataset:
    """Load `zsh_tinted_shapes`: 10,000 images of 32 x 32 in 100 classes with attributes, generated on first use.

    Args:
        data_dir: as in `load_shapes`.
        images: as in `load_shapes`.
        seed: as in `load_shapes`.
        on_demand: as in `load_shapes`.

    Returns:
        The data set, class by class; `attributes` is (100, 14).

    Raises:
        InputError: as in `load_shapes`.
    """
    kind = _Kind("zsh_tinted_shapes", ZshTintedShapes, tinted.CLASS_NAMES, tinted.ATTRIBUTES)
    return _load(kind, data_dir, images=images, seed=seed, on_demand=on_demand)


class _Kind(NamedTuple):
    """One of the drawn data sets."""

    name: str
    builder: Callable[..., Any]
    class_names: tuple[str, ...]
    attributes: np.ndarray


def _load(kind: _Kind, data_dir: str | None, *, images: bool, seed: int, on_demand: bool) -> Dataset:
    if seed < 0:
        raise InputError(f"seed of {kind.name} must be 0 or more; got {seed}")
    builder = _prepared(kind, data_dir, seed)
    rows = read_split(builder, "train", images=images and not on_demand)
    return Dataset(
        name=kind.name,
        ids=rows.ids,
        source_splits=np.full(len(rows.labels), "train"),
        labels=rows.labels,
        class_names=kind.class_names,
        attributes=kind.attributes.copy(),
        images=tfds_images(builder, ["train"], SIDE) if images and on_demand else rows.images,
    )


def _prepared(kind: _Kind, data_dir: str | None, seed: int) -> Any:
    builder = own_builder(
        lambda: kind.builder(config=config_of(seed), data_dir=data_dir), kind.name, data_dir
    )
    if builder.is_prepared():
        return builder
    print(f"zsh_jax: drawing {kind.name} (seed {seed}) into {builder.data_dir}", file=sys.stderr)
    try:
        with quiet(streams=True):
            builder.download_and_prepare(file_format="array_record")
    except OSError as problem:
        # TFDS writes to a temporary folder and renames it last: a second process finds the name taken.
        builder = kind.builder(config=config_of(seed), data_dir=data_dir)
        if not builder.is_prepared():
            raise InputError(
                f"cannot write {kind.name} to {builder.data_dir} ({problem}); fix: choose a writable folder"
            ) from problem
    return builder
