"""Join files that hold one kind of array each, such as features in one file and labels in another."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from zsh_jax.data.blocks import Array, Blocks
from zsh_jax.data.feature_files.arrays import Arrays, open_arrays
from zsh_jax.data.feature_files.files import File
from zsh_jax.data.feature_files.parts import FEATURES, IDS, LABELS, PAIRS, Keys
from zsh_jax.errors import InputError

KINDS = ("features", "labels", "ids")


class Opened(NamedTuple):
    """The arrays of one or several files, their split, and the file of the features."""

    arrays: Arrays
    file: File


def open_joined(files: Sequence[File], keys: Keys) -> list[Opened]:
    """Open files; those without features or labels of their own are joined, the first of each kind, the second, ...

    Args:
        files: one or more, in their order.
        keys: names of the arrays to use.

    Returns:
        One entry for each file of features, if every file holds one kind of arrays; else one for each file.

    Raises:
        InputError: a file is damaged, or there are not as many files of labels, and of identifiers, as of features.
    """
    opened = [Opened(open_arrays(file.path), file) for file in files]
    if len(files) == 1 or all({"features", "labels"} <= _kinds(one.arrays, keys) for one in opened):
        return opened
    alone = [one._replace(arrays=_alone(one.arrays, keys)) for one in opened]
    kinds = [_kinds(one.arrays, keys) for one in alone]
    if any({"features", "labels"} <= kind or not kind for kind in kinds):
        return opened  # and the file that lacks an array is named later
    found: dict[str, list[Opened]] = {kind: [] for kind in KINDS}
    for one, kind in zip(alone, kinds, strict=True):
        found["features" if "features" in kind else "labels" if "labels" in kind else "ids"].append(one)
    counts = {kind: len(those) for kind, those in found.items()}
    if counts["labels"] != counts["features"] or counts["ids"] not in (0, counts["features"]):
        raise InputError(
            f"dataset.path: {counts['features']} files of features, {counts['labels']} of labels and {counts['ids']} "
            "of ids; fix: give as many of each, in the same order"
        )
    ids: list[Opened | None] = [*found["ids"]] or [None] * counts["features"]
    return [_join(*parts) for parts in zip(found["features"], found["labels"], ids, strict=True)]


def _kinds(arrays: Arrays, keys: Keys) -> set[str]:
    """What the arrays of a file are, by the names that the user gives or by usual names."""
    usual = Keys(
        keys.features or FEATURES + tuple(name for pair in PAIRS for name in pair[0]),
        keys.labels or LABELS + tuple(name for pair in PAIRS for name in pair[1]),
        keys.ids or IDS,
    )
    return {kind for kind, names in usual._asdict().items() if set(names) & set(arrays.names)}


def _alone(arrays: Arrays, keys: Keys) -> Arrays:
    """A file of one array under a name that tells its kind: an `.npy` file, or an array of another name.

    A matrix is features; a vector is labels, or identifiers if the file is called so.
    """
    single = arrays.path.suffix.lower() == ".npy"
    if not single and (len(arrays.names) != 1 or _kinds(arrays, keys)):
        return arrays
    own = arrays.names[0]
    named = Keys(keys.features or ("features",), keys.labels or ("labels",), keys.ids or ("id",))
    if sum(side > 1 for side in arrays.blocks(own).shape) > 1:
        name = named.features[0]
    else:
        name = (named.ids if set(re.split("[-_.]", arrays.path.stem)) & set(IDS) else named.labels)[0]
    return arrays._replace(
        names=(name,), read=lambda _: arrays.read(own), blocks=lambda _: arrays.blocks(own)
    )


def _join(features: Opened, labels: Opened, ids: Opened | None) -> Opened:
    """One set of arrays; names of the first are kept."""
    parts = [one.arrays for one in (features, labels, ids) if one is not None]
    owner = {name: arrays for arrays in reversed(parts) for name in arrays.names}

    def read(name: str) -> Array:
        return owner[name].read(name)

    def blocks(name: str) -> Blocks:
        return owner[name].blocks(name)

    whole = Arrays(features.arrays.path, tuple(owner), read, blocks, labels.arrays.matlab)
    return Opened(whole, features.file)
