"""Find the arrays of a file that are features, labels and identifiers."""

from typing import NamedTuple

import numpy as np

from zsh_jax.data.blocks import Array, Blocks, transposed
from zsh_jax.data.feature_files.arrays import Arrays
from zsh_jax.data.feature_files.labels import as_text
from zsh_jax.errors import InputError


class Keys(NamedTuple):
    """Names of arrays in a file; several arrays are concatenated.

    Attributes:
        features: empty for the usual names.
        labels: one for each array of features; empty for the usual names.
        ids: one for each array of features; empty for the usual name, or for numbered rows.
    """

    features: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()


DEFAULT_KEYS = Keys()

# Usual names in the hashing literature. An array in `besides` makes the choice of rows ambiguous.
FEATURES = ("features", "feature", "feat", "fea", "X", "data", "IAll", "XAll", "embedding", "embeddings")
LABELS = ("labels", "label", "gnd", "Y", "y", "LAll", "L")
IDS = ("id", "ids")
PAIRS = (
    (("I_tr", "I_te"), ("L_tr", "L_te"), ("I_db",)),
    (("traindata", "testdata"), ("traingnd", "testgnd"), ()),
    (("X_train", "X_test"), ("y_train", "y_test"), ()),
)


class Part(NamedTuple):
    """One part of a data set: features (n, d), labels (n,) or (n, c), identifiers (n,), and their source."""

    split: str
    where: str
    features: Blocks
    labels: Array
    ids: Array | None


def parts_of(arrays: Arrays, keys: Keys, split: str) -> list[Part]:
    """Read the parts of a file, but not its features.

    Args:
        arrays: arrays of the file.
        keys: names of the arrays to use.
        split: the split of the file.

    Returns:
        One part for each array of features, one sample a row. A single part is of the split of the file, several parts
        have the names of their feature arrays.

    Raises:
        InputError: an array is missing, or the arrays of a part do not match.
    """
    found = _resolve(arrays, keys)
    parts = []
    for number, (features, labels) in enumerate(zip(found.features, found.labels, strict=True)):
        name = split if len(found.features) == 1 else features
        where = f"{arrays.path}, {features}" if len(found.features) > 1 else str(arrays.path)
        values, classes = _oriented(arrays.blocks(features), arrays.read(labels), where)
        ids = _identifiers(arrays.read(found.ids[number]), values.shape[0], where) if found.ids else None
        parts.append(Part(name, where, values, classes, ids))
    return parts


def _resolve(arrays: Arrays, keys: Keys) -> Keys:
    there = f"it has {', '.join(arrays.names) or 'no array'}"
    hint = "name them with --config.dataset.arrays.features, .labels and .ids"
    for name in (*keys.features, *keys.labels, *keys.ids):
        if name not in arrays.names:
            raise InputError(f"{arrays.path} has no array {name!r}; {there}")
    if bool(keys.features) != bool(keys.labels) or len(keys.features) != len(keys.labels):
        raise InputError(
            f"dataset.arrays: {len(keys.features)} arrays of features, {len(keys.labels)} of labels; fix: name as many"
        )
    if keys.ids and len(keys.ids) != len(keys.features):
        raise InputError(
            f"dataset.arrays: {len(keys.features)} arrays of features, {len(keys.ids)} of ids; fix: name as many"
        )
    if keys.features:
        return keys
    for features, labels, besides in PAIRS:
        if set(features + labels) <= set(arrays.names):
            unclear = [name for name in besides if name in arrays.names]
            if unclear:
                raise InputError(
                    f"{arrays.path} has {', '.join(unclear)} beside {', '.join(features)}, and it is unclear whether "
                    f"they belong to the same rows; fix: {hint}"
                )
            return Keys(features, labels)
    chosen = [
        next((name for name in usual if name in arrays.names), None) for usual in (FEATURES, LABELS, IDS)
    ]
    if chosen[0] is None or chosen[1] is None:
        lacks = "features" if chosen[0] is None else "labels"
        if len(arrays.names) < 2:  # no name would help
            hint = f"give the file of {lacks} too, --config.dataset.path=\"('{arrays.path}', 'FILE')\""
        raise InputError(f"{arrays.path} lacks an array with a usual name for {lacks}; {there}; fix: {hint}")
    return Keys((chosen[0],), (chosen[1],), (chosen[2],) if chosen[2] else ())


def check_matrix(features: Blocks, where: str) -> None:
    """Check that features are a matrix of real numbers.

    Args:
        features: not read yet.
        where: their source, for the message.

    Raises:
        InputError: they are not.
    """
    if len(features.shape) != 2 or features.dtype.kind not in "fiu" or 0 in features.shape:
        raise InputError(
            f"{where}: features must be (n, d) real numbers; got {features.dtype} {features.shape}"
        )


def _oriented(features: Blocks, labels: Array, where: str) -> tuple[Blocks, Array]:
    """Transpose features so that rows are samples; flatten a matrix of one row or column to a vector."""
    check_matrix(features, where)
    if labels.ndim == 2 and 1 in labels.shape:
        labels = labels.ravel()
    if labels.ndim not in (1, 2) or labels.dtype.kind not in "biufUS":
        raise InputError(
            f"{where}: labels must be (n,) classes or (n, c) zeros and ones; got {labels.dtype} {labels.shape}"
        )
    for values in (features, transposed(features)):
        for classes in (labels, labels.T) if labels.ndim == 2 else (labels,):
            if values.shape[0] == len(classes):
                return values, classes
    raise InputError(
        f"{where}: features of shape {features.shape} and labels of shape {labels.shape} have no number of samples in "
        "common; fix: make the file again"
    )


def _identifiers(ids: Array, samples: int, where: str) -> Array:
    flat = ids.ravel() if 1 in ids.shape else ids
    if flat.ndim != 1 or flat.dtype.kind not in "SUiuf":
        raise InputError(f"{where}: ids must be (n,) strings or whole numbers; got {ids.dtype} {ids.shape}")
    if len(flat) != samples:
        raise InputError(f"{where}: {len(flat)} ids and {samples} rows of features; fix: make the file again")
    text = as_text(flat, f"{where}: id")
    check_unique(text, where)
    return text


def check_unique(ids: Array, where: str) -> None:
    """Check that no identifier occurs twice.

    Args:
        ids: (n,).
        where: their source, for the message.

    Raises:
        InputError: one does.
    """
    values, counts = np.unique(ids, return_counts=True)
    if (counts > 1).any():
        raise InputError(
            f"{where}: {np.count_nonzero(counts > 1)} ids occur more than once (first: "
            f"{values[counts > 1][0]}); fix: make them unique"
        )
