"""What is there of each data set, and what its features on disk are."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from zsh_jax.data.catalogue import DATASETS
from zsh_jax.data.reading import reading, written
from zsh_jax.errors import InputError


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
        One a data set, in the order of `DATASETS`.
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
