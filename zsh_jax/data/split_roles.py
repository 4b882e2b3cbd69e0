"""The roles of images in a zero-shot split: training, query, database."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int, Int32

from zsh_jax.errors import InputError

VALIDATION_STREAM = 3


class Sides(NamedTuple):
    """Which images are candidates for which role.

    Attributes:
        trainable: candidates for training.
        query_candidates: candidates for queries.
        in_database: database images, unless they are queries.
        query_classes: the classes of the queries; ascending.
    """

    trainable: Bool[np.ndarray, " n"]
    query_candidates: Bool[np.ndarray, " n"]
    in_database: Bool[np.ndarray, " n"]
    query_classes: Int32[np.ndarray, " u"]


def random_stream(seed: int, stream: int) -> np.random.Generator:
    """A random generator for one seed and one purpose.

    Args:
        seed: not negative.
        stream: a number for each purpose.

    Returns:
        A generator that is independent of other streams.
    """
    # A spawn key: tuples of numbers collide for seeds beyond 32 bits.
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(stream,)))


def classes_of(
    labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"], rows: Bool[np.ndarray, " n"]
) -> Int[np.ndarray, " k"]:
    """The classes that occur in some images.

    Args:
        labels: class indices, or multi-hot.
        rows: marks the images.

    Returns:
        Class indices, ascending.
    """
    return np.unique(labels[rows]) if labels.ndim == 1 else np.flatnonzero(labels[rows].any(axis=0))


def stand_in(
    labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"],
    sides: Sides,
    drawn_from: Bool[np.ndarray, " n"],
    count: int,
    seed: int,
) -> Sides:
    """Replace the unseen classes with a few seen ones, and exclude all images of unseen classes.

    Args:
        labels: class indices, or multi-hot.
        sides: roles for the unseen classes.
        drawn_from: marks the images whose classes may be drawn.
        count: number of validation classes.
        seed: of the draw.

    Returns:
        The new roles. An image with a validation class and another seen class is a query candidate, never a training
        sample.

    Raises:
        InputError: no class is left to train on.
    """
    chosen = draw_validation(labels, drawn_from, count, seed)
    wanted = np.isin(np.arange(len(holders_of(labels))), chosen)
    stands_in, clean = has_any(labels, wanted), ~sides.query_candidates
    return Sides(sides.trainable & ~stands_in, stands_in & clean, sides.in_database & clean, chosen)


def draw_validation(
    labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"],
    drawn_from: Bool[np.ndarray, " n"],
    count: int,
    seed: int,
) -> Int32[np.ndarray, " v"]:
    """Draw the seen classes that stand in for the unseen ones.

    Args:
        labels: class indices, or multi-hot.
        drawn_from: marks the images whose classes may be drawn.
        count: number of classes.
        seed: of the draw.

    Returns:
        Class indices, ascending.

    Raises:
        InputError: no class is left to train on.
    """
    pool = classes_of(labels, drawn_from)
    if not 1 <= count < len(pool):
        raise InputError(
            f"{count} validation classes cannot be drawn from {len(pool)} seen ones, since one must be left to train "
            f"on; fix: lower --config.sweep.validation"
        )
    return np.sort(random_stream(seed, VALIDATION_STREAM).permutation(pool)[:count]).astype(np.int32)


def sides_of(labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"], unseen: Sequence[int]) -> Sides:
    """The roles of the protocol for a set of unseen classes.

    Every image is in the database, unless it is a query. Images with an unseen class are query candidates, never
    training data.

    Args:
        labels: class indices, or multi-hot.
        unseen: indices of the held-out classes.

    Returns:
        The roles.

    Raises:
        InputError: labels or classes are invalid.
    """
    held_out = sorted({int(index) for index in unseen})
    if not held_out:
        raise InputError("no class is unseen; fix: hold out at least one with --config.sweep.unseen")
    holders = holders_of(labels)
    classes = len(holders)
    for index in held_out:
        if not 0 <= index < classes:
            raise InputError(
                f"unseen class {index} is out of range: the labels have classes 0 to {classes - 1}"
            )
        if not holders[index]:
            raise InputError(f"unseen class {index} has no image; fix: hold out another")
    is_held_out = np.zeros(classes, bool)
    is_held_out[held_out] = True
    has_unseen, has_seen = has_any(labels, is_held_out), has_any(labels, ~is_held_out)
    if np.count_nonzero(holders) == len(held_out):
        raise InputError(
            f"all {len(held_out)} classes are unseen, so none is left to train on; fix: hold out fewer"
        )
    return Sides(
        trainable=has_seen & ~has_unseen,  # images without a label are not training data
        query_candidates=has_unseen,
        in_database=np.ones(len(labels), bool),
        query_classes=np.array(held_out, np.int32),
    )


def seen_sides(labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"]) -> Sides:
    """The roles of a supervised protocol, with no unseen class.

    Every image with a label is a candidate for training and for queries; whoever draws both keeps them apart.

    Args:
        labels: class indices, or multi-hot.

    Returns:
        The roles; images without a label are in the database only.

    Raises:
        InputError: labels are invalid.
    """
    held = np.flatnonzero(holders_of(labels)).astype(np.int32)
    labelled = has_any(labels, np.ones(len(holders_of(labels)), bool))
    return Sides(labelled, labelled, np.ones(len(labels), bool), held)


def has_any(
    labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"], wanted: Bool[np.ndarray, " c"]
) -> Bool[np.ndarray, " n"]:
    """Whether each image has at least one of the wanted classes."""
    return np.any(labels[:, wanted], axis=1) if labels.ndim == 2 else wanted[labels]


def holders_of(labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"]) -> Int[np.ndarray, " c"]:
    """The number of images of each class.

    Args:
        labels: class indices, or multi-hot.

    Returns:
        One count a class, up to the largest class index.

    Raises:
        InputError: labels are invalid.
    """
    if labels.ndim == 2:
        if labels.dtype != np.bool_:
            raise InputError(
                f"labels of shape {labels.shape} must be a boolean multi-hot matrix, not {labels.dtype}"
            )
        return np.asarray(labels.sum(axis=0))
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise InputError(
            f"labels must be (n,) integers or (n, c) booleans; got {labels.dtype} {labels.shape}"
        )
    negative = np.flatnonzero(labels < 0)
    if negative.size:
        raise InputError(
            f"{negative.size} of {len(labels)} labels are negative (first: row {negative[0]}); fix: leave out "
            "images without a label"
        )
    return np.bincount(labels)
