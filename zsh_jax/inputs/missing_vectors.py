"""Classes without a vector: refuse the sweep with instructions, or leave the classes out."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.library_errors import reason
from zsh_jax.data.reading import written
from zsh_jax.data.select import keep_classes
from zsh_jax.data.semantics import MissingVectors
from zsh_jax.data.text import write_names
from zsh_jax.errors import InputError
from zsh_jax.inputs.settings import SemanticsSettings


def refuse_missing(settings: SemanticsSettings, dataset: Dataset, found: Sequence[MissingVectors]) -> None:
    """Raise an error that lists the classes without a vector and the fix.

    Args:
        settings: of the class vectors.
        dataset: whose classes.
        found: from `find_missing`.

    Raises:
        InputError: a class has no vector.
    """
    if not found:
        return
    names = missing_names(dataset, found)
    listed = list_missing(settings, names)
    first = found[0]
    left, rows = keep_classes(dataset, set(dataset.class_names) - set(names))
    if len(left.class_names) < 2:
        raise InputError(f"{first.what}; fix: {first.fix}{listed}")
    gone = len(dataset.ids) - len(rows)
    raise InputError(
        f"{first.what}; fix: set --config.semantics.missing=drop to leave out {len(names)} classes and {gone:,} of "
        f"{len(dataset.ids):,} images, or {first.fix}{listed}"
    )


def missing_names(dataset: Dataset, found: Sequence[MissingVectors]) -> tuple[str, ...]:
    """All classes without a vector in any kind of semantics, in the order of the data set."""
    lacking = {name for missing in found for name in missing.names}
    return tuple(name for name in dataset.class_names if name in lacking)


def list_missing(settings: SemanticsSettings, names: Sequence[str]) -> str:
    """Write the names to the configured file.

    Args:
        settings: with `missing_to`.
        names: of the classes, one a line.

    Returns:
        Text for the end of a line: the path of the list, or how to request it.

    Raises:
        InputError: the file cannot be written.
    """
    if not settings.missing_to:
        return "; --config.semantics.missing_to=FILE lists them all"
    path = written(settings.missing_to)
    try:
        write_names(path, names)
    except OSError as problem:
        raise InputError(
            f"{path} cannot be written ({reason(problem)}); fix: set --config.semantics.missing_to"
        ) from problem
    return f"; {path} lists them all"


def leave_out(
    settings: SemanticsSettings, dataset: Dataset, found: Sequence[MissingVectors]
) -> tuple[Dataset, Int[np.ndarray, " k"], str]:
    """Remove the classes without a vector.

    Args:
        settings: of the class vectors.
        dataset: with one or several labels a sample; for samples without a remaining label see `keep_classes`.
        found: from `find_missing`, at least one.

    Returns:
        The remaining data set, named after its number of classes; its rows in the original; and a line about what was
        removed.

    Raises:
        InputError: fewer than two classes remain.
    """
    names = missing_names(dataset, found)
    listed = list_missing(settings, names)
    left, rows = keep_classes(dataset, set(dataset.class_names) - set(names))
    count = len(left.class_names)
    if count < 2:
        raise InputError(f"{found[0].what}, and {count} are left; fix: {found[0].fix}{listed}")
    gone = len(dataset.ids) - len(rows)
    notice = (
        f"left out: {len(names)} of {len(dataset.class_names)} classes of {dataset.name}, which have no vector, and "
        f"{gone:,} of {len(dataset.ids):,} images{_unlabelled(dataset, names, rows)}{listed}"
    )
    return left._replace(name=f"{dataset.name}/{count}-classes"), rows, notice


def _unlabelled(dataset: Dataset, names: Sequence[str], rows: Int[np.ndarray, " k"]) -> str:
    """The number of images that stay but lose a label."""
    if dataset.labels.ndim == 1:
        return ""
    lost = dataset.labels[:, [name in set(names) for name in dataset.class_names]].any(axis=1)
    return f"; {np.count_nonzero(np.asarray(lost)[rows]):,} others lose a label"
