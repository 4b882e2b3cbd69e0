"""What holds of every data set, whatever it was read from: the last look before anything is computed."""

import numpy as np

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.text import unseen_letter
from zsh_jax.errors import InputError


def checked(dataset: Dataset, place: str = "") -> Dataset:
    """See that labels and names can be used.

    Args:
        dataset: as a loader made it.
        place: where it was read from, for an error.

    Returns:
        The data set; a `+` in the name of a class, which joins names on the axis of unseen classes, is a blank.

    Raises:
        InputError: a class has no name, the name of another or one that cannot be written, or a label has no class.
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
                f"{where}: label {dataset.labels[outside[0]]} of row {outside[0]} is none of {len(names)} "
                "classes; fix: prepare the data set again"
            )
    return dataset._replace(name=_shown(dataset.name), class_names=names)


def _shown(name: str) -> str:
    """A name that comes from that of a file, which need not be UTF-8."""
    return name.encode("utf-8", "replace").decode()
