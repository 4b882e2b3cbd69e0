"""Inventory of data sets and of cached features on disk."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from zsh_jax.data.catalogue import DATASETS
from zsh_jax.data.reading import reading, written
from zsh_jax.errors import InputError


class State(NamedTuple):
    """State of a data set: `there`, `missing`, or that its `path` decides; and details or what to do."""

    name: str
    state: str
    what: str


def data_folder(data_dir: str | None) -> Path:
    """The given folder of TFDS data sets, or the TFDS default."""
    if data_dir:
        return written(data_dir)
    import tensorflow_datasets as tfds

    return Path(tfds.core.constants.DATA_DIR).expanduser()


def states(data_dir: str | None) -> Iterator[State]:
    """State of each data set.

    Args:
        data_dir: folder of TFDS data sets; None for the TFDS default.

    Yields:
        One state for each data set, in the order of `DATASETS`.
    """
    folder = data_folder(data_dir)
    for name, spec in DATASETS.items():
        if spec.path:
            yield State(name, "path", spec.path)
            continue
        prepared = prepared_versions(folder / spec.folder)
        if prepared:
            yield State(name, "there", f"{', '.join(prepared)} in {folder / spec.folder}")
        else:
            yield State(name, "missing", spec.obtain or f"`prepare {name}`, with a network and TensorFlow")


def prepared_versions(folder: Path) -> list[str]:
    """Prepared configs and versions of a data set, such as `3.0.2` or `32x32/0.1.0`."""
    whole = (path.parent for path in folder.rglob("dataset_info.json"))
    return sorted(
        path.relative_to(folder).as_posix() for path in whole if "incomplete" not in path.as_posix()
    )


def kept_features(cache: Path) -> Iterator[str]:
    """Describe the features in a cache.

    Args:
        cache: its folder; it may not exist.

    Yields:
        One line for each data set, split and kind of features.
    """
    for path in sorted(cache.glob("*/*/*/key.json")):
        try:
            with reading(path):
                key = json.loads(path.read_text(encoding="utf-8"))
                what = f"{key['dataset']}, {key['split']}: {key['name']}"
        except InputError:
            continue  # not a file of this package
        blocks = len(list(path.parent.glob("*.safetensors")))
        yield f"{what}, {blocks} block{'s' if blocks != 1 else ''} in {path.parent}"
