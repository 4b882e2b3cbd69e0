"""From the name of a data set to what loads it: the one place that knows all of them."""

from collections.abc import Callable
from typing import NamedTuple

from zsh_jax.data.checked import checked
from zsh_jax.data.dataset import Dataset
from zsh_jax.data.feature_files.parts import DEFAULT_KEYS, Keys
from zsh_jax.data.folder import LAYOUT, load_folder
from zsh_jax.errors import InputError

LARGEST_SIDE = 2048  # pixels; 256 such pictures, which are described together, have 3.2 GB


class Source(NamedTuple):
    """Which data set, and where it is.

    Attributes:
        name: one of `LOADERS`, or as TFDS has it; what follows a `/` or `:` is its config and version.
        data_dir: folder of TFDS data sets; None for the default of TFDS.
        path: of a folder or file that is no TFDS data set.
        image_size: of the square that pictures of several sizes are brought to.
        keys: names of the arrays of a file of features.
        first_label: 0 or 1, what labels of a file of features count from; None where the file tells.
        on_demand: whether pictures stay on disk wherever they can, and are decoded when they are asked for.
    """

    name: str
    data_dir: str | None = None
    path: str | None = None
    image_size: int = 224
    keys: Keys = DEFAULT_KEYS
    first_label: int | None = None
    on_demand: bool = False


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
        raise InputError(f"dataset.name is not set; take {', '.join(LOADERS)}, or a data set of TFDS")
    if not 1 <= source.image_size <= LARGEST_SIDE:
        raise InputError(f"dataset.image_size must be 1 to {LARGEST_SIDE} pixels; got {source.image_size}")
    dataset = LOADERS.get(base_name(source.name), _tfds)(source, images, features)
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
    return base_name(name) not in WITHOUT_PICTURES


def _shapes(source: Source, images: bool, features: bool) -> Dataset:
    from zsh_jax.data.shapes import load_shapes

    seed = source.name.removeprefix("shapes").removeprefix("/seed") or "0"
    if not seed.isdecimal():
        raise InputError(
            f"dataset.name: {source.name!r} is no drawing of shapes; take shapes or shapes/seed1 and so on"
        )
    dataset = load_shapes(source.data_dir, images=images, seed=int(seed), on_demand=source.on_demand)
    return dataset if seed == "0" else dataset._replace(name=f"{dataset.name}/seed{seed}")


def _tfds(source: Source, images: bool, features: bool) -> Dataset:
    from zsh_jax.data.tfds_source import load_tfds

    return load_tfds(
        source.name,
        data_dir=source.data_dir,
        images=images,
        image_size=source.image_size,
        on_demand=source.on_demand,
    )


def _imagenet(source: Source, images: bool, features: bool) -> Dataset:
    from zsh_jax.data.imagenet import class_names
    from zsh_jax.data.tfds_source import load_tfds

    dataset = load_tfds(
        source.name, data_dir=source.data_dir, images=images, image_size=source.image_size, on_demand=True
    )
    return dataset._replace(class_names=class_names(dataset.class_names))


def _mirflickr(source: Source, images: bool, features: bool) -> Dataset:
    from zsh_jax.data.mirflickr import load_mirflickr

    which = source.name.removeprefix("mirflickr").removeprefix("/")
    if which not in ("", "potential", "relevant"):
        raise InputError(f"dataset.name: {source.name!r} is not known; take mirflickr or mirflickr/relevant")
    return load_mirflickr(source.data_dir, path=source.path, relevant=which == "relevant", images=images)


def _nuswide(source: Source, images: bool, features: bool) -> Dataset:
    from zsh_jax.data.nuswide import LAYOUT as NUSWIDE_LAYOUT
    from zsh_jax.data.nuswide import load_nuswide

    return load_nuswide(_path(source, NUSWIDE_LAYOUT), features=features)


def _scene(source: Source, images: bool, features: bool) -> Dataset:
    from zsh_jax.data.feature_files import load_features

    return load_features(
        _path(source, "the folder with train.npz and test.npz"),
        keys=source.keys,
        name="scene",
        first_label=source.first_label,
    )


def _feature_files(source: Source, images: bool, features: bool) -> Dataset:
    from zsh_jax.data.feature_files import load_features

    return load_features(
        _path(source, "a .npz, .npy or .mat file of features"),
        keys=source.keys,
        first_label=source.first_label,
    )


def _folder(source: Source, images: bool, features: bool) -> Dataset:
    return load_folder(_path(source, LAYOUT), image_size=source.image_size, images=images)


def _path(source: Source, what: str) -> str:
    if not source.path:
        raise InputError(f"dataset.path is not set; give {what} with --config.dataset.path=PATH")
    return source.path


WITHOUT_PICTURES = ("nuswide", "scene", "features")

LOADERS: dict[str, Callable[[Source, bool, bool], Dataset]] = {
    "shapes": _shapes,
    "cifar10": _tfds,
    "cifar100": _tfds,
    "imagenet2012": _imagenet,
    "imagenet_resized": _imagenet,
    "mirflickr": _mirflickr,
    "nuswide": _nuswide,
    "scene": _scene,
    "folder": _folder,
    "features": _feature_files,
}
"""What loads each data set, given where it is, whether pictures and whether its own features are wanted."""
