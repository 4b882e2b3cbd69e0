"""Two data sets as one: the first to learn from, the second to query and search."""

import re

import numpy as np
from jaxtyping import Bool, Float32, Int, Int32

from zsh_jax.data.dataset import Dataset
from zsh_jax.errors import InputError


def join_datasets(auxiliary: Dataset, searched: Dataset) -> Dataset:
    """Put the samples of two data sets one after the other, over classes common to both.

    Classes are matched by name, whatever the case and whether words are joined by spaces, underscores or hyphens. The
    classes of the searched one come first, by its names; then those that the auxiliary one alone has.

    Args:
        auxiliary: to learn from.
        searched: to query and search.

    Returns:
        One data set without images. Its splits are called `NAME/SPLIT`; its `held_out` classes are those that the
        auxiliary one lacks; labels are class indices if both have such, else multi-hot.

    Raises:
        InputError: two classes of one set have the same name but for case and joints, or features differ in length.
    """
    number_of = {form: number for number, form in enumerate(_forms(searched))}
    names = list(searched.class_names)
    for form, name in zip(_forms(auxiliary), auxiliary.class_names, strict=True):
        if form not in number_of:
            number_of[form] = len(names)
            names.append(name)
    columns = np.array([number_of[form] for form in _forms(auxiliary)])
    return Dataset(
        name=f"{auxiliary.name} to {searched.name}",
        ids=np.concatenate([auxiliary.ids, searched.ids]),
        source_splits=np.array(
            [f"{part.name}/{split}" for part in (auxiliary, searched) for split in part.source_splits]
        ),
        labels=_join_labels(auxiliary.labels, columns, searched.labels, len(names)),
        class_names=tuple(names),
        attributes=_join_attributes(auxiliary, columns, searched, len(names)),
        features=_join_features(auxiliary, searched),
        held_out=tuple(
            name for number, name in enumerate(searched.class_names) if number not in columns.tolist()
        ),
        auxiliary=np.arange(len(auxiliary.ids) + len(searched.ids)) < len(auxiliary.ids),
    )


def shared_classes(dataset: Dataset) -> tuple[str, ...]:
    """Classes with images in both parts of a joined data set: unless they are held out, they are seen in training.

    Args:
        dataset: from `join_datasets`; any other has none.

    Returns:
        Their names.
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
    """Names of classes as they are matched."""
    forms = [" ".join(re.split(r"[\s_-]+", name.casefold().strip(" _-"))) for name in dataset.class_names]
    for number, form in enumerate(forms):
        if form in forms[:number]:
            raise InputError(
                f"{dataset.name}: classes {dataset.class_names[forms.index(form)]!r} and "
                f"{dataset.class_names[number]!r} differ in case and joints alone, so they cannot be matched by name; "
                "rename one"
            )
    return forms


def _join_labels(
    auxiliary: Int[np.ndarray, " n"] | Bool[np.ndarray, "n a"],
    columns: Int[np.ndarray, " a"],
    searched: Int[np.ndarray, " m"] | Bool[np.ndarray, "m s"],
    classes: int,
) -> Int32[np.ndarray, " k"] | Bool[np.ndarray, "k c"]:
    if auxiliary.ndim == searched.ndim == 1:
        return np.concatenate([columns[auxiliary], searched]).astype(np.int32)
    hot = np.zeros((len(auxiliary) + len(searched), classes), bool)
    for labels, places, rows in (
        (auxiliary, columns, np.arange(len(auxiliary))),
        (searched, np.arange(classes), len(auxiliary) + np.arange(len(searched))),
    ):
        if labels.ndim == 1:
            hot[rows, places[labels]] = True
        else:
            hot[np.ix_(rows, places[: labels.shape[1]])] = labels
    return hot


def _join_attributes(
    auxiliary: Dataset, columns: Int[np.ndarray, " a"], searched: Dataset, classes: int
) -> Float32[np.ndarray, "c a"] | None:
    """Where both have the same attributes, as two sets of one kind have."""
    first, second = auxiliary.attributes, searched.attributes
    if first is None or second is None or first.shape[1] != second.shape[1]:
        return None
    out = np.zeros((classes, second.shape[1]), np.float32)
    out[columns] = first
    out[: len(second)] = second
    return out


def _join_features(auxiliary: Dataset, searched: Dataset) -> Float32[np.ndarray, "n d"] | None:
    if auxiliary.features is None or searched.features is None:
        return None
    first, second = auxiliary.features.shape[1], searched.features.shape[1]
    if first != second:
        raise InputError(
            f"features of {auxiliary.name} have {first} values and those of {searched.name} {second}; extract both "
            "with the same network"
        )
    return np.concatenate([auxiliary.features, searched.features])
