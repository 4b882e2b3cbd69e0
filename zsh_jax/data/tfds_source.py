"""Image classification data sets of TensorFlow Datasets, already prepared, read without TensorFlow.

Nothing here uses the network, because TFDS retries a dead network for minutes. Data sets are opened from their files
alone; the error for a missing one shows the command that prepares it.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.images import LazyImages
from zsh_jax.data.nearest import nearest_names
from zsh_jax.data.reading import reading, written
from zsh_jax.data.rows import join, read_split
from zsh_jax.data.tfds_images import side, tfds_images
from zsh_jax.data.tfds_warnings import quiet
from zsh_jax.errors import InputError


def load_tfds(
    name: str,
    *,
    data_dir: str | None = None,
    images: bool = True,
    image_size: int | None = None,
    on_demand: bool = False,
) -> Dataset:
    """Load a TFDS data set with one label or several labels an image; all splits are concatenated.

    Args:
        name: TFDS name, such as `cifar10`; `NAME/CONFIG:VERSION` if there are several.
        data_dir: folder of TFDS data sets; None for the TFDS default.
        images: whether to return images; reading only identifiers and labels is faster.
        image_size: side of the square to which images of several sizes are resized, see `zsh_jax.data.images.square`;
            None to refuse them.
        on_demand: whether images stay on disk and are decoded on demand; images of several sizes always do.

    Returns:
        The data set. Images published without a label (label -1) are left out; in a multi-label set, images without
        labels are kept.

    Raises:
        InputError: the data set is unknown, not prepared, not prepared as array_record, not a set of labelled images,
            or damaged.
    """
    builder = open_tfds(name, data_dir)
    splits = [split for split, info in builder.info.splits.items() if info.num_examples]
    size = side(builder) or image_size
    decoded = images and not on_demand and (side(builder) is not None or image_size is None)
    parts = [read_split(builder, split, images=decoded) for split in splits]
    rows = join(parts, builder.data_dir)
    kept = rows.labels >= 0 if rows.labels.ndim == 1 else np.ones(len(rows.labels), bool)
    every = bool(kept.all())  # usually True; then the images are not copied
    pixels: UInt8[np.ndarray, "n h w 3"] | LazyImages | None = rows.images
    if rows.images is not None and not every:
        pixels = rows.images[kept]
    elif images and not decoded and size is not None:
        pixels = tfds_images(builder, splits, size).at(np.flatnonzero(kept))
    return Dataset(
        name=name,
        ids=rows.ids[kept],
        source_splits=np.repeat(splits, [len(part.labels) for part in parts])[kept],
        labels=rows.labels[kept],
        class_names=class_names(builder),
        images=pixels,
        version=f"{builder.info.full_name} {size or ''}".strip(),
    )


def open_tfds(name: str, data_dir: str | None) -> Any:
    """Open a prepared data set of labelled images.

    Args:
        name: TFDS name.
        data_dir: folder of TFDS data sets; None for the TFDS default.

    Returns:
        Its TFDS builder.

    Raises:
        InputError: as for `load_tfds`.
    """
    builder = _prepared(name, data_dir)
    _check(builder, name, data_dir)
    return builder


def class_names(builder: Any) -> tuple[str, ...]:
    """Class names of a data set with a feature `label` or `labels`."""
    features = builder.info.features
    return tuple((features["label"] if "label" in features else features["labels"].feature).names)


def preparing(name: str, data_dir: str | Path | None) -> str:
    """The shell command that prepares a data set.

    Args:
        name: of the data set.
        data_dir: target folder; None for the TFDS default.

    Returns:
        One line. TFDS writes most data sets with TensorFlow; reading does not need it.
    """
    where = f", data_dir={str(data_dir)!r}" if data_dir else ""
    call = f"tfds.builder({name!r}{where}, file_format='array_record').download_and_prepare()"
    return f'pip install tensorflow && python -c "import tensorflow_datasets as tfds; {call}"'


def _prepared(name: str, data_dir: str | None) -> Any:
    if data_dir and not written(data_dir).is_dir():
        raise InputError(
            f"dataset.data_dir: there is no folder {data_dir}; fix: set the folder that holds {name}, or prepare it: "
            f"{preparing(name, data_dir)}"
        )
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.read_only_builder import builder_from_files

    where = f"dataset.name: {name!r} in {tfds_folder(data_dir)}"
    with reading(where, "cannot be opened", "write NAME/CONFIG:VERSION, or prepare the data set again"):
        try:
            # Not tfds.builder: for data sets that are not on disk, its constructor queries Google's storage.
            return builder_from_files(name, data_dir=data_dir)
        except tfds.core.DatasetNotFoundError as problem:
            raise _not_found(name, data_dir) from problem


def own_builder(make: Callable[[], Any], name: str, data_dir: str | None) -> Any:
    """A builder for a data set of this package, which is prepared on first use.

    Args:
        make: makes the builder, which reads the prepared files if they exist.
        name: of the data set.
        data_dir: folder of TFDS data sets; None for the TFDS default.

    Returns:
        The builder.

    Raises:
        InputError: the prepared files are damaged.
    """
    where = tfds_folder(data_dir) / name
    with reading(where, "is damaged", "remove that folder; it is prepared again"), quiet():
        builder = make()
        if builder.is_prepared() and not builder.info.splits:
            raise InputError(f"{builder.data_dir} has no dataset_info.json; fix: remove {where}")
    return builder


def tfds_folder(data_dir: str | None) -> Path:
    """The given folder of TFDS data sets, or the TFDS default."""
    import tensorflow_datasets as tfds

    return written(data_dir or tfds.core.constants.DATA_DIR)


def _not_found(name: str, data_dir: str | None) -> InputError:
    import tensorflow_datasets as tfds

    folder, base = tfds_folder(data_dir), re.split("[/:]", name)[0]
    whole = [
        path.name
        for path in (folder / base).glob("*")
        if path.is_dir() and "incomplete" not in path.name and path.name[0] != "."
    ]
    if whole:
        return InputError(
            f"{folder / base} holds {', '.join(sorted(whole))}, not {name}; fix: set one of these as "
            "--config.dataset.name=NAME/CONFIG:VERSION"
        )
    known = tfds.list_builders(with_community_datasets=False)
    if base not in known:
        return InputError(f"dataset.name: TFDS has no {base!r}; {nearest_names(base, known)}")
    return InputError(
        f"{name} is not prepared in {folder}; fix: set --config.dataset.data_dir=PATH, or prepare it: "
        f"{preparing(name, data_dir)}"
    )


def _check(builder: Any, name: str, data_dir: str | None) -> None:
    import tensorflow_datasets as tfds

    formats = {form.value for form in builder.info.available_file_formats()}
    if "array_record" not in formats:
        other = tfds_folder(data_dir) / "array_record"
        raise InputError(
            f"{builder.data_dir} is prepared as {' and '.join(sorted(formats))}, but only array_record can be read "
            f"without TensorFlow; fix: prepare it in another folder: {preparing(name, other)}"
        )
    features = {feature: builder.info.features[feature] for feature in builder.info.features}
    kind = tfds.features.ClassLabel
    one = isinstance(features.get("label"), kind)
    several = isinstance(getattr(features.get("labels"), "feature", None), kind)
    for holds, feature, needed in (
        (isinstance(features.get("image"), tfds.features.Image), "image", "Image"),
        (one or several, "label", "ClassLabel"),
    ):
        if not holds:
            raise InputError(
                f"{name} is not a set of images with classes: it has {', '.join(sorted(features))}, but no "
                f"{feature!r} of kind {needed}"
            )
    if not any(info.num_examples for info in builder.info.splits.values()):
        raise InputError(f"{builder.data_dir} holds no image; fix: prepare the data set again")
