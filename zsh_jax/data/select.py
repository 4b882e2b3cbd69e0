"""Draw classes of a data set, and the held-out classes among them, by seed."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Int, Int32

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.images import LazyImages
from zsh_jax.data.unseen import NONE
from zsh_jax.errors import InputError

HELD_OUT = "held-out"  # stands for the held-out classes that the data set defines
HELD_OUT_SHARE = 10  # default: one class in ten is held out


def draw_classes(
    names: Collection[str], *, classes: int | None, held_out: int | None, seed: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Draw classes and the held-out classes among them.

    A pure function of the set of names and the seed: the order of the names does not matter, and for one seed a larger
    draw contains a smaller one.

    Args:
        names: of the classes to draw from.
        classes: number of classes; None for all.
        held_out: number of unseen classes among them; None for one in ten, at least one.
        seed: of the draw, not negative.

    Returns:
        The drawn classes and the held-out classes among them, each sorted.

    Raises:
        InputError: there are too few classes, or no seen class would be left.
    """
    count = len(names) if classes is None else classes
    unseen = max(1, count // HELD_OUT_SHARE) if held_out is None else held_out
    if not 2 <= count <= len(names):
        raise InputError(
            f"dataset.classes: {count} classes cannot be drawn from {len(names)}; fix: use 2 to {len(names)}"
        )
    if not 1 <= unseen < count:
        raise InputError(
            f"dataset.held_out: {unseen} of {count} classes cannot be held out; fix: use 1 to {count - 1}"
        )
    if seed < 0:
        raise InputError(f"dataset.seed must be 0 or more; got {seed}")
    order = np.random.default_rng(np.random.SeedSequence(seed)).permutation(len(names))
    pool = sorted(names)
    drawn = [pool[place] for place in order[:count]]
    return tuple(sorted(drawn)), tuple(sorted(drawn[:unseen]))


def select_classes(dataset: Dataset, names: Sequence[str]) -> Dataset:
    """Select the samples of some classes.

    Args:
        dataset: with one class a sample.
        names: of the classes to keep.

    Returns:
        Samples of these classes, in their original order; classes are renumbered in the order of `names`.

    Raises:
        InputError: samples have several labels.
    """
    if dataset.labels.ndim != 1:
        raise InputError(
            f"dataset.classes: {dataset.name} has several labels a sample, so its classes cannot be drawn; fix: remove "
            "the setting"
        )
    return keep_classes(dataset, names)[0]


def keep_classes(dataset: Dataset, names: Collection[str]) -> tuple[Dataset, Int[np.ndarray, " k"]]:
    """Remove some classes from a data set.

    A sample is removed if all of its classes are removed: otherwise it would be in the database as irrelevant to every
    query, though it may show the same object as a query. Samples that had no label before are kept.

    Args:
        dataset: with one or several labels a sample.
        names: of the classes to keep.

    Returns:
        The remaining samples in their order, with classes renumbered in the order of `names`; and their rows.
    """
    kept = [number for number, name in enumerate(dataset.class_names) if name in set(names)]
    labels: Int32[np.ndarray, " n"] | Bool[np.ndarray, "n c"]
    if dataset.labels.ndim == 1:
        renumbered = np.full(len(dataset.class_names), -1, np.int32)
        renumbered[kept] = np.arange(len(kept))
        labels = renumbered[dataset.labels]
        rows = np.flatnonzero(labels >= 0)
    else:
        labels = dataset.labels[:, kept]
        rows = np.flatnonzero(labels.any(axis=1) | ~dataset.labels.any(axis=1))
    images, features = dataset.images, dataset.features
    left = dataset._replace(
        ids=dataset.ids[rows],
        source_splits=dataset.source_splits[rows],
        labels=labels[rows],
        class_names=tuple(dataset.class_names[number] for number in kept),
        attributes=None if dataset.attributes is None else dataset.attributes[kept],
        images=images.at(rows)
        if isinstance(images, LazyImages)
        else None
        if images is None
        else images[rows],
        features=None if features is None else features[rows],
        auxiliary=None if dataset.auxiliary is None else dataset.auxiliary[rows],
        given=None if dataset.given is None else dataset.given.at(rows),
    )
    return left, rows


def name_held_out(axes: Mapping[str, Any], dataset: Dataset) -> dict[str, Any]:
    """Replace `held-out` on the axis `unseen` with the names of the held-out classes, in class order.

    Args:
        axes: axes of a sweep, by name; only `unseen` changes.
        dataset: data set of the sweep.

    Returns:
        The axes.

    Raises:
        InputError: the data set has no held-out class.
    """
    if "unseen" not in axes:
        return dict(axes)
    values = axes["unseen"] if isinstance(axes["unseen"], tuple | list) else (axes["unseen"],)
    if HELD_OUT in values and not dataset.held_out:
        why = "each of its classes is in the training set too" if dataset.auxiliary is not None else ""
        fix = "name some with --config.sweep.unseen"
        if dataset.given is not None:
            why = f"some queries of {dataset.given.where} have classes that are in training too"
            fix = f"correct it, or, if the split is meant to be supervised, --config.sweep.unseen=\"('{NONE}',)\""
        raise InputError(
            f"sweep.unseen: {dataset.name} holds out no class{f', as {why}' if why else ''}; fix: {fix}"
        )
    named = ("+".join(dataset.held_out) if value == HELD_OUT else value for value in values)
    return dict(axes) | {"unseen": tuple(_in_order(value, dataset.class_names) for value in named)}


def _in_order(unseen: Any, class_names: Sequence[str]) -> Any:
    """Sort the names by class index: one set of classes gives the same cells in any order."""
    if not isinstance(unseen, str):
        return unseen  # refused later as a value of the axis
    places = {name: place for place, name in enumerate(class_names)}
    names = [name.strip() for name in unseen.split("+")]
    # An unknown name is refused later, with suggestions.
    return "+".join(sorted(names, key=lambda name: places[name])) if places.keys() >= set(names) else unseen
