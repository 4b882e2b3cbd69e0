"""From the source of a data set to the data set: one function for each kind; see `DatasetSpec.load`."""

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.folder import LAYOUT, load_folder
from zsh_jax.data.image_lists import LAYOUT as LISTS_LAYOUT
from zsh_jax.data.image_lists import load_image_lists
from zsh_jax.data.nuswide import LAYOUT as NUSWIDE_LAYOUT
from zsh_jax.data.nuswide import load_nuswide, most_frequent
from zsh_jax.data.spec import Source
from zsh_jax.data.xlsa17 import LAYOUT as XLSA17_LAYOUT
from zsh_jax.data.xlsa17 import load_xlsa17
from zsh_jax.errors import InputError


def shapes(source: Source, images: bool, features: bool) -> Dataset:
    """The generated shapes; a seed may follow the name."""
    from zsh_jax.data.shapes import load_shapes

    seed = source.name.removeprefix("shapes").removeprefix("/seed") or "0"
    if not seed.isdecimal():
        raise InputError(
            f"dataset.name: {source.name!r} does not exist; fix: use shapes, or shapes/seedN such as shapes/seed1"
        )
    dataset = load_shapes(source.data_dir, images=images, seed=int(seed), on_demand=source.on_demand)
    return dataset if seed == "0" else dataset._replace(name=f"{dataset.name}/seed{seed}")


def tinted_shapes(source: Source, images: bool, features: bool) -> Dataset:
    """The generated shapes in four hues."""
    from zsh_jax.data.shapes import load_tinted_shapes

    return load_tinted_shapes(source.data_dir, images=images, on_demand=source.on_demand)


def load_from_tfds(source: Source, images: bool, features: bool) -> Dataset:
    """Load any TFDS data set; see `DatasetSpec.load`."""
    from zsh_jax.data.tfds_source import load_tfds

    return load_tfds(
        source.name,
        data_dir=source.data_dir,
        images=images,
        image_size=source.image_size,
        on_demand=source.on_demand,
    )


def imagenet(source: Source, images: bool, features: bool) -> Dataset:
    """ImageNet, of any size, with words for synsets."""
    from zsh_jax.data.imagenet import class_names
    from zsh_jax.data.tfds_source import load_tfds

    dataset = load_tfds(
        source.name, data_dir=source.data_dir, images=images, image_size=source.image_size, on_demand=True
    )
    return dataset._replace(class_names=class_names(dataset.class_names))


def mirflickr(source: Source, images: bool, features: bool) -> Dataset:
    """MIRFlickr-25K, with potential or relevant concepts."""
    from zsh_jax.data.mirflickr import load_mirflickr

    which = source.name.removeprefix("mirflickr").removeprefix("/")
    if which not in ("", "potential", "relevant"):
        raise InputError(
            f"dataset.name: {source.name!r} is not known; fix: use mirflickr or mirflickr/relevant"
        )
    path = _path(source, "a folder") if source.path else None
    return load_mirflickr(source.data_dir, path=path, relevant=which == "relevant", images=images)


def nuswide(source: Source, images: bool, features: bool) -> Dataset:
    """NUS-WIDE, with all concepts or the 21 most frequent."""
    which = source.name.removeprefix("nuswide").removeprefix("/")
    if which not in ("", "21"):
        raise InputError(f"dataset.name: {source.name!r} is not known; fix: use nuswide or nuswide/21")
    dataset = load_nuswide(_path(source, NUSWIDE_LAYOUT), features=features)
    return most_frequent(dataset, 21) if which else dataset


def xlsa17(source: Source, images: bool, features: bool) -> Dataset:
    """The data sets of Xian et al."""
    return load_xlsa17(_path(source, XLSA17_LAYOUT), source.name, features=features)


def lists(source: Source, images: bool, features: bool) -> Dataset:
    """Lists of images with zeros and ones."""
    size = source.image_size
    return load_image_lists(_path(source, LISTS_LAYOUT), root=source.root, image_size=size, images=images)


def scene(source: Source, images: bool, features: bool) -> Dataset:
    """The Scene data set as feature files."""
    from zsh_jax.data.feature_files import load_features

    return load_features(
        _path(source, "the folder with train.npz and test.npz"),
        keys=source.keys,
        name="scene",
        first_label=source.first_label,
    )


def feature_files(source: Source, images: bool, features: bool) -> Dataset:
    """Feature files of the user."""
    from zsh_jax.data.feature_files import load_features

    wanted = "a file of features, several, or a pattern"
    return load_features(
        source.path or _path(source, wanted),
        keys=source.keys,
        first_label=source.first_label,
    )


def hugging_face(source: Source, images: bool, features: bool) -> Dataset:
    """Images that `datasets` of Hugging Face saved."""
    from zsh_jax.data.hugging_face import LAYOUT, load_hugging_face

    size = source.image_size
    return load_hugging_face(
        source.path or _path(source, LAYOUT), keys=source.keys, image_size=size, images=images
    )


def folder(source: Source, images: bool, features: bool) -> Dataset:
    """A folder of images."""
    return load_folder(_path(source, LAYOUT), image_size=source.image_size, images=images)


def _path(source: Source, what: str) -> str:
    if not source.path:
        raise InputError(f"dataset.path is not set; fix: give {what} with --config.dataset.path=PATH")
    if not isinstance(source.path, str):
        raise InputError(
            f"dataset.path: {source.name} takes one path, not {len(source.path)}; fix: give {what}"
        )
    return source.path
