"""Read a split from a file: which samples are for training, which are queries, and which are the database."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.feature_files.labels import as_text
from zsh_jax.data.given_roles import GivenRoles, check_disjoint
from zsh_jax.data.nearest import nearest_names
from zsh_jax.data.numpy_files import npz_names, read_npz
from zsh_jax.data.reading import reading
from zsh_jax.data.text import read_text
from zsh_jax.errors import InputError

ROLES = ("training", "query", "database", "seen_query")
KINDS = (".npz", ".json", ".txt")
FORMS = "a file that lists training, query, database: .npz arrays, a .json object of lists, or .txt lines: query ID"


def read_split_file(path: Path, dataset: Dataset) -> GivenRoles:
    """Read the roles of samples.

    Samples are named by their identifiers, or by `SPLIT/ID` if two source splits share an identifier; or numbered from
    0 in the order of the data set. Numbers in a `.txt` file are identifiers where the data set has such.

    Args:
        path: an `.npz` file with an array for each role, a `.json` file with an object of lists, or a `.txt` file with
            a role and a sample on each line. Roles are `training`, `query`, optionally `database` (else every sample
            that is not a query) and `seen_query`.
        dataset: whose samples.

    Returns:
        The roles.

    Raises:
        InputError: the file is missing, damaged or of another form; a sample is unknown or listed twice, or has roles
            that exclude each other.
    """
    if not path.is_file():
        raise InputError(f"split.path: there is no file {path}; fix: give {FORMS}")
    read = {".npz": _read_npz, ".json": _read_json, ".txt": _read_txt}.get(path.suffix.lower())
    if read is None:
        raise InputError(f"split.path: {path} is not one of {', '.join(KINDS)}; fix: give {FORMS}")
    listed = read(path)
    for role in listed:
        if role not in ROLES:
            raise InputError(f"{path}: there is no role {role!r}; {nearest_names(role, ROLES)}")
    for role in ROLES[:2]:
        if role not in listed:
            raise InputError(f"{path} lists no {role}; fix: give {FORMS}")
    names: dict[str, int] = {}
    marks = {}
    for role, values in listed.items():
        where = f"{path}, {role}"
        if values.dtype.kind in "US" and not names:
            names = _names(dataset)
        marks[role] = _marked(
            where, _rows(where, values, names, path.suffix.lower() == ".txt", dataset), dataset
        )
    nobody = np.zeros(len(dataset.ids), bool)
    database = marks.get("database", ~marks["query"])
    given = GivenRoles(
        str(path), marks["training"], marks["query"], database, marks.get("seen_query", nobody)
    )
    return check_disjoint(given, dataset.ids)


def _read_npz(path: Path) -> Mapping[str, np.ndarray]:
    return {name: _flat(f"{path}, {name}", read_npz(path, name)) for name in npz_names(path)}


def _read_json(path: Path) -> Mapping[str, np.ndarray]:
    text = read_text(path)
    with reading(path, "is not JSON", f"give {FORMS}"):
        content = json.loads(text)
    if not isinstance(content, dict):
        raise InputError(f"{path} is not an object of lists; fix: give {FORMS}")
    found = {}
    for role, values in content.items():
        kinds = {type(value) for value in values} if isinstance(values, list) else set()
        if len(kinds) != 1 or not kinds <= {int, str}:
            raise InputError(
                f"{path}, {role}: must be a list of names or of whole numbers; fix: give {FORMS}"
            )
        with reading(f"{path}, {role}", "has numbers that are too large", "use numbers of samples"):
            found[role] = np.array(values, np.int64 if kinds == {int} else np.str_)
    return found


def _read_txt(path: Path) -> Mapping[str, np.ndarray]:
    found: dict[str, list[str]] = {}
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        role, _, sample = line.strip().partition(" ")
        if role not in ROLES or not sample.strip():
            raise InputError(
                f"{path}, line {number}: {line.strip()[:60]!r} is not a role ({', '.join(ROLES)}), a blank and a "
                "sample; fix: correct it"
            )
        found.setdefault(role, []).append(sample.strip())
    return {role: np.array(samples) for role, samples in found.items()}


def _flat(where: str, values: np.ndarray) -> np.ndarray:
    flat = values.ravel() if 1 in values.shape else values
    if flat.ndim != 1 or flat.dtype.kind not in "iuUS":
        raise InputError(
            f"{where}: must be (n,) names or whole numbers; got {values.dtype} {values.shape}; fix: give {FORMS}"
        )
    return as_text(flat, where) if flat.dtype.kind == "S" else flat


def _names(dataset: Dataset) -> dict[str, int]:
    """The number of each sample by its identifier, and by `SPLIT/ID`; an identifier of two samples is left out."""
    ids, splits = map(_strings, (dataset.ids, dataset.source_splits))
    found = {f"{split}/{name}": row for row, (split, name) in enumerate(zip(splits, ids, strict=True))}
    values, firsts, counts = np.unique(np.array(ids), return_index=True, return_counts=True)
    unique = counts == 1
    return found | dict(zip(values[unique].tolist(), firsts[unique].tolist(), strict=True))


def _strings(values: np.ndarray) -> list[str]:
    return [str(value) for value in values.tolist()]


def _rows(
    where: str, values: np.ndarray, names: Mapping[str, int], is_text: bool, dataset: Dataset
) -> Int[np.ndarray, " k"]:
    """The numbers of samples."""
    if values.dtype.kind in "US":
        given = values.tolist()
        unknown = [name for name in given if name not in names]
        if is_text and unknown and all(name.isdecimal() for name in given) and len(unknown) == len(given):
            values = np.array([int(name[:18]) for name in given], np.int64)
        elif unknown:
            raise InputError(
                f"{where}: {len(unknown)} of {len(given)} samples are not in {dataset.name}, or have an identifier "
                f"that two of its splits share (first: {unknown[0]!r}); fix: use its ids, SPLIT/ID, or numbers from 0"
            )
        else:
            return np.array([names[name] for name in given], np.int64)
    outside = np.flatnonzero((values < 0) | (values >= len(dataset.ids)))
    if outside.size:
        raise InputError(
            f"{where}: sample {values[outside[0]]} is out of range; {dataset.name} has samples 0 to "
            f"{len(dataset.ids) - 1}; fix: correct it"
        )
    return values.astype(np.int64)


def _marked(where: str, rows: Int[np.ndarray, " k"], dataset: Dataset) -> Bool[np.ndarray, " n"]:
    counts = np.bincount(rows, minlength=len(dataset.ids))
    twice = np.flatnonzero(counts > 1)
    if twice.size:
        raise InputError(
            f"{where}: {len(twice)} samples are listed more than once (first: {dataset.ids[twice[0]]}); fix: list each "
            "once"
        )
    return counts > 0
