"""Roles of samples that a data set or a split file states, in place of draws over all samples."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int, Shaped

from zsh_jax.errors import InputError

EXAMPLES = 3


class GivenRoles(NamedTuple):
    """The samples that may have each role; draws are made within them.

    Attributes:
        where: the file that states them, for messages.
        training: training samples.
        queries: queries; disjoint from training and database, unless they are drawn from the database.
        database: the database; if queries are drawn from it, it loses them.
        seen_queries: queries of seen classes for the generalised setting; none marked for any of the database.
    """

    where: str
    training: Bool[np.ndarray, " n"]
    queries: Bool[np.ndarray, " n"]
    database: Bool[np.ndarray, " n"]
    seen_queries: Bool[np.ndarray, " n"]

    def at(self, rows: Int[np.ndarray, " k"]) -> "GivenRoles":
        """The roles of some samples."""
        return GivenRoles(self.where, *(marks[rows] for marks in self[1:]))


def check_disjoint(given: GivenRoles, ids: Shaped[np.ndarray, " n"]) -> GivenRoles:
    """Check that no query is a training sample or, unless all queries may be drawn from it, in the database.

    Args:
        given: of a file that lists each role.
        ids: of the samples, for messages.

    Returns:
        The roles.

    Raises:
        InputError: a sample has two roles that exclude each other, or nobody has a role.
    """
    for role, marks in (("training", given.training), ("query", given.queries), ("database", given.database)):
        if not marks.any():
            raise InputError(f"{given.where}: no sample is {role}; fix: list some")
    for one, other, both in (
        ("queries", "training samples", given.queries & given.training),
        ("queries of seen classes", "training samples", given.seen_queries & given.training),
        ("queries", "in the database", given.queries & given.database),
    ):
        if both.any():
            found = ids[both]
            some = ", ".join(map(str, found[:EXAMPLES])) + (", ..." if len(found) > EXAMPLES else "")
            raise InputError(
                f"{given.where}: {len(found)} {one} are {other} too ({some}); fix: list each in one of both"
            )
    return given


def held_out_of(
    given: GivenRoles, labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"], classes: int
) -> tuple[int, ...]:
    """The unseen classes that given roles imply: those of queries, without any training sample.

    Args:
        given: the roles.
        labels: class indices, or multi-hot.
        classes: number of classes.

    Returns:
        Class indices, ascending; none if some query has no such class, since the split is then not a zero-shot one.
    """
    asked, taught = (_holders(labels, marks, classes) > 0 for marks in (given.queries, given.training))
    unseen = asked & ~taught
    has_unseen = labels[given.queries] @ unseen if labels.ndim == 2 else unseen[labels[given.queries]]
    return tuple(np.flatnonzero(unseen).tolist()) if has_unseen.all() else ()


def whole_training(
    given: GivenRoles,
    labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"],
    classes: int,
    validation: int,
) -> int:
    """The number of training samples that is there whichever seen classes are drawn for validation.

    Args:
        given: the roles.
        labels: class indices, or multi-hot.
        classes: number of classes.
        validation: number of validation classes; 0 for none.

    Returns:
        All training samples, less those of the largest `validation` classes; perhaps 0 or less.
    """
    held = np.sort(_holders(labels, given.training, classes))[::-1]
    return int(given.training.sum() - held[:validation].sum())


def _holders(
    labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"], rows: Bool[np.ndarray, " n"], classes: int
) -> Int[np.ndarray, " c"]:
    """The number of samples of each class among some."""
    return labels[rows].sum(axis=0) if labels.ndim == 2 else np.bincount(labels[rows], minlength=classes)
