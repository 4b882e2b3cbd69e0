"""What this package knows of a data set: one `DatasetSpec` each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.feature_files.parts import DEFAULT_KEYS, Keys
from zsh_jax.data.select import HELD_OUT


class Source(NamedTuple):
    """Which data set, and where it is.

    Attributes:
        name: a key of `DATASETS`, or as TFDS has it; what follows a `/` or `:` is its config and version.
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


class Protocol(NamedTuple):
    """How a data set is split, and what it is described by unless the configuration says otherwise.

    Attributes:
        dataset: its name, with a config of TFDS where it has several.
        features: see `config.features.name`.
        semantics: the kind of semantics.
        unseen: the axis of held-out classes; the data say what `held-out` is, see `zsh_jax.data.select`.
        training_samples: drawn from the seen classes.
        queries: drawn from the unseen ones.
        anchors: drawn from the training samples.
        synonyms: words to look up in the place of class names.
        classes: how many classes are drawn; None for all.
        held_out: how many of them are unseen; None for one in ten.
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


@dataclass(frozen=True)
class DatasetSpec:
    """A data set.

    Attributes:
        name: by which configurations call it, without config and version.
        load: loads it, given where it is, whether images and whether features of its own are wanted.
        licence: of its images or features.
        protocols: by name, how it is split; one has the data set's own name.
        path: what `dataset.path` is for it; "" for a data set of TFDS.
        stored_as: its name among data sets of TFDS, where it is another.
        obtain: how to get it, where it does not come by `prepare` alone.
        has_images: whether it has images that can be read.
    """

    name: str
    load: Callable[[Source, bool, bool], Dataset]
    licence: str
    protocols: Mapping[str, Protocol] = field(default_factory=lambda: MappingProxyType({}))
    path: str = ""
    stored_as: str = ""
    obtain: str = ""
    has_images: bool = True

    @property
    def folder(self) -> str:
        """Its folder among data sets of TFDS."""
        return self.stored_as or self.name
