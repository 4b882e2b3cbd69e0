"""Load a data set by its name."""

from zsh_jax.data.catalogue import DATASETS
from zsh_jax.data.checked import checked
from zsh_jax.data.dataset import Dataset
from zsh_jax.data.loaders import load_from_tfds
from zsh_jax.data.spec import Source
from zsh_jax.errors import InputError

LARGEST_SIDE = 2048  # pixels; a block of 256 images of this size takes 3.2 GB


def load_dataset(source: Source, *, images: bool = True, features: bool = True) -> Dataset:
    """Load a data set.

    Args:
        source: its name and place.
        images: whether to return images.
        features: whether to return the features that the source has, if any.

    Returns:
        The data set.

    Raises:
        InputError: the data set is unknown, missing or damaged.
    """
    if not source.name:
        raise InputError(f"dataset.name is not set; fix: use {', '.join(DATASETS)}, or a data set of TFDS")
    if not 1 <= source.image_size <= LARGEST_SIDE:
        raise InputError(f"dataset.image_size must be 1 to {LARGEST_SIDE} pixels; got {source.image_size}")
    known = DATASETS.get(base_name(source.name))
    load = load_from_tfds if known is None else known.load
    dataset = load(source, images, features)
    place = source.path if isinstance(source.path, str | None) else source.path[0]
    return checked(dataset, place or source.data_dir or "")


def base_name(name: str) -> str:
    """The name of a data set without its config and version."""
    return name.replace(":", "/").split("/")[0]


def states_roles(name: str) -> bool:
    """Whether the files of a data set state which images are for training and which are queries."""
    known = DATASETS.get(base_name(name))
    return known is not None and known.states_roles


def has_images(name: str) -> bool:
    """Whether a data set has readable images, judged by its name; False for feature-only data sets."""
    known = DATASETS.get(base_name(name))
    return known is None or known.has_images
