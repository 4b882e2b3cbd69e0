"""Join two data sets: train on the first, take queries and database from the second."""

import re

import numpy as np
from jaxtyping import Bool, Float32, Int, Int32

from zsh_jax.data.dataset import Dataset
from zsh_jax.errors import InputError


def join_datasets(auxiliary: Dataset, target: Dataset) -> Dataset:
    """Concatenate two data sets over the union of their classes.

    Classes are matched by name; case, spaces, underscores and hyphens are ignored. The classes of `target` come
    first, under its names, then the classes that only `auxiliary` has.

    Args:
        auxiliary: the data set to train on.
        target: the data set that gives queries and database.

    Returns:
        One data set without images. Its splits are named `NAME/SPLIT`. Its `held_out` classes are those that
        `auxiliary` lacks. Labels are class indices if both sets have class indices, else multi-hot.

    Raises:
        InputError: two class names of one set differ only in case or separators, or feature lengths differ.
    """
    number_of = {form: number for number, form in enumerate(_forms(target))}
    names = list(target.class_names)
    for form, name in zip(_forms(auxiliary), auxiliary.class_names, strict=True):
        if form not in number_of:
            number_of[form] = len(names)
            names.append(name)
    columns = np.array([number_of[form] for form in _forms(auxiliary)])
    return Dataset(
        name=f"{auxiliary.name} to {target.name}",
        ids=np.concatenate([auxiliary.ids, target.ids]),
        source_splits=np.array(
            [f"{part.name}/{split}" for part in (auxiliary, target) for split in part.source_splits]
        ),
        labels=_join_labels(auxiliary.labels, columns, target.labels, len(names)),
        class_names=tuple(names),
        attributes=_join_attributes(auxiliary, columns, target, len(names)),
        features=_join_features(auxiliary, target),
        held_out=tuple(
            name for number, name in enumerate(target.class_names) if number not in columns.tolist()
        ),
        auxiliary=np.arange(len(auxiliary.ids) + len(target.ids)) < len(auxiliary.ids),
    )


def shared_classes(dataset: Dataset) -> tuple[str, ...]:
    """Classes with images in both parts of a joined data set: they are seen in training unless they are held out.

    Args:
        dataset: the result of `join_datasets`; the result is empty for any other data set.

    Returns:
        The class names.
    """
    if dataset.auxiliary is None:
        return ()
    classes = len(dataset.class_names)
    both = _holds(dataset.labels[dataset.auxiliary], classes) & _holds(
        dataset.labels[~dataset.auxiliary], classes
    )
    return tuple(dataset.class_names[number] for number in np.flatnonzero(both))


def _holds(labels: Int[np.ndarray, " n"] | Bool[np.ndarray, "n c"], classes: int) -> Bool[np.ndarray, " c"]:
    if labels.ndim == 1:
        return np.bincount(labels, minlength=classes) > 0
    return np.asarray(labels.any(axis=0))


def _forms(dataset: Dataset) -> list[str]:
    """Class names in the normal form used for matching."""
    forms = [" ".join(re.split(r"[\s_-]+", name.casefold().strip(" _-"))) for name in dataset.class_names]
    for number, form in enumerate(forms):
        if form in forms[:number]:
            raise InputError(
                f"{dataset.name}: classes {dataset.class_names[forms.index(form)]!r} and "
                f"{dataset.class_names[number]!r} differ only in case or separators, so matching by name is ambiguous; "
                "fix: rename one"
            )
    return forms


def _join_labels(
    auxiliary: Int[np.ndarray, " n"] | Bool[np.ndarray, "n a"],
    columns: Int[np.ndarray, " a"],
    target: Int[np.ndarray, " m"] | Bool[np.ndarray, "m s"],
    classes: int,
) -> Int32[np.ndarray, " k"] | Bool[np.ndarray, "k c"]:
    if auxiliary.ndim == target.ndim == 1:
        return np.concatenate([columns[auxiliary], target]).astype(np.int32)
    hot = np.zeros((len(auxiliary) + len(target), classes), bool)
    for labels, places, rows in (
        (auxiliary, columns, np.arange(len(auxiliary))),
        (target, np.arange(classes), len(auxiliary) + np.arange(len(target))),
    ):
        if labels.ndim == 1:
            hot[rows, places[labels]] = True
        else:
            hot[np.ix_(rows, places[: labels.shape[1]])] = labels
    return hot


def _join_attributes(
    auxiliary: Dataset, columns: Int[np.ndarray, " a"], target: Dataset, classes: int
) -> Float32[np.ndarray, "c a"] | None:
    """Attributes of all classes, if both data sets have attributes of the same length."""
    first, second = auxiliary.attributes, target.attributes
    if first is None or second is None or first.shape[1] != second.shape[1]:
        return None
    out = np.zeros((classes, second.shape[1]), np.float32)
    out[columns] = first
    out[: len(second)] = second
    return out


def _join_features(auxiliary: Dataset, target: Dataset) -> Float32[np.ndarray, "n d"] | None:
    if auxiliary.features is None or target.features is None:
        return None
    first, second = auxiliary.features.shape[1], target.features.shape[1]
    if first != second:
        raise InputError(
            f"features of {auxiliary.name} have {first} values, features of {target.name} have {second}; fix: "
            "extract both with the same network"
        )
    return np.concatenate([auxiliary.features, target.features])
