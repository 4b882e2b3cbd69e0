"""Convert labels from files to class indices or a boolean matrix."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Int, Int32, Shaped

from zsh_jax.data.blocks import Array
from zsh_jax.data.text import not_utf8
from zsh_jax.errors import InputError


def read_labels(
    parts: Sequence[tuple[str, Array]],
    class_names: tuple[str, ...] | None,
    *,
    matlab: bool,
    first_label: int | None = None,
) -> tuple[Int32[np.ndarray, " n"] | Bool[np.ndarray, "n c"], tuple[str, ...]]:
    """Concatenate labels and name the classes.

    Args:
        parts: source and labels of each part: (n,) whole numbers or strings, or (n, c) zeros and ones.
        class_names: all class names, in the order of the indices, if known; string labels name their own classes.
        matlab: whether whole numbers count from 1 unless a 0 occurs, as in MATLAB; else they count from 0.
        first_label: 0 or 1, the first class number, if the user sets it.

    Returns:
        Labels of all parts, and the class names. One-hot matrices become class indices. Whole numbers without names are
        named after themselves.

    Raises:
        InputError: a label is out of range, not a whole number, or neither 0 nor 1; parts differ in kind; or the
            numbers do not determine which name belongs to which number.
    """
    kinds = {(labels.ndim, labels.dtype.kind in "US", labels.shape[1:]) for _, labels in parts}
    if len(kinds) > 1:
        shapes = ", ".join(f"{where}: {labels.dtype} {labels.shape}" for where, labels in parts)
        raise InputError(f"labels differ in kind ({shapes}); fix: make the files alike")
    if parts[0][1].ndim == 2:
        return _multi_hot(parts, class_names)
    if parts[0][1].dtype.kind in "US":
        return _strings(parts, class_names)
    return _numbers(parts, class_names, matlab, first_label)


def _multi_hot(
    parts: Sequence[tuple[str, Array]], class_names: tuple[str, ...] | None
) -> tuple[Int32[np.ndarray, " n"] | Bool[np.ndarray, "n c"], tuple[str, ...]]:
    for where, labels in parts:
        wrong = np.flatnonzero(~((labels == 0) | (labels == 1)).all(axis=1))
        if wrong.size:
            raise InputError(
                f"{where}: labels of {wrong.size} of {len(labels)} rows are not all 0 or 1 (first: row "
                f"{wrong[0]}); fix: use zeros and ones"
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
    text = np.concatenate([as_text(labels, f"{where}: label") for where, labels in parts])
    names = class_names or tuple(np.unique(text).tolist())
    unknown = sorted(set(text.tolist()) - set(names))
    if unknown:
        raise InputError(
            f"{parts[0][0]}: label {unknown[0]!r} is not one of the {len(names)} class names; fix: correct either file"
        )
    index = {name: number for number, name in enumerate(names)}
    return np.array([index[name] for name in text], np.int32), names


def as_text(values: Array, what: str) -> Shaped[np.ndarray, " n"]:
    """Convert strings, bytes or whole numbers to strings; different values stay different.

    Args:
        values: (n,).
        what: name of the values, for error messages.

    Returns:
        Strings.

    Raises:
        InputError: bytes are not UTF-8, or a number is not whole or too large for its type to represent exactly.
    """
    if values.dtype.kind == "S":
        for row, value in enumerate(values.tolist()):
            try:
                value.decode()
            except UnicodeDecodeError as problem:
                raise InputError(not_utf8(f"{what} of row {row}", value, problem.start)) from problem
        return np.char.decode(values, "utf-8")
    if values.dtype.kind == "f":
        exact = 2 ** min(np.finfo(values.dtype).nmant + 1, 63)
        with np.errstate(invalid="ignore"):  # values that are not finite are found below
            broken = np.flatnonzero(~(np.abs(values) < exact) | (values != np.round(values)))
        if broken.size:
            raise InputError(
                f"{what} of row {broken[0]} is {values[broken[0]]}, and {values.dtype} cannot represent it "
                "exactly; fix: save whole numbers or strings"
            )
        values = values.astype(np.int64)
    return values.astype(np.str_)


def _numbers(
    parts: Sequence[tuple[str, Array]],
    class_names: tuple[str, ...] | None,
    matlab: bool,
    first_label: int | None,
) -> tuple[Int32[np.ndarray, " n"], tuple[str, ...]]:
    for where, labels in parts:
        if labels.dtype.kind == "b":
            raise InputError(
                f"{where}: labels are true or false; fix: save class numbers, or zeros and ones by class"
            )
        with np.errstate(invalid="ignore"):
            broken = np.flatnonzero(~np.isfinite(labels) | (labels != np.round(labels)))
        if broken.size:
            raise InputError(
                f"{where}: {broken.size} of {len(labels)} labels are not whole numbers (first: row {broken[0]}, "
                f"{labels[broken[0]]}); fix: use class numbers"
            )
        outside = np.flatnonzero((labels < 0) | (labels > np.iinfo(np.int32).max))
        if outside.size:
            raise InputError(
                f"{where}: {outside.size} of {len(labels)} labels are out of range (first: row {outside[0]}, label "
                f"{labels[outside[0]]:.0f}); fix: number classes from 0"
            )
    numbers = np.concatenate([labels.astype(np.int64) for _, labels in parts])
    if class_names is None:
        values, indices = np.unique(numbers, return_inverse=True)
        return indices.astype(np.int32), tuple(f"class {value}" for value in values)
    first = _first(parts[0][0], numbers, len(class_names), matlab) if first_label is None else first_label
    for where, labels in parts:
        outside = np.flatnonzero((labels < first) | (labels >= first + len(class_names)))
        if outside.size:
            raise InputError(
                f"{where}: {outside.size} of {len(labels)} labels are out of range (first: row {outside[0]}, label "
                f"{labels[outside[0]]:.0f}); class names exist for classes {first} to {first + len(class_names) - 1}"
            )
    return (numbers - first).astype(np.int32), class_names


def _first(where: str, numbers: Int[np.ndarray, " n"], classes: int, matlab: bool) -> int:
    """The first class number, 0 or 1: the range of the numbers decides, or MATLAB's convention.

    Labels 2 to 5 of six classes can mean classes two to five or three to six. A wrong guess gives every class the name
    and the vector of its neighbour, so ambiguous labels are an error.
    """
    lowest, highest = int(numbers.min()), int(numbers.max())
    if lowest == 0 or highest > classes:
        return 0
    if highest == classes or (matlab and lowest == 1):
        return 1
    raise InputError(
        f"{where}: labels {lowest} to {highest} of {classes} named classes may count from 0 or from 1; fix: set "
        "--config.dataset.first_label=0 or 1"
    )
