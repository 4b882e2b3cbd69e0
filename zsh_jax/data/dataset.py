"""The data set type that every loader returns."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int32, Shaped, UInt8

from zsh_jax.data.given_roles import GivenRoles
from zsh_jax.data.images import LazyImages


class Dataset(NamedTuple):
    """A labelled image collection on the host. The splits of the source are concatenated.

    Attributes:
        name: name of the data set in results.
        ids: identifier of each sample, unique within its source split.
        source_splits: the source split (`train`, `test`, ...) of each sample.
        labels: class index of each sample; or a multi-hot matrix, if samples have several labels.
        class_names: the c class names, in the order of the indices.
        attributes: attribute vector of each class, if the source has attributes; else None.
        images: RGB images of one size, if requested, perhaps decoded on demand; else None.
        features: features of each sample, if the source is a feature file; else None.
        held_out: classes that the protocol holds out, if the data alone determine them.
        version: changes with images or identifiers, so that cached features of other images are not used.
        auxiliary: marks the samples of an auxiliary data set, which are for training only; else None.
        given: roles of the samples, if the data set or a split file states them; else None.
    """

    name: str
    ids: Shaped[np.ndarray, " n"]
    source_splits: Shaped[np.ndarray, " n"]
    labels: Int32[np.ndarray, " n"] | Bool[np.ndarray, "n c"]
    class_names: tuple[str, ...]
    attributes: Float32[np.ndarray, "c a"] | None = None
    images: UInt8[np.ndarray, "n h w 3"] | LazyImages | None = None
    features: Float32[np.ndarray, "n d"] | None = None
    held_out: tuple[str, ...] = ()
    version: str = ""
    auxiliary: Bool[np.ndarray, " n"] | None = None
    given: GivenRoles | None = None
