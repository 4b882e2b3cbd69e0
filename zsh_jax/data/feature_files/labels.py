"""Labels as files have them, brought to what a data set has: class indices, or a boolean matrix."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Int32

from zsh_jax.data.feature_files.arrays import Array
from zsh_jax.errors import InputError


def read_labels(
    parts: Sequence[tuple[str, Array]], class_names: tuple[str, ...] | None, *, from_one: bool
) -> tuple[Int32[np.ndarray, " n"] | Bool[np.ndarray, "n c"], tuple[str, ...]]:
    """Make one array of labels, and name the classes.

    Args:
        parts: where each comes from, and its labels: (n,) whole numbers or strings, or (n, c) zeros and ones.
        class_names: all of them, in the order of the indices, where they are known; a file of strings names its own.
        from_one: whether whole numbers may count from 1, as MATLAB does.

    Returns:
        Labels of all parts, and the names. Rows with exactly one class each become class indices. Whole numbers without
        names are named after themselves.

    Raises:
        InputError: a label is out of range, no whole number, or neither 0 nor 1; or parts differ in kind.
    """
    kinds = {(labels.ndim, labels.dtype.kind in "US", labels.shape[1:]) for _, labels in parts}
    if len(kinds) > 1:
        shapes = ", ".join(f"{where}: {labels.dtype} {labels.shape}" for where, labels in parts)
        raise InputError(f"labels differ in kind ({shapes}); make the files alike")
    if parts[0][1].ndim == 2:
        return _multi_hot(parts, class_names)
    if parts[0][1].dtype.kind in "US":
        return _strings(parts, class_names)
    return _numbers(parts, class_names, from_one)


def _multi_hot(
    parts: Sequence[tuple[str, Array]], class_names: tuple[str, ...] | None
) -> tuple[Int32[np.ndarray, " n"] | Bool[np.ndarray, "n c"], tuple[str, ...]]:
    for where, labels in parts:
        wrong = np.flatnonzero(~((labels == 0) | (labels == 1)).all(axis=1))
        if wrong.size:
            raise InputError(
                f"{where}: labels of {wrong.size} of {len(labels)} rows have other values than 0 and 1 (first: row "
                f"{wrong[0]}); make them zeros and ones"
            )
    hot = np.concatenate([labels for _, labels in parts]).astype(bool)
    names = class_names or tuple(f"class {number}" for number in range(hot.shape[1]))
    if len(names) != hot.shape[1]:
        raise InputError(
            f"{parts[0][0]}: labels have {hot.shape[1]} columns and there are {len(names)} class names"
        )
    if (hot.sum(axis=1) == 1).all():
        return hot.argmax(axis=1).astype(np.int32), names
    return hot, names


def _strings(
    parts: Sequence[tuple[str, Array]], class_names: tuple[str, ...] | None
) -> tuple[Int32[np.ndarray, " n"], tuple[str, ...]]:
    text = np.concatenate(
        [
            labels.astype(np.str_) if labels.dtype.kind == "U" else np.char.decode(labels)
            for _, labels in parts
        ]
    )
    names = class_names or tuple(np.unique(text).tolist())
    unknown = sorted(set(text.tolist()) - set(names))
    if unknown:
        raise InputError(
            f"{parts[0][0]}: label {unknown[0]!r} is none of the {len(names)} class names; mend either"
        )
    index = {name: number for number, name in enumerate(names)}
    return np.array([index[name] for name in text], np.int32), names


def _numbers(
    parts: Sequence[tuple[str, Array]], class_names: tuple[str, ...] | None, from_one: bool
) -> tuple[Int32[np.ndarray, " n"], tuple[str, ...]]:
    for where, labels in parts:
        broken = np.flatnonzero(~np.isfinite(labels) | (labels != np.round(labels)))
        if broken.size:
            raise InputError(
                f"{where}: {broken.size} of {len(labels)} labels are no whole numbers (first: row {broken[0]}, "
                f"{labels[broken[0]]}); make them class numbers"
            )
    numbers = np.concatenate([labels for _, labels in parts]).astype(np.int64)
    if class_names is None:
        values, indices = np.unique(numbers, return_inverse=True)
        return indices.astype(np.int32), tuple(f"class {value}" for value in values)
    first = 1 if from_one and numbers.min() == 1 and numbers.max() == len(class_names) else 0
    for where, labels in parts:
        outside = np.flatnonzero((labels < first) | (labels >= first + len(class_names)))
        if outside.size:
            raise InputError(
                f"{where}: {outside.size} of {len(labels)} labels are out of range (first: row {outside[0]}, label "
                f"{labels[outside[0]]:.0f}); there are names for classes {first} to {first + len(class_names) - 1}"
            )
    return (numbers - first).astype(np.int32), class_names
