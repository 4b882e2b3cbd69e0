"""Replace 0, which stands for all training samples or queries that a data set states, by their number."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.given_roles import whole_training
from zsh_jax.data.given_sides import given_sides
from zsh_jax.data.unseen import parse_unseen
from zsh_jax.errors import InputError

COUNTED = ("training_samples", "queries")


def count_whole(axes: Mapping[str, Any], dataset: Dataset) -> dict[str, Any]:
    """The axes with numbers in place of 0.

    Args:
        axes: of a sweep, by name; sets of unseen classes by their names.
        dataset: whose roles are given; else there is no 0, and nothing changes.

    Returns:
        The axes. With validation classes, all training samples are those that are left whichever classes are drawn, and
        all queries as many as there are, but at most half of what the smallest validation classes have.

    Raises:
        InputError: the number differs between values of another axis, or no roles are given.
    """
    given = dataset.given
    found = {axis: _values(axes[axis]) for axis in (*COUNTED, "validation", "unseen")}
    whole = next((axis for axis in COUNTED if 0 in found[axis]), None)
    if whole and given is None:  # lists of images may state roles, or not
        raise InputError(
            f"sweep.{whole}: 0 stands for all that a data set states, and {dataset.name} states none; fix: use 1 or "
            f"more, --config.sweep.{whole}='(1000,)'"
        )
    if not whole or given is None:
        return dict(axes)
    training, queries = set(), set()
    for unseen in found["unseen"]:
        sides = given_sides(
            dataset.labels, parse_unseen(unseen, dataset.class_names), given, dataset.class_names
        )
        for validation in found["validation"]:
            asked = int(sides.query_candidates.sum())
            training.add(whole_training(given, dataset.labels, len(dataset.class_names), validation))
            queries.add(min(asked, _fewest(dataset, validation) // 2) if validation else asked)
    counted = {"training_samples": training, "queries": queries}
    return dict(axes) | {axis: _filled(axis, found[axis], counts) for axis, counts in counted.items()}


def _values(values: Any) -> tuple[Any, ...]:
    return tuple(values) if isinstance(values, tuple | list) else (values,)


def _fewest(dataset: Dataset, validation: int) -> int:
    """Training samples of the smallest classes, as many classes as are drawn for validation."""
    assert dataset.given is not None
    labels = dataset.labels[dataset.given.training]
    held = labels.sum(axis=0) if labels.ndim == 2 else np.bincount(labels)
    return int(np.sort(held[held > 0])[:validation].sum())


def _filled(axis: str, values: tuple[Any, ...], counts: set[int]) -> tuple[Any, ...]:
    if 0 not in values:
        return values
    if len(counts) > 1:
        raise InputError(
            f"sweep.{axis}: 0, for all, means {min(counts)} to {max(counts)} in this sweep, which needs one number; "
            f"fix: --config.sweep.{axis}='({max(1, min(counts))},)'"
        )
    (count,) = counts
    if count < 1:
        raise InputError(
            f"sweep.{axis}: the validation classes leave no sample; fix: lower --config.sweep.validation"
        )
    return tuple(dict.fromkeys(count if value == 0 else value for value in values))
