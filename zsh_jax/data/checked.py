"""Checks that every data set must pass before anything is computed from it."""

import numpy as np

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.text import unseen_letter
from zsh_jax.errors import InputError


def checked(dataset: Dataset, place: str = "") -> Dataset:
    """Check labels and class names.

    Args:
        dataset: as a loader returned it.
        place: its path, for error messages.

    Returns:
        The data set; `+` in a class name becomes a space, because `+` joins names on the axis of unseen classes.

    Raises:
        InputError: a class name is empty, repeated or not printable, or a label has no class.
    """
    names = tuple(name.replace("+", " ").strip() for name in dataset.class_names)
    where = f"{dataset.name} in {place}" if place else dataset.name
    first: dict[str, str] = {}
    for name, given in zip(names, dataset.class_names, strict=True):
        hidden = unseen_letter(name)
        if hidden or not name:
            what = f"holds {hidden}" if hidden else "is empty"
            raise InputError(f"{where}: the name of class {given!r} {what}; fix: rename it")
        if name in first:
            raise InputError(
                f"{where}: classes {first[name]!r} and {given!r} are both called {name!r}; fix: rename one"
            )
        first[name] = given
    if not len(dataset.ids) == len(dataset.labels) == len(dataset.source_splits):
        raise InputError(f"{where}: {len(dataset.ids)} ids, {len(dataset.labels)} labels; fix: make it again")
    if dataset.labels.ndim == 1:
        outside = np.flatnonzero((dataset.labels < 0) | (dataset.labels >= len(names)))
        if outside.size:
            raise InputError(
                f"{where}: label {dataset.labels[outside[0]]} of row {outside[0]} is not one of {len(names)} "
                "classes; fix: prepare the data set again"
            )
    return dataset._replace(name=_shown(dataset.name), class_names=names)


def _shown(name: str) -> str:
    """A printable form of a name that comes from a file name, which may not be UTF-8."""
    return name.encode("utf-8", "replace").decode()
