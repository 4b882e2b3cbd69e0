"""Types that describe a data set and its protocols."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.feature_files.parts import DEFAULT_KEYS, Keys
from zsh_jax.data.select import HELD_OUT


class Source(NamedTuple):
    """Name and location of a data set.

    Attributes:
        name: a key of `DATASETS`, or a TFDS name; a config and version may follow `/` or `:`.
        data_dir: folder of TFDS data sets; None for the TFDS default.
        path: folder or file of a data set that is not from TFDS; several files or a pattern if it has parts.
        image_size: side of the square to which images of several sizes are resized.
        keys: names of the arrays of a feature file.
        first_label: 0 or 1, the first class number of a feature file; None if the file determines it.
        on_demand: whether images stay on disk if possible and are decoded on demand.
        root: folder that the image paths of lists start from; None for the folder of the lists.
    """

    name: str
    data_dir: str | None = None
    path: str | tuple[str, ...] | None = None
    image_size: int = 224
    keys: Keys = DEFAULT_KEYS
    first_label: int | None = None
    on_demand: bool = False
    root: str | None = None


class Protocol(NamedTuple):
    """How a data set is split, and the default features and semantics.

    Attributes:
        dataset: its name, with a TFDS config if it has several.
        features: see `config.features.name`.
        semantics: the kind of semantics.
        unseen: the axis of held-out classes; for `held-out` see `zsh_jax.data.select`, for `none` `parse_unseen`.
        training_samples: number of samples drawn from the seen classes; 0 for all that the data set states.
        queries: number of images drawn from the unseen classes; 0 for all that the data set states.
        anchors: number of anchors drawn from the training samples.
        synonyms: words to look up in place of class names.
        classes: number of classes to draw; None for all.
        held_out: number of unseen classes among them; None for one in ten.
        of_each_class: see `zsh_jax.data.split.SplitRule`.
        database: likewise.
        cutoffs: the N of mAP@N and precision at N.
    """

    dataset: str
    features: str
    semantics: str
    unseen: tuple[str, ...] = (HELD_OUT,)
    training_samples: int = 10_000
    queries: int = 1000
    anchors: int = 1000
    synonyms: tuple[tuple[str, str], ...] = ()
    classes: int | None = None
    held_out: int | None = None
    of_each_class: bool = False
    database: str = "rest"
    cutoffs: tuple[int, ...] = (100, 1000)


@dataclass(frozen=True)
class DatasetSpec:
    """A data set of the catalogue.

    Attributes:
        name: its name in configurations, without config and version.
        load: loads it, given its source, whether to return images and whether to return its own features.
        licence: of its images or features.
        protocols: its protocols by name; one has the name of the data set.
        path: meaning of `dataset.path`; "" for a TFDS data set.
        stored_as: its TFDS name, if that differs.
        obtain: how to get it, if `prepare` alone does not suffice.
        has_images: whether it has readable images.
        states_roles: whether its files state which images are for training and which are queries.
    """

    name: str
    load: Callable[[Source, bool, bool], Dataset]
    licence: str
    protocols: Mapping[str, Protocol] = field(default_factory=lambda: MappingProxyType({}))
    path: str = ""
    stored_as: str = ""
    obtain: str = ""
    has_images: bool = True
    states_roles: bool = False

    @property
    def folder(self) -> str:
        """Its folder within the folder of TFDS data sets."""
        return self.stored_as or self.name
