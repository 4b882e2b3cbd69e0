"""Some classes of a data set, and which of them are held out: drawn by seed."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Int, Int32

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.pictures import Pictures
from zsh_jax.errors import InputError

HELD_OUT = "held-out"  # in the place of class names: those that the data set says
HELD_OUT_SHARE = 10  # one class of so many is held out, where nothing is said


def draw_classes(
    names: Collection[str], *, classes: int | None, held_out: int | None, seed: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Draw classes, and among them those that are held out.

    A pure function of the set of names and the seed: their order does not matter, and a larger draw of the same seed
    holds the smaller one.

    Args:
        names: of the classes to draw from.
        classes: how many to draw; None for all.
        held_out: how many of these are unseen; None for one in ten, and one at least.
        seed: of the draw, not negative.

    Returns:
        The drawn ones and the held-out ones among them, each sorted.

    Raises:
        InputError: there are not as many, or none would be left to learn from.
    """
    count = len(names) if classes is None else classes
    unseen = max(1, count // HELD_OUT_SHARE) if held_out is None else held_out
    if not 2 <= count <= len(names):
        raise InputError(
            f"dataset.classes: {count} classes cannot be drawn from {len(names)}; take 2 to {len(names)}"
        )
    if not 1 <= unseen < count:
        raise InputError(
            f"dataset.held_out: {unseen} of {count} classes cannot be held out; take 1 to {count - 1}"
        )
    if seed < 0:
        raise InputError(f"dataset.seed must be 0 or more; got {seed}")
    order = np.random.default_rng(np.random.SeedSequence(seed)).permutation(len(names))
    pool = sorted(names)
    drawn = [pool[place] for place in order[:count]]
    return tuple(sorted(drawn)), tuple(sorted(drawn[:unseen]))


def select_classes(dataset: Dataset, names: Sequence[str]) -> Dataset:
    """The samples of some classes of a data set.

    Args:
        dataset: with one class a sample.
        names: of the classes that are kept.

    Returns:
        Only samples of these classes, which keep their order among themselves; classes are numbered anew, in theirs.

    Raises:
        InputError: the data set has several labels a sample.
    """
    if dataset.labels.ndim != 1:
        raise InputError(
            f"dataset.classes: {dataset.name} has several labels a sample, so its classes cannot be drawn; leave it out"
        )
    return keep_classes(dataset, names)[0]


def keep_classes(dataset: Dataset, names: Collection[str]) -> tuple[Dataset, Int[np.ndarray, " k"]]:
    """A data set without some of its classes.

    A sample goes if it shows nothing but classes that go: it would be in the database as something that no query
    wants, though it may show the same as a query. Samples that have no label from the start stay, as they did before.

    Args:
        dataset: with one or several labels a sample.
        names: of the classes that are kept.

    Returns:
        The samples that are left, in their order, with classes numbered anew, in theirs; and their rows.
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
        images=images.at(rows) if isinstance(images, Pictures) else None if images is None else images[rows],
        features=None if features is None else features[rows],
        auxiliary=None if dataset.auxiliary is None else dataset.auxiliary[rows],
    )
    return left, rows


def name_held_out(axes: Mapping[str, Any], dataset: Dataset) -> dict[str, Any]:
    """Put the names of the held-out classes into the axes of a sweep, in the place of `held-out`, all in one order.

    Args:
        axes: by name; what is not of `unseen` stays as it is.
        dataset: that the sweep is on.

    Returns:
        The axes.

    Raises:
        InputError: the data set holds out no class.
    """
    if "unseen" not in axes:
        return dict(axes)
    values = axes["unseen"] if isinstance(axes["unseen"], tuple | list) else (axes["unseen"],)
    if HELD_OUT in values and not dataset.held_out:
        why = (
            "each of its classes is in the data set that is learnt from too"
            if dataset.auxiliary is not None
            else ""
        )
        raise InputError(
            f"sweep.unseen: {dataset.name} holds out no class{f', as {why}' if why else ''}; name some with "
            "--config.sweep.unseen"
        )
    named = ("+".join(dataset.held_out) if value == HELD_OUT else value for value in values)
    return dict(axes) | {"unseen": tuple(_in_order(value, dataset.class_names) for value in named)}


def _in_order(unseen: Any, class_names: Sequence[str]) -> Any:
    """The names in the order of the classes: one set of classes makes the same cells however it is written."""
    if not isinstance(unseen, str):
        return unseen  # which is refused as a value of the axis
    places = {name: place for place, name in enumerate(class_names)}
    names = [name.strip() for name in unseen.split("+")]
    # A name that is unknown is refused later, with the nearest ones.
    return "+".join(sorted(names, key=lambda name: places[name])) if places.keys() >= set(names) else unseen
