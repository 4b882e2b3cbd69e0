"""Read codes and labels that any program saved: `.npz`, `.npy` and `.mat`."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from zsh_jax.data.blocks import Array
from zsh_jax.data.feature_files.arrays import KINDS, Arrays, open_arrays
from zsh_jax.data.reading import written
from zsh_jax.errors import InputError

# Usual names in the hashing literature. A name of the role comes before one that fits both roles.
CODES = ("codes", "code", "B", "hash_codes", "hashcodes", "binary_codes", "binary", "hash")
LABELS = ("labels", "label", "L", "gnd", "Y", "y", "targets", "target")
ROLES = {
    "query": (
        ("query_codes", "query_code", "qB", "B_query", "B_tst", "B_test", "tst_binary", "test_codes", "tB"),
        (
            "query_labels",
            "query_label",
            "qL",
            "queryL",
            "L_query",
            "L_tst",
            "L_test",
            "tst_label",
            "test_labels",
        ),
    ),
    "database": (
        *(
            (
                "database_codes",
                "database_code",
                "rB",
                "B_db",
                "B_trn",
                "B_train",
                "trn_binary",
                "train_codes",
            ),
        ),
        *(
            (
                "database_labels",
                "database_label",
                "rL",
                "retrievalL",
                "L_db",
                "L_trn",
                "L_train",
                "trn_label",
            ),
        ),
    ),
}


class CodeFile(NamedTuple):
    """Codes with their labels, row by row.

    Attributes:
        where: the file and the array of the codes, for messages.
        codes: as in the file, one row a code.
        labels_where: the file and the array of the labels.
        labels: (n,) or (n, c), as in the file.
        matlab: whether MATLAB wrote the labels.
    """

    where: str
    codes: Array
    labels_where: str
    labels: Array
    matlab: bool


def read_code_file(
    path: str | Path, role: str, *, codes: str | None = None, labels: str | None = None
) -> CodeFile:
    """Read the codes of a file, and their labels from it or from another.

    Args:
        path: an `.npz`, `.npy` or `.mat` file. An `.npy` file holds the codes alone.
        role: "query" or "database": which of the usual names apply.
        codes: name of the array of codes; None for the usual names.
        labels: name of the array of labels in the same file, or another file; None for the usual names, and for a file
            STEM.labels.npy or labels.npy beside an `.npy` file.

    Returns:
        Codes and labels. A matrix with one code a column is transposed if only that fits the labels.

    Raises:
        InputError: a file or an array is missing, damaged or ambiguous, or codes and labels do not fit.
    """
    file = _opened(written(path), role)
    of_codes, of_labels = ROLES[role]
    if "features" in file.names and file.path.suffix.lower() == ".npy":
        name = "features"  # of `open_arrays`: the file itself
    else:
        name = _named(file, codes, (of_codes, CODES), f"{role} codes", "--codes")
    label_file = file
    if labels is not None and labels not in file.names and written(labels).suffix.lower() in KINDS:
        label_file = _opened(written(labels), f"{role} labels")
        labels = None
    if label_file is not file and len(label_file.names) == 1:
        label_name = label_file.names[0]
    elif label_file is not file and label_file.path.suffix.lower() == ".npy":
        label_name = "features"
    else:
        label_name = _named(label_file, labels, (of_labels, LABELS), f"{role} labels", "--labels")
    values, classes = _oriented(
        file.read(name), label_file.read(label_name), _where(file, name), _where(label_file, label_name)
    )
    return CodeFile(_where(file, name), values, _where(label_file, label_name), classes, label_file.matlab)


def _opened(path: Path, what: str) -> Arrays:
    if not path.is_file():
        raise InputError(f"there is no file {path} of {what}; fix: give a {', '.join(KINDS)} file")
    if path.suffix.lower() not in KINDS:
        raise InputError(
            f"{path}: {what} are read from {', '.join(KINDS)} files; fix: save it as one of them"
        )
    return open_arrays(path)


def _where(file: Arrays, name: str) -> str:
    return (
        str(file.path)
        if file.path.suffix.lower() == ".npy" and name == "features"
        else f"{file.path}, {name}"
    )


def _named(
    file: Arrays, given: str | None, usual: tuple[tuple[str, ...], ...], what: str, option: str
) -> str:
    """The array that is meant: by its given name, or by a usual one."""
    names = [name for name in file.names if file.path.suffix.lower() != ".npy" or name != "features"]
    has = f"{'beside it:' if file.path.suffix.lower() == '.npy' else 'it has'} {', '.join(names) or 'none'}"
    if given is not None:
        if given in names:
            return given
        raise InputError(f"{file.path} has no array {given!r} of {what}; {has}; fix: give another {option}")
    for level in usual:
        found = [name for name in level if name in names]
        if len(found) > 1:
            raise InputError(
                f"{file.path}: {' and '.join(found)} may both be the {what}; fix: name one with {option}"
            )
        if found:
            return found[0]
    raise InputError(
        f"{file.path} has no array with a usual name of {what}; {has}; fix: name the arrays, or the file, with {option}"
    )


def _oriented(codes: Array, labels: Array, where: str, labels_where: str) -> tuple[Array, Array]:
    """One row a code and a label; a matrix of labels with one row or column is a vector."""
    if labels.ndim == 2 and 1 in labels.shape:
        labels = labels.ravel()
    if codes.ndim != 2 or not codes.size or codes.dtype.kind not in "biuf":
        raise InputError(
            f"{where}: codes must be (n, columns) numbers; got {codes.dtype} {codes.shape}; fix: give one row a code"
        )
    if labels.ndim not in (1, 2) or not labels.size or labels.dtype.kind not in "biufUS":
        raise InputError(
            f"{labels_where}: labels must be (n,) classes or (n, c) zeros and ones; got {labels.dtype} {labels.shape}"
        )
    for values in (codes, codes.T):
        for classes in (labels, labels.T) if labels.ndim == 2 else (labels,):
            if len(values) == len(classes):
                return values, _without_minus(np.asarray(classes))
    raise InputError(
        f"{where}: codes of shape {codes.shape}, but labels of shape {labels.shape} in {labels_where}; fix: give one "
        "label a code"
    )


def _without_minus(labels: Array) -> Array:
    """Zeros for -1 in labels by class: HashNet's test program and its heirs save queries' labels so."""
    if labels.ndim != 2 or labels.dtype.kind not in "if" or not (labels == -1).any():
        return labels
    known = ((labels == -1) | (labels == 0) | (labels == 1)).all()
    return (labels > 0).astype(np.uint8) if known else labels
