"""Load a data set from a feature file or from a folder of feature files."""

from pathlib import Path

import numpy as np
from jaxtyping import Float32, Num

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.feature_files.arrays import open_arrays
from zsh_jax.data.feature_files.labels import read_labels
from zsh_jax.data.feature_files.parts import DEFAULT_KEYS, Keys, Part, parts_of
from zsh_jax.data.reading import written
from zsh_jax.data.text import read_names
from zsh_jax.errors import InputError

NAMES = ("classes.txt", "labels.txt")
BLOCK = 1 << 14  # rows checked at a time, so that a memory-mapped file stays on disk


def load_features(
    path: str | Path, *, keys: Keys = DEFAULT_KEYS, name: str | None = None, first_label: int | None = None
) -> Dataset:
    """Load features with their labels.

    Args:
        path: a file, see `zsh_jax.data.feature_files.arrays.open_arrays`; or a folder of `.npz` files, one for each
            source split. Class names are read from `STEM.classes.txt`, `classes.txt` or `labels.txt` in the same
            folder, if present, one a line.
        keys: names of the arrays.
        name: name of the data set; defaults to the name of the file or folder.
        first_label: 0 or 1, the first class number. None means 1 in a `.mat` file without a 0 and 0 in any other file;
            ambiguous numbers are an error.

    Returns:
        The data set with `features`. Rows without identifiers are numbered, such as `train_00042`.

    Raises:
        InputError: something is missing, damaged or inconsistent.
    """
    if first_label not in (None, 0, 1):
        raise InputError(f"dataset.first_label must be 0 or 1; got {first_label}")
    where = written(path)
    files = sorted(where.glob("*.npz")) if where.is_dir() else [where]
    if not files:
        raise InputError(
            f"dataset.path: {where} holds no .npz file; fix: give a file of features or a folder of them"
        )
    parts = [part for file in files for part in parts_of(open_arrays(file), keys)]
    lengths = {part.features.shape[1]: part.where for part in parts}
    if len(lengths) > 1:
        listed = ", ".join(f"{length} in {source}" for length, source in lengths.items())
        raise InputError(f"features differ in length: {listed}; fix: extract all with the same network")
    labels, class_names = read_labels(
        [(part.where, part.labels) for part in parts],
        _class_names(files[0]),
        matlab=files[0].suffix.lower() == ".mat",
        first_label=first_label,
    )
    return Dataset(
        name=name or where.resolve().stem,
        ids=np.concatenate([_ids(part) for part in parts]),
        source_splits=np.repeat([part.split for part in parts], [len(part.features) for part in parts]),
        labels=labels,
        class_names=class_names,
        features=_features(parts),
    )


def _ids(part: Part) -> np.ndarray:
    if part.ids is not None:
        return part.ids
    return np.array([f"{part.split}_{row:05d}" for row in range(len(part.features))])


def _class_names(file: Path) -> tuple[str, ...] | None:
    for candidate in (file.with_name(f"{file.stem}.classes.txt"), *(file.with_name(name) for name in NAMES)):
        if candidate.is_file():
            return read_names(candidate)
    return None


def _features(parts: list[Part]) -> Float32[np.ndarray, "n d"]:
    for part in parts:
        _check(part)
    if len(parts) == 1 and parts[0].features.dtype == np.float32:
        return parts[0].features  # perhaps memory-mapped
    out = np.empty((sum(len(part.features) for part in parts), parts[0].features.shape[1]), np.float32)
    start = 0
    for part in parts:
        out[start : start + len(part.features)] = part.features
        start += len(part.features)
    return out


def _check(part: Part) -> None:
    """Check that all rows are finite in single precision and that not all rows are equal."""
    varies = False
    for start in range(0, len(part.features), BLOCK):
        block: Num[np.ndarray, "k d"] = part.features[start : start + BLOCK]
        with np.errstate(over="ignore", invalid="ignore"):
            damaged = np.flatnonzero(~np.isfinite(block.astype(np.float32)).all(axis=1))
        if damaged.size:
            raise InputError(
                f"{part.where}: features are not finite (first: row {start + damaged[0]}); fix: extract them again"
            )
        varies = varies or bool((block != part.features[0]).any())
    if not varies:
        raise InputError(
            f"{part.where}: all {len(part.features)} rows of features are equal; fix: extract them again"
        )
