"""From the name of a data set to the data set itself."""

from zsh_jax.data.catalogue import DATASETS, load_from_tfds
from zsh_jax.data.checked import checked
from zsh_jax.data.dataset import Dataset
from zsh_jax.data.spec import Source
from zsh_jax.errors import InputError

LARGEST_SIDE = 2048  # pixels; 256 such pictures, which are described together, have 3.2 GB


def load_dataset(source: Source, *, images: bool = True, features: bool = True) -> Dataset:
    """Load a data set.

    Args:
        source: which.
        images: whether pictures are wanted.
        features: whether those that a source has beside its labels are wanted.

    Returns:
        The data set.

    Raises:
        InputError: it is unknown, missing or damaged.
    """
    if not source.name:
        raise InputError(f"dataset.name is not set; take {', '.join(DATASETS)}, or a data set of TFDS")
    if not 1 <= source.image_size <= LARGEST_SIDE:
        raise InputError(f"dataset.image_size must be 1 to {LARGEST_SIDE} pixels; got {source.image_size}")
    known = DATASETS.get(base_name(source.name))
    load = load_from_tfds if known is None else known.load
    dataset = load(source, images, features)
    return checked(dataset, source.path or source.data_dir or "")


def base_name(name: str) -> str:
    """The name of a data set without its config and version."""
    return name.replace(":", "/").split("/")[0]


def has_pictures(name: str) -> bool:
    """Whether a data set has pictures that can be read, as far as its name tells.

    Args:
        name: of the data set.

    Returns:
        False for those that are features alone.
    """
    known = DATASETS.get(base_name(name))
    return known is None or known.has_images
