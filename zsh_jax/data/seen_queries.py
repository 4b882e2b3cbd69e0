"""Draw queries of seen classes, for the generalised setting with one database for seen and unseen queries."""

import numpy as np
from jaxtyping import Int32

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.draws import SEEN_QUERY_STREAM
from zsh_jax.data.split import Split
from zsh_jax.data.split_roles import random_stream
from zsh_jax.data.unseen import parse_unseen
from zsh_jax.errors import InputError


def draw_seen_queries(
    dataset: Dataset, split: Split, unseen: str, *, count: int, seed: int
) -> Int32[np.ndarray, " k"]:
    """Draw queries of seen classes from the database of a split; they stay in the database.

    Candidates are database images that are not training samples, have no unseen label, have a label of some training
    sample, and share a label with another database image (each query searches the database without itself). A data
    set that states queries of seen classes gives these alone, except to validation classes. The draw takes a
    prefix of a random order with its own stream, so for one seed a larger draw contains a smaller one.

    Args:
        dataset: labels and class names.
        split: of the data set.
        unseen: names of its held-out classes, joined by "+".
        count: number of queries; 0 draws none.
        seed: of the split.

    Returns:
        Indices of samples, ascending.

    Raises:
        InputError: there are not enough candidates.
    """
    if not count:
        return np.zeros(0, np.int32)
    labels = dataset.labels
    classes = len(dataset.class_names)
    unseen_classes = parse_unseen(unseen, dataset.class_names)
    validates = not set(unseen_classes) & set(split.query_classes.tolist())
    if not unseen_classes:
        raise InputError(
            f"evaluation.seen_queries: {count} contradict sweep.unseen=none, where all queries are of seen classes; "
            "fix: --config.evaluation.seen_queries=0"
        )
    held_out = np.isin(np.arange(classes), [*split.query_classes, *unseen_classes])
    if labels.ndim == 2:
        learnt = labels[split.training].any(axis=0)
        several = labels[split.database].sum(axis=0) > 1
        of_learnt, of_several, of_unseen = (labels @ some for some in (learnt, several, held_out))
    else:
        learnt = np.bincount(labels[split.training], minlength=classes) > 0
        several = np.bincount(labels[split.database], minlength=classes) > 1
        of_learnt, of_several, of_unseen = learnt[labels], several[labels], held_out[labels]
    eligible = np.zeros(len(labels), bool)
    eligible[split.database] = True
    eligible[split.training] = False
    if dataset.given is not None and not validates and dataset.given.seen_queries.any():
        eligible &= dataset.given.seen_queries
    pool = np.flatnonzero(eligible & of_learnt & of_several & ~of_unseen)
    if count > len(pool):
        raise InputError(
            f"{count} seen queries cannot be drawn from {len(pool)} images of seen classes in the database but "
            "not in training; fix: lower --config.evaluation.seen_queries"
        )
    return np.sort(random_stream(seed, SEEN_QUERY_STREAM).permutation(pool)[:count]).astype(np.int32)
