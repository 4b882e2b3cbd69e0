"""The pictures of a sweep's samples, found again after their features were made or read."""

import numpy as np
from ml_collections import ConfigDict

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.pictures import Pictures
from zsh_jax.data.registry import has_pictures, load_dataset
from zsh_jax.inputs.load import source_of


def load_pictures(config: ConfigDict, dataset: Dataset) -> Pictures | None:
    """Open the pictures of the data set that is queried and searched; those are decoded that are asked for.

    Args:
        config: of the sweep.
        dataset: of the sweep's inputs, perhaps joined with an auxiliary one, whose samples have no pictures here.

    Returns:
        Pictures by the rows of `dataset`; None if there are none.

    Raises:
        InputError: if the data set is no longer there, or lacks one of the samples.
    """
    if not has_pictures(config.dataset.name):
        return None
    stored = load_dataset(source_of(config.dataset)._replace(on_demand=True), features=False)
    images = stored.images
    if images is None:
        return None
    # By identifier: classes may have been drawn, and another data set may stand before this one.
    places = {sample: place for place, sample in enumerate(_samples(stored))}
    searched = np.ones(len(dataset.ids), bool) if dataset.auxiliary is None else ~dataset.auxiliary
    numbers = np.full(len(dataset.ids), -1)
    numbers[searched] = [
        places.get(sample, -1)
        for sample, is_there in zip(_samples(dataset), searched, strict=True)
        if is_there
    ]
    return Pictures(lambda number: images[number], numbers, images.shape[1])


def _samples(dataset: Dataset) -> list[tuple[str, str]]:
    """Source split and identifier of each sample; a joined data set puts the name of one before the split."""
    splits = [str(split).rpartition("/")[2] for split in dataset.source_splits]
    return list(zip(splits, map(str, dataset.ids), strict=True))
