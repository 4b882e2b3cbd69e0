"""Draw samples of a split: prefixes of random orders, each with a stream of its own."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Int, Int32

from zsh_jax.data.split_roles import classes_of, random_stream
from zsh_jax.errors import InputError

TRAINING_STREAM, QUERY_STREAM, CLASS_STREAM = 0, 1, 2  # 3 is for validation classes, see `stand_in`
SEEN_QUERY_STREAM = 4


def draw(
    eligible: Bool[np.ndarray, " n"], count: int, *, seed: int, stream: int, axis: str, kind: str
) -> Int32[np.ndarray, " k"]:
    """Draw samples among all that are eligible.

    Args:
        eligible: marks the candidates.
        count: number to draw.
        seed: of the split.
        stream: of the purpose.
        axis: of the count, for messages.
        kind: of the candidates' classes, for messages.

    Returns:
        Indices, ascending. For one seed a larger draw contains a smaller one.

    Raises:
        InputError: there are too few candidates.
    """
    pool = np.flatnonzero(eligible)
    if count > len(pool):
        raise InputError(
            f"{count} {axis.replace('_', ' ')} cannot be drawn from {len(pool)} images of {kind} classes; fix: lower "
            f"--config.sweep.{axis}"
        )
    return np.sort(random_stream(seed, stream).permutation(pool)[:count]).astype(np.int32)


def draw_of_each_class(
    labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"],
    eligible: Bool[np.ndarray, " n"],
    classes: Int[np.ndarray, " k"],
    count: int,
    *,
    seed: int,
    stream: int,
    axis: str,
    class_names: Sequence[str],
) -> Int32[np.ndarray, " q"]:
    """Draw the same number of samples of each class, as deep hashing does (Li et al. 2016, DPSH).

    Classes draw in turn, in their order. A sample with several labels is drawn once: for the first class that draws it.

    Args:
        labels: class indices, or multi-hot.
        eligible: marks the candidates.
        classes: to draw from, ascending.
        count: number to draw, a multiple of the number of classes.
        seed: of the split.
        stream: of the purpose.
        axis: of the count, for messages.
        class_names: for messages; without them, indices are shown.

    Returns:
        Indices, ascending.

    Raises:
        InputError: the count is not such a multiple, or a class has too few candidates.
    """
    if not len(classes):
        raise InputError(
            f"{count} {axis.replace('_', ' ')} cannot be drawn: no image is left; fix: lower --config.sweep.queries"
        )
    share, rest = divmod(count, len(classes))
    if rest or not share:
        raise InputError(
            f"sweep.{axis}: {count} do not divide evenly among {len(classes)} classes; fix: use a multiple of "
            f"{len(classes)}, or --config.split.of_each_class=False"
        )
    order = random_stream(seed, stream).permutation(len(eligible))
    left = eligible.copy()
    for index in classes:
        holds = labels[:, index] if labels.ndim == 2 else labels == index
        pool = order[(left & holds)[order]]
        if len(pool) < share:
            name = repr(class_names[int(index)]) if class_names else str(index)
            raise InputError(
                f"sweep.{axis}: {share} of each class cannot be drawn: {len(pool)} images of class {name} are left; "
                f"fix: lower --config.sweep.{axis}"
            )
        left[pool[:share]] = False
    return np.flatnonzero(eligible & ~left).astype(np.int32)


def of_few_classes(
    labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"],
    trainable: Bool[np.ndarray, " n"],
    count: int,
    seed: int,
) -> Bool[np.ndarray, " n"]:
    """Images whose labels all belong to a few drawn seen classes; for one seed, more classes contain fewer.

    Args:
        labels: class indices, or multi-hot.
        trainable: marks the images whose classes may be drawn.
        count: number of classes.
        seed: of the split.

    Returns:
        Marks of all images with these classes alone.

    Raises:
        InputError: there are too few classes.
    """
    pool = classes_of(labels, trainable)
    if not 1 <= count <= len(pool):
        raise InputError(
            f"{count} seen classes cannot be drawn from {len(pool)}; fix: lower --config.sweep.seen_classes"
        )
    chosen = random_stream(seed, CLASS_STREAM).permutation(pool)[:count]
    if labels.ndim == 1:
        return np.isin(labels, chosen)
    others = np.ones(labels.shape[1], bool)
    others[chosen] = False
    return ~np.any(labels[:, others], axis=1)
