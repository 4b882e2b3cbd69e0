"""The split of a data set: train on images of seen classes, retrieve images of unseen classes.

A supervised split, with no unseen class, is the exception: its queries are other images of the seen classes.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Int, Int32

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.draws import QUERY_STREAM, TRAINING_STREAM, draw, draw_of_each_class, of_few_classes
from zsh_jax.data.given_sides import given_sides, given_stand_in
from zsh_jax.data.split_roles import Sides, classes_of, seen_sides, sides_of, stand_in
from zsh_jax.data.unseen import parse_unseen
from zsh_jax.errors import InputError

DATABASES = ("rest", "untrained")


class Split(NamedTuple):
    """Indices into a data set, each array ascending.

    Attributes:
        training: training images, none with an unseen class; they are in the database too, unless auxiliary.
        queries: images of unseen classes; of all classes, if none is unseen.
        database: every image that is neither a query nor auxiliary.
        query_classes: the unseen classes, or the validation classes in their place, or if none is unseen all classes;
            ascending.
    """

    training: Int32[np.ndarray, " t"]
    queries: Int32[np.ndarray, " q"]
    database: Int32[np.ndarray, " n"]
    query_classes: Int32[np.ndarray, " u"]


class SplitRule(NamedTuple):
    """How samples are drawn for a split.

    Attributes:
        of_each_class: whether queries and training samples are the same number of each class.
        database: "rest": every image that is not a query; or "untrained": without the training samples either.
    """

    of_each_class: bool = False
    database: str = "rest"


AT_RANDOM = SplitRule()


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
    rule: SplitRule = AT_RANDOM,
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
        rule: how samples are drawn.

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
        rule=rule,
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
    rule: SplitRule = AT_RANDOM,
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
        rule: as for `zero_shot_split`.

    Returns:
        The split; no training sample is in its database.

    Raises:
        InputError: as for `zero_shot_split`.
    """
    sides = sides_of(labels, unseen)
    if validation:
        sides = stand_in(labels, sides, sides.trainable & ~auxiliary, validation, seed)
    return _split(
        labels,
        _of_two(sides, auxiliary),
        training_samples=training_samples,
        queries=queries,
        seed=seed,
        seen_classes=seen_classes,
        class_names=class_names,
        rule=rule,
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
    rule: SplitRule = AT_RANDOM,
) -> Split:
    """Split a data set: within the roles that it states, if any; else with `auxiliary_split` or `zero_shot_split`.

    Args:
        dataset: labels, class names, and perhaps roles of samples.
        unseen: names of the held-out classes, joined by "+"; or "none", for queries of the seen classes.
        training_samples: as for `zero_shot_split`.
        queries: as for `zero_shot_split`.
        seed: as for `zero_shot_split`.
        seen_classes: as for `zero_shot_split`.
        validation: as for `zero_shot_split`. Where roles are given, validation queries and their database are training
            samples: no sample with another role takes part.
        rule: how samples are drawn.

    Returns:
        The split.

    Raises:
        InputError: as for `parse_unseen`, `given_sides` and `zero_shot_split`; or the split has no unseen class and
            seen or validation classes are drawn.
    """
    names, labels = dataset.class_names, dataset.labels
    classes = parse_unseen(unseen, names)
    sizes: dict[str, Any] = {"training_samples": training_samples, "queries": queries, "seed": seed}
    drawing: dict[str, Any] = {"seen_classes": seen_classes, "class_names": names, "rule": rule}
    for axis, count in (("seen_classes", seen_classes), ("validation", validation)):
        if count and not classes:
            raise InputError(
                f"sweep.{axis}: {count} contradicts sweep.unseen=none, where queries are of the classes in training; "
                f"fix: --config.sweep.{axis}='(0,)'"
            )
    if dataset.given is not None:
        sides = given_sides(labels, classes, dataset.given, names)
        if validation:
            sides = given_stand_in(labels, sides, validation, seed)
        return _split(labels, sides, **sizes, **drawing)
    if not classes:
        sides = seen_sides(labels)
        if dataset.auxiliary is not None:
            sides = _of_two(sides, dataset.auxiliary)
        return _split(labels, sides, **sizes, **drawing)
    if dataset.auxiliary is None:
        return zero_shot_split(labels, classes, validation=validation, **sizes, **drawing)
    return auxiliary_split(labels, classes, dataset.auxiliary, validation=validation, **sizes, **drawing)


def _of_two(sides: Sides, auxiliary: Bool[np.ndarray, " n"]) -> Sides:
    """Training samples of the auxiliary set, queries and database of the other."""
    return sides._replace(
        trainable=sides.trainable & auxiliary,
        query_candidates=sides.query_candidates & ~auxiliary,
        in_database=sides.in_database & ~auxiliary,
    )


def _split(
    labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"],
    sides: Sides,
    *,
    training_samples: int,
    queries: int,
    seed: int,
    seen_classes: int,
    class_names: Sequence[str],
    rule: SplitRule,
) -> Split:
    for axis, count in (("training_samples", training_samples), ("queries", queries)):
        if count < 1:
            raise InputError(f"sweep.{axis} must be 1 or more; got {count}")
    if seed < 0:
        raise InputError(f"sweep.seed must be 0 or more; got {seed}")
    trainable = sides.trainable
    if seen_classes:
        trainable = trainable & of_few_classes(labels, trainable, seen_classes, seed)

    def drawn_from(
        eligible: Bool[np.ndarray, " n"], classes: Int[np.ndarray, " k"], count: int, axis: str, kind: str
    ) -> Int32[np.ndarray, " k"]:
        stream = QUERY_STREAM if axis == "queries" else TRAINING_STREAM
        told: dict[str, Any] = {"seed": seed, "stream": stream, "axis": axis}
        if not rule.of_each_class:
            return draw(eligible, count, **told, kind=kind)
        return draw_of_each_class(labels, eligible, classes, count, **told, class_names=class_names)

    drawn = drawn_from(sides.query_candidates, sides.query_classes, queries, "queries", "unseen")
    left = trainable.copy()
    left[drawn] = False  # of use where no class is unseen
    training = drawn_from(left, classes_of(labels, left), training_samples, "training_samples", "seen")
    rest = sides.in_database.copy()
    rest[drawn] = False
    if rule.database == "untrained":
        rest[training] = False
    database = np.flatnonzero(rest).astype(np.int32)
    _check_relevant(labels, drawn, database, class_names)
    return Split(training, drawn, database, sides.query_classes)


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
