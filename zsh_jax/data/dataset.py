"""What every data source returns."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int32, Shaped, UInt8

from zsh_jax.data.pictures import Pictures


class Dataset(NamedTuple):
    """A labelled image collection, held on the host. All splits of the source stand one after the other.

    Attributes:
        name: name of the data set, as results state it.
        ids: identifier of each sample, unique within its source split.
        source_splits: the split of the source (`train`, `test`, ...) that each sample comes from.
        labels: class index of each sample; or, for several labels a sample, a multi-hot matrix.
        class_names: the c class names, in the order of the indices.
        attributes: attribute vector of each class, where the source has such; else None.
        images: RGB images of one size, where they were asked for, perhaps decoded only on demand; else None.
        features: of each sample, where the source is a file of features; else None.
        held_out: classes that the protocol holds out, where they are known from the data alone.
        version: changes when pictures or identifiers do, so that what was computed from others is not taken for theirs.
        auxiliary: marks samples of another data set, which are there to learn from and never searched; else None.
    """

    name: str
    ids: Shaped[np.ndarray, " n"]
    source_splits: Shaped[np.ndarray, " n"]
    labels: Int32[np.ndarray, " n"] | Bool[np.ndarray, "n c"]
    class_names: tuple[str, ...]
    attributes: Float32[np.ndarray, "c a"] | None = None
    images: UInt8[np.ndarray, "n h w 3"] | Pictures | None = None
    features: Float32[np.ndarray, "n d"] | None = None
    held_out: tuple[str, ...] = ()
    version: str = ""
    auxiliary: Bool[np.ndarray, " n"] | None = None
