"""The roles of images in a split whose roles are given by the data set or by a split file."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Int

from zsh_jax.data.given_roles import GivenRoles
from zsh_jax.data.split_roles import Sides, classes_of, draw_validation, has_any, holders_of
from zsh_jax.errors import InputError


def given_sides(
    labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"],
    unseen: Sequence[int],
    given: GivenRoles,
    class_names: Sequence[str],
) -> Sides:
    """The roles of a protocol that states them.

    Args:
        labels: class indices, or multi-hot.
        unseen: indices of the held-out classes; none for queries of seen classes.
        given: the roles.
        class_names: for messages.

    Returns:
        The roles. If some of the given queries have none of the unseen classes, they are no candidates.

    Raises:
        InputError: an unseen class has a training sample or no query; or no class is unseen, and a training sample has
            no label or a query no class that is in training.
    """
    holders_of(labels)  # checks them
    held_out = np.isin(np.arange(len(class_names)), unseen)
    taught = np.isin(np.arange(len(class_names)), classes_of(labels, given.training))
    if not unseen:
        _check_supervised(labels, given, taught)
        return Sides(given.training, given.queries, given.database, _indices(labels, given.queries))
    leaked = np.flatnonzero(held_out & taught)
    if leaked.size:
        of_it = np.count_nonzero(given.training & has_any(labels, held_out))
        raise InputError(
            f"sweep.unseen: {_named(leaked, class_names)} is unseen, but {of_it} training samples of {given.where} "
            "have such a class; fix: hold out classes without training samples, or, if the split is meant to be "
            "supervised, --config.sweep.unseen=\"('none',)\""
        )
    asked = given.queries & has_any(labels, held_out)
    unasked = np.setdiff1d(np.flatnonzero(held_out), classes_of(labels, asked))
    if unasked.size:
        raise InputError(
            f"sweep.unseen: {given.where} lists no query of class {_named(unasked, class_names)}; fix: hold out others"
        )
    return Sides(given.training, asked, given.database, np.flatnonzero(held_out).astype(np.int32))


def given_stand_in(
    labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"], sides: Sides, count: int, seed: int
) -> Sides:
    """Replace the unseen classes with a few seen ones; queries and database are then training samples too.

    Args:
        labels: class indices, or multi-hot.
        sides: from `given_sides`.
        count: number of validation classes.
        seed: of the draw.

    Returns:
        The new roles: given queries and database images outside the training samples take no part.

    Raises:
        InputError: no class is left to train on.
    """
    chosen = draw_validation(labels, sides.trainable, count, seed)
    wanted = np.isin(np.arange(len(holders_of(labels))), chosen)
    stands_in = has_any(labels, wanted)
    return Sides(sides.trainable & ~stands_in, sides.trainable & stands_in, sides.trainable, chosen)


def _check_supervised(
    labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"], given: GivenRoles, taught: Bool[np.ndarray, " c"]
) -> None:
    if labels.ndim == 2:
        bare = np.count_nonzero(given.training & ~labels.any(axis=1))
        if bare:
            raise InputError(f"{given.where}: {bare} training samples have no label; fix: leave them out")
    strange = np.count_nonzero(given.queries & ~has_any(labels, taught))
    if strange:
        raise InputError(
            f"{given.where}: {strange} queries have no class that is in training, so sweep.unseen=none is wrong; fix: "
            "--config.sweep.unseen=\"('held-out',)\" if every query is of an unseen class, else leave the others out"
        )


def _indices(
    labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"], rows: Bool[np.ndarray, " n"]
) -> Int[np.ndarray, " k"]:
    return classes_of(labels, rows).astype(np.int32)


def _named(classes: Int[np.ndarray, " k"], class_names: Sequence[str]) -> str:
    shown = ", ".join(repr(class_names[index]) for index in classes[:3])
    return shown + (f" and {len(classes) - 3} others" if len(classes) > 3 else "")
