"""What is there of each data set, and what its features on disk are."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from zsh_jax.data.reading import reading, written
from zsh_jax.data.registry import LOADERS
from zsh_jax.errors import InputError

BY_PATH = {
    "nuswide": "the folder that holds Groundtruth/TrainTestLabels",
    "scene": "the folder that holds train.npz, test.npz and labels.txt",
    "folder": "a folder with one sub-folder of pictures for each class",
    "features": "a .npz, .npy or .mat file of features",
}
"""Data sets that nothing is prepared of; what their path is."""

STORED_AS = {"shapes": "zsh_shapes", "mirflickr": "zsh_mirflickr25k"}
"""Names of our own data sets among those of TFDS."""

MISSING = {
    "shapes": "drawn on the first use, or by `prepare shapes`",
    "mirflickr": "`prepare mirflickr --path ARCHIVES`; without them it says what to fetch",
    "imagenet2012": "place its archives in DATA_DIR/downloads/manual, then `prepare imagenet2012`; see docs/data.md",
}


class State(NamedTuple):
    """Of a data set: whether it is `there`, `missing` or wherever its `path` says; and what there is or what to do."""

    name: str
    state: str
    what: str


def data_folder(data_dir: str | None) -> Path:
    """Folder of TFDS data sets: the one that is given, or the default of TFDS."""
    if data_dir:
        return written(data_dir)
    import tensorflow_datasets as tfds

    return Path(tfds.core.constants.DATA_DIR).expanduser()


def states(data_dir: str | None) -> Iterator[State]:
    """What is there of each data set.

    Args:
        data_dir: folder of TFDS data sets; None for the default of TFDS.

    Yields:
        One a data set, in the order of `LOADERS`.
    """
    folder = data_folder(data_dir)
    for name in LOADERS:
        if name in BY_PATH:
            yield State(name, "path", BY_PATH[name])
            continue
        prepared = prepared_versions(folder / STORED_AS.get(name, name))
        if prepared:
            yield State(name, "there", f"{', '.join(prepared)} in {folder / STORED_AS.get(name, name)}")
        else:
            yield State(
                name, "missing", MISSING.get(name, f"`prepare {name}`, with a network and TensorFlow")
            )


def prepared_versions(folder: Path) -> list[str]:
    """Configs and versions of a data set that TFDS has finished, such as `3.0.2` or `32x32/0.1.0`."""
    whole = (path.parent for path in folder.rglob("dataset_info.json"))
    return sorted(
        path.relative_to(folder).as_posix() for path in whole if "incomplete" not in path.as_posix()
    )


def kept_features(cache: Path) -> Iterator[str]:
    """Lines on the features that a cache holds.

    Args:
        cache: its folder; it need not be there.

    Yields:
        One a data set, split and kind of features.
    """
    for path in sorted(cache.glob("*/*/*/key.json")):
        try:
            with reading(path):
                key = json.loads(path.read_text(encoding="utf-8"))
                what = f"{key['dataset']}, {key['split']}: {key['name']}"
        except InputError:
            continue  # another's file
        blocks = len(list(path.parent.glob("*.safetensors")))
        yield f"{what}, {blocks} block{'s' if blocks != 1 else ''} in {path.parent}"
