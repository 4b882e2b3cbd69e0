"""The protocol of each data set: what is held out, the sizes of each draw, features and semantics."""

from typing import Any, NamedTuple

from ml_collections import ConfigDict

from zsh_jax.data.mirflickr import RELEVANT
from zsh_jax.data.select import HELD_OUT
from zsh_jax.errors import InputError

CIFAR10_CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)


class Protocol(NamedTuple):
    """How a data set is split, and what it is described by unless the configuration says otherwise.

    Attributes:
        dataset: its name, see `zsh_jax.data.registry.LOADERS`.
        features: see `config.features.name`.
        semantics: the kind of semantics.
        unseen: the axis of held-out classes; `held-out` is told by the data, see `zsh_jax.data.select`.
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


PROTOCOLS = {
    # Four of thirty classes are unseen; 9,000 images leave 8,600 in the database.
    "shapes": Protocol(
        "shapes",
        "gist",
        "attributes",
        unseen=("striped circle+checkered square+hollow triangle+spotted star",),
        training_samples=5000,
        queries=400,
        anchors=500,
    ),
    # The sizes of the released evaluation: one unseen class at a time, 59,000 images in the database.
    "cifar10": Protocol("cifar10", "precomputed", "word_vectors", unseen=CIFAR10_CLASSES),
    # The sizes of all others are ours, in the spirit of that.
    "cifar100": Protocol("cifar100", "precomputed", "word_vectors"),
    "imagenet100": Protocol("imagenet2012", "precomputed", "word_vectors", classes=100, held_out=10),
    "imagenet_resized": Protocol(
        "imagenet_resized/32x32", "precomputed", "word_vectors", classes=100, held_out=10
    ),
    "mirflickr": Protocol("mirflickr", "precomputed", "word_vectors", unseen=("baby+bird+car+dog",)),
    # A relevant concept has the words of the potential one that it is part of, and is held out with it.
    "mirflickr_relevant": Protocol(
        "mirflickr/relevant",
        "precomputed",
        "word_vectors",
        unseen=("baby+baby_r1+bird+bird_r1+car+car_r1+dog+dog_r1",),
        synonyms=tuple((name, name.removesuffix("_r1")) for name in RELEVANT),
    ),
    "nuswide": Protocol("nuswide", "source", "word_vectors"),
    # Each of six labels is unseen once, two at a time; 2,407 images.
    "scene": Protocol(
        "scene",
        "source",
        "word_vectors",
        unseen=("Beach+Urban", "Sunset+Mountain", "FallFoliage+Field"),
        training_samples=1000,
        queries=200,
        anchors=300,
        synonyms=(("FallFoliage", "autumn leaves"),),
    ),
    "folder": Protocol("folder", "gist", "word_vectors", training_samples=1000, queries=100, anchors=300),
    "features": Protocol(
        "features", "source", "word_vectors", training_samples=1000, queries=100, anchors=300
    ),
}


def apply_protocol(config: ConfigDict, name: str) -> None:
    """Set what a data set's protocol says.

    Args:
        config: from `zsh_jax.sweep.config.defaults`, changed.
        name: a key of `PROTOCOLS`.

    Raises:
        InputError: if there is no such protocol.
    """
    if name not in PROTOCOLS:
        raise InputError(f"there is no protocol for data set {name!r}; take {', '.join(PROTOCOLS)}")
    protocol = PROTOCOLS[name]
    config.dataset.name = protocol.dataset
    config.dataset.classes = protocol.classes
    config.dataset.held_out = protocol.held_out
    config.features.name = protocol.features
    config.semantics.synonyms = protocol.synonyms
    axes: dict[str, Any] = {
        "unseen": protocol.unseen,
        "semantics": (protocol.semantics,),
        "training_samples": (protocol.training_samples,),
        "queries": (protocol.queries,),
        "anchors": (protocol.anchors,),
    }
    for axis, values in axes.items():
        config.sweep[axis] = values
