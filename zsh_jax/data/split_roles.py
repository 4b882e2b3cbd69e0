"""Who may be what in a zero-shot split: learnt from, asked with, searched."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int, Int32

from zsh_jax.errors import InputError

VALIDATION_STREAM = 3


class Sides(NamedTuple):
    """Which images may be what.

    Attributes:
        trainable: may be learnt from.
        may_ask: may be queries.
        searched: are in the database, unless they are queries.
        asked: the classes that are retrieved; ascending.
    """

    trainable: Bool[np.ndarray, " n"]
    may_ask: Bool[np.ndarray, " n"]
    searched: Bool[np.ndarray, " n"]
    asked: Int32[np.ndarray, " u"]


def random_stream(seed: int, stream: int) -> np.random.Generator:
    """Random numbers of one seed for one purpose.

    Args:
        seed: not negative.
        stream: a number for each purpose.

    Returns:
        A generator that is independent of those of other streams.
    """
    # A spawn key, not a tuple of numbers: the latter runs together for seeds beyond 32 bits.
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(stream,)))


def classes_of(
    labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"], rows: Bool[np.ndarray, " n"]
) -> Int[np.ndarray, " k"]:
    """The classes that some images have.

    Args:
        labels: class indices, or multi-hot.
        rows: marks the images.

    Returns:
        Class indices, ascending.
    """
    return np.unique(labels[rows]) if labels.ndim == 1 else np.flatnonzero(labels[rows].any(axis=0))


def _has_any(
    labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"], classes: Int[np.ndarray, " k"]
) -> Bool[np.ndarray, " n"]:
    return np.isin(labels, classes) if labels.ndim == 1 else np.any(labels[:, classes], axis=1)


def stand_in(
    labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"],
    sides: Sides,
    drawn_from: Bool[np.ndarray, " n"],
    count: int,
    seed: int,
) -> Sides:
    """A few seen classes in the place of the unseen ones, whose images are left out of everything.

    Args:
        labels: class indices, or multi-hot.
        sides: of the unseen classes.
        drawn_from: marks the images whose classes may stand in.
        count: how many do.
        seed: of the draw.

    Returns:
        Who may be what now; an image with both a class that stands in and another seen one asks, and does not train.

    Raises:
        InputError: if no class would be left to learn from.
    """
    pool = classes_of(labels, drawn_from)
    if not 1 <= count < len(pool):
        raise InputError(
            f"{count} validation classes cannot be drawn from {len(pool)} seen ones with one left to learn from; lower "
            f"--config.sweep.validation"
        )
    chosen = np.sort(random_stream(seed, VALIDATION_STREAM).permutation(pool)[:count]).astype(np.int32)
    stands_in, clean = _has_any(labels, chosen), ~sides.may_ask
    return Sides(sides.trainable & ~stands_in, stands_in & clean, sides.searched & clean, chosen)


def sides_of(labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"], unseen: Sequence[int]) -> Sides:
    """Those of the protocol: everyone is searched, who has an unseen class may ask, and nobody of these trains.

    Args:
        labels: class indices, or multi-hot.
        unseen: indices of the held-out classes.

    Returns:
        Who may be what.

    Raises:
        InputError: if labels or classes cannot be so.
    """
    held_out = sorted({int(index) for index in unseen})
    if not held_out:
        raise InputError("no class is unseen; hold out at least one with --config.sweep.unseen")
    if labels.ndim == 2:
        if labels.dtype != np.bool_:
            raise InputError(
                f"labels of shape {labels.shape} must be a boolean multi-hot matrix, not {labels.dtype}"
            )
        classes, holders = labels.shape[1], labels.sum(axis=0)
    else:
        if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
            raise InputError(
                f"labels must be (n,) integers or (n, c) booleans; got {labels.dtype} {labels.shape}"
            )
        negative = np.flatnonzero(labels < 0)
        if negative.size:
            raise InputError(
                f"{negative.size} of {len(labels)} labels are negative (first: row {negative[0]}); leave out "
                "images without a label"
            )
        holders = np.bincount(labels)
        classes = len(holders)
    for index in held_out:
        if not 0 <= index < classes:
            raise InputError(
                f"unseen class {index} is out of range: the labels have classes 0 to {classes - 1}"
            )
        if not holders[index]:
            raise InputError(f"unseen class {index} has no image; hold out another")
    is_held_out = np.zeros(classes, bool)
    is_held_out[held_out] = True
    if labels.ndim == 2:
        has_unseen, has_seen = np.any(labels[:, is_held_out], axis=1), np.any(labels[:, ~is_held_out], axis=1)
    else:
        has_unseen, has_seen = is_held_out[labels], ~is_held_out[labels]
    if np.count_nonzero(holders) == len(held_out):
        raise InputError(
            f"all {len(held_out)} classes are unseen, none is left to learn from; hold out fewer"
        )
    return Sides(
        trainable=has_seen & ~has_unseen,  # an image without any label teaches nothing
        may_ask=has_unseen,
        searched=np.ones(len(labels), bool),
        asked=np.array(held_out, np.int32),
    )
