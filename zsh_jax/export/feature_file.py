"""Read one file of features of a database, with what the file says of its samples."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int, Num, Shaped

from zsh_jax.data.feature_files.arrays import open_arrays
from zsh_jax.data.feature_files.labels import read_labels
from zsh_jax.data.text import read_names
from zsh_jax.errors import InputError
from zsh_jax.export.features import features_in, ids_in, read_whole


class FeatureFile(NamedTuple):
    """The contents of a file.

    Attributes:
        features: raw.
        ids: of the samples; None for none.
        labels: class indices, or a column for each class; None for none.
        class_names: of all classes; None without labels.
    """

    features: Num[np.ndarray, "n d"]
    ids: Shaped[np.ndarray, " n"] | None
    labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"] | None
    class_names: tuple[str, ...] | None


def read_feature_file(
    given: str, values: int, *, array: str | None = None, with_labels: bool = False
) -> FeatureFile:
    """Read a file of features.

    Args:
        given: a feature file, by its name on the command line.
        values: of a row, as the hash function needs them.
        array: name of the array of features; None for a usual name.
        with_labels: whether to read the array `labels`, if there is one, and the class names in `STEM.classes.txt` or
            `classes.txt` beside the file.

    Raises:
        InputError: there is no such file, it is damaged, or it lacks features.
    """
    file = Path(given)
    if not file.is_file():
        raise InputError(f"--features: there is no file {file}; fix: set --features")
    arrays = open_arrays(file)
    _, blocks = features_in(arrays, values, array)
    features, ids = read_whole(blocks), ids_in(arrays)
    if not with_labels or "labels" not in arrays.names:
        return FeatureFile(features, ids, None, None)
    places = (file.with_name(name) for name in (f"{file.stem}.classes.txt", "classes.txt"))
    named = next((read_names(place) for place in places if place.is_file()), None)
    parts = [(f"{file}, labels", arrays.read("labels"))]
    return FeatureFile(features, ids, *read_labels(parts, named, matlab=False))
