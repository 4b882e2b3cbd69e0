"""The zero-shot split: train on images of seen classes, retrieve images of unseen classes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int, Int32

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.split_roles import Sides, classes_of, random_stream, sides_of, stand_in
from zsh_jax.data.unseen import parse_unseen
from zsh_jax.errors import InputError

TRAINING_STREAM, QUERY_STREAM, CLASS_STREAM = 0, 1, 2  # 3 is for validation classes, see `stand_in`
SEEN_QUERY_STREAM = 4


class Split(NamedTuple):
    """Indices into a data set, each array ascending.

    Attributes:
        training: training images, none with an unseen class; they are in the database too, unless auxiliary.
        queries: images of unseen classes.
        database: every image that is neither a query nor auxiliary.
        query_classes: the unseen classes, or the validation classes in their place; ascending.
    """

    training: Int32[np.ndarray, " t"]
    queries: Int32[np.ndarray, " q"]
    database: Int32[np.ndarray, " n"]
    query_classes: Int32[np.ndarray, " u"]


def zero_shot_split(
    labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"],
    unseen: Sequence[int],
    *,
    training_samples: int,
    queries: int,
    seed: int,
    seen_classes: int = 0,
    validation: int = 0,
    class_names: Sequence[str] = (),
) -> Split:
    """Split a data set for one set of held-out classes, after the released evaluation of Yang et al. 2016.

    Training samples are drawn from images whose labels are all seen, queries from images with at least one unseen
    label. An image with both seen and unseen labels is never a training sample. All images that are not queries form
    the database, training samples included (CIFAR-10: 59,000 images).

    Each draw takes a prefix of a random order with its own stream. So the training samples do not depend on the number
    of queries, nor the queries on the number of training samples, and for one seed a larger draw contains a smaller
    one. Indices are then sorted: the arrays depend only on which images were drawn, and rows are gathered in memory
    order.

    Args:
        labels: class indices; or multi-hot rows, if images have several labels.
        unseen: indices of the held-out classes.
        training_samples: number of training samples.
        queries: number of queries.
        seed: of the draws, not negative.
        seen_classes: number of seen classes to train on, drawn too; 0 for all.
        validation: number of seen classes, drawn too, that replace the unseen classes: only they give queries, and
            images of unseen classes are excluded everywhere. 0 for none.
        class_names: class names for error messages; without them, indices are shown.

    Returns:
        The split.

    Raises:
        InputError: a label or class is out of range, a draw is too large, no seen or no unseen class is left, or a
            query has no relevant image in the database.
    """
    sides = sides_of(labels, unseen)
    if validation:
        sides = stand_in(labels, sides, sides.trainable, validation, seed)
    return _split(
        labels,
        sides,
        training_samples=training_samples,
        queries=queries,
        seed=seed,
        seen_classes=seen_classes,
        class_names=class_names,
    )


def auxiliary_split(
    labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"],
    unseen: Sequence[int],
    auxiliary: Bool[np.ndarray, " n"],
    *,
    training_samples: int,
    queries: int,
    seed: int,
    seen_classes: int = 0,
    validation: int = 0,
    class_names: Sequence[str] = (),
) -> Split:
    """Split two joined data sets: train on the auxiliary one, take queries and database from the other.

    Training samples are drawn from auxiliary images whose labels are all seen, queries from the other images with at
    least one unseen label; the database is all images that are neither queries nor auxiliary. The draws are those of
    `zero_shot_split`.

    Args:
        labels: of both, over the union of their classes: class indices or multi-hot rows.
        unseen: indices of the held-out classes.
        auxiliary: marks the auxiliary images.
        training_samples: as for `zero_shot_split`.
        queries: as for `zero_shot_split`.
        seed: as for `zero_shot_split`.
        seen_classes: as for `zero_shot_split`.
        validation: as for `zero_shot_split`.
        class_names: as for `zero_shot_split`.

    Returns:
        The split; no training sample is in its database.

    Raises:
        InputError: as for `zero_shot_split`.
    """
    sides = sides_of(labels, unseen)
    if validation:
        sides = stand_in(labels, sides, sides.trainable & ~auxiliary, validation, seed)
    sides = sides._replace(
        trainable=sides.trainable & auxiliary,
        query_candidates=sides.query_candidates & ~auxiliary,
        in_database=sides.in_database & ~auxiliary,
    )
    return _split(
        labels,
        sides,
        training_samples=training_samples,
        queries=queries,
        seed=seed,
        seen_classes=seen_classes,
        class_names=class_names,
    )


def split_dataset(
    dataset: Dataset,
    unseen: str,
    *,
    training_samples: int,
    queries: int,
    seed: int,
    seen_classes: int = 0,
    validation: int = 0,
) -> Split:
    """Split a data set with `auxiliary_split` if it has auxiliary images, else with `zero_shot_split`.

    Args:
        dataset: labels and class names.
        unseen: names of the held-out classes, joined by "+".
        training_samples: as for `zero_shot_split`.
        queries: as for `zero_shot_split`.
        seed: as for `zero_shot_split`.
        seen_classes: as for `zero_shot_split`.
        validation: as for `zero_shot_split`.

    Returns:
        The split.

    Raises:
        InputError: as for `parse_unseen` and `zero_shot_split`.
    """
    names = dataset.class_names
    classes = parse_unseen(unseen, names)
    sizes = {
        "training_samples": training_samples,
        "queries": queries,
        "seed": seed,
        "seen_classes": seen_classes,
        "validation": validation,
    }
    if dataset.auxiliary is None:
        return zero_shot_split(dataset.labels, classes, class_names=names, **sizes)
    return auxiliary_split(dataset.labels, classes, dataset.auxiliary, class_names=names, **sizes)


def _split(
    labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"],
    sides: Sides,
    *,
    training_samples: int,
    queries: int,
    seed: int,
    seen_classes: int,
    class_names: Sequence[str],
) -> Split:
    for axis, count in (("training_samples", training_samples), ("queries", queries)):
        if count < 1:
            raise InputError(f"sweep.{axis} must be 1 or more; got {count}")
    if seed < 0:
        raise InputError(f"sweep.seed must be 0 or more; got {seed}")
    trainable = sides.trainable
    if seen_classes:
        trainable = trainable & _of_few_classes(labels, trainable, seen_classes, seed)
    training = _draw(trainable, training_samples, seed, TRAINING_STREAM, axis="training_samples", kind="seen")
    drawn = _draw(sides.query_candidates, queries, seed, QUERY_STREAM, axis="queries", kind="unseen")
    rest = sides.in_database.copy()
    rest[drawn] = False
    database = np.flatnonzero(rest).astype(np.int32)
    _check_relevant(labels, drawn, database, class_names)
    return Split(training, drawn, database, sides.query_classes)


def _of_few_classes(
    labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"],
    trainable: Bool[np.ndarray, " n"],
    count: int,
    seed: int,
) -> Bool[np.ndarray, " n"]:
    """Images whose labels all belong to a few drawn seen classes; for one seed, more classes contain fewer."""
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


def _draw(
    eligible: Bool[np.ndarray, " n"], count: int, seed: int, stream: int, *, axis: str, kind: str
) -> Int32[np.ndarray, " k"]:
    pool = np.flatnonzero(eligible)
    if count > len(pool):
        raise InputError(
            f"{count} {axis.replace('_', ' ')} cannot be drawn from {len(pool)} images of {kind} classes; fix: lower "
            f"--config.sweep.{axis}"
        )
    return np.sort(random_stream(seed, stream).permutation(pool)[:count]).astype(np.int32)


def _check_relevant(
    labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"],
    queries: Int32[np.ndarray, " q"],
    database: Int32[np.ndarray, " m"],
    class_names: Sequence[str],
) -> None:
    """A query shares a label with a database image if and only if some database image has one of its labels."""
    if labels.ndim == 2:
        found = (labels[queries] & labels[database].any(axis=0)).any(axis=1)
        classes = np.flatnonzero(labels[queries[~found]].any(axis=0))
    else:
        found = np.isin(labels[queries], labels[database])
        classes = np.unique(labels[queries[~found]])
    if not found.all():
        names = [repr(class_names[int(index)]) if class_names else str(index) for index in classes]
        raise InputError(
            f"{np.count_nonzero(~found)} of {len(queries)} queries have no relevant image in the database: all images "
            f"of class {', '.join(names)} are queries; fix: lower --config.sweep.queries"
        )
