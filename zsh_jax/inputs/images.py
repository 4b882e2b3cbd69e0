"""Load the images of a sweep's samples after their features were extracted or read."""

import numpy as np

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.images import LazyImages
from zsh_jax.data.registry import has_images, load_dataset
from zsh_jax.data.spec import Source


def load_images(source: Source, dataset: Dataset) -> LazyImages | None:
    """Open the images of the query and database data set; they are decoded on demand.

    Args:
        source: of the data set.
        dataset: of the sweep's inputs, perhaps joined with an auxiliary one, whose samples have no images here.

    Returns:
        Images by the rows of `dataset`; None if the data set has no images.

    Raises:
        InputError: the data set no longer exists, or lacks one of the samples.
    """
    if not has_images(source.name):
        return None
    stored = load_dataset(source._replace(on_demand=True), features=False)
    images = stored.images
    if images is None:
        return None
    # Match by identifier: classes may have been drawn, and auxiliary samples may come first.
    places = {sample: place for place, sample in enumerate(_samples(stored))}
    in_database = np.ones(len(dataset.ids), bool) if dataset.auxiliary is None else ~dataset.auxiliary
    numbers = np.full(len(dataset.ids), -1)
    numbers[in_database] = [
        places.get(sample, -1)
        for sample, is_there in zip(_samples(dataset), in_database, strict=True)
        if is_there
    ]
    return LazyImages(lambda number: images[number], numbers, images.shape[1])


def _samples(dataset: Dataset) -> list[tuple[str, str]]:
    """Source split and identifier of each sample; a joined data set prefixes the split with a data set name."""
    splits = [str(split).rpartition("/")[2] for split in dataset.source_splits]
    return list(zip(splits, map(str, dataset.ids), strict=True))
