"""Load precomputed features from `.npz` files, matched to the samples of a data set by identifier."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int, Num, Shaped

from zsh_jax.data.aligned import empty_aligned
from zsh_jax.data.dataset import Dataset
from zsh_jax.data.feature_files.labels import as_text
from zsh_jax.data.numpy_files import npz_names, read_npz
from zsh_jax.errors import InputError

WANTED = "a folder of {split}.npz with `id` (n,), `features` (n, d) and optionally `label`"
EXAMPLES = 3


class _File(NamedTuple):
    """Contents of one file."""

    path: Path
    ids: Shaped[np.ndarray, " n"]
    features: Num[np.ndarray, "n d"]
    labels: Shaped[np.ndarray, "n *c"] | None


def load_precomputed(path: str | Path, dataset: Dataset) -> Float32[np.ndarray, "n d"]:
    """Read features from a folder with one file, `{split}.npz`, for each split of the data set.

    Each file has `id` (n,), strings, bytes or whole numbers; `features` (n, d), real numbers of any precision; and
    optionally `label`, in the format of the data set's labels, for a check. Rows may be in any order. Other files in
    the folder are ignored.

    Args:
        path: the folder.
        dataset: data set of the samples.

    Returns:
        One row a sample, in the order of the data set.

    Raises:
        InputError: a file is missing or damaged, identifiers are missing on either side or repeated, labels disagree,
            lengths differ, or a feature is not finite.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise InputError(f"features.path: there is no folder {folder}; fix: give {WANTED}")
    splits = list(dict.fromkeys(dataset.source_splits.tolist()))
    missing = [f"{split}.npz" for split in splits if not (folder / f"{split}.npz").is_file()]
    if missing:
        raise InputError(f"features.path: {folder} lacks {', '.join(missing)}; fix: give {WANTED}")

    out: Float32[np.ndarray, "n d"] | None = None
    for split in splits:
        file = _read(folder / f"{split}.npz")
        if out is None:
            first, out = file.path, empty_aligned(len(dataset.ids), file.features.shape[1])
        if file.features.shape[1] != out.shape[1]:
            raise InputError(
                f"{file.path} has features of length {file.features.shape[1]}, {first.name} of length {out.shape[1]}; "
                "fix: extract all splits with the same network"
            )
        samples = np.flatnonzero(dataset.source_splits == split)
        rows = _join(file, dataset, samples)
        if file.labels is not None:
            _check_labels(file.path, file.labels, rows, dataset, samples)
        with np.errstate(over="ignore", invalid="ignore"):  # checked below
            described = file.features[rows].astype(np.float32)
        damaged = np.flatnonzero(~np.isfinite(described).all(axis=1))
        if damaged.size:
            raise InputError(
                f"{file.path}: features of {damaged.size} of {len(rows)} samples are not finite "
                f"({_some(dataset.ids[samples[damaged]])}); fix: extract them again"
            )
        out[samples] = described
    assert out is not None  # a data set has at least one sample
    return out


def _read(path: Path) -> _File:
    names = npz_names(path)
    lacking = [key for key in ("id", "features") if key not in names]
    if lacking:
        raise InputError(
            f"{path} lacks {' and '.join(lacking)}; it has {', '.join(names) or 'nothing'}; fix: save id, features "
            "and optionally label"
        )
    arrays = {key: read_npz(path, key) for key in ("id", "features", "label") if key in names}
    ids, features = arrays["id"], arrays["features"]
    if ids.ndim != 1 or ids.dtype.kind not in "SUiu":
        raise InputError(f"{path}: id must be (n,) strings or whole numbers; got {ids.dtype} {ids.shape}")
    if features.ndim != 2 or features.dtype.kind not in "fiu" or not features.shape[1]:
        raise InputError(
            f"{path}: features must be (n, d) real numbers; got {features.dtype} {features.shape}"
        )
    for key, array in arrays.items():
        if array.ndim == 0 or len(array) != len(ids):
            raise InputError(
                f"{path}: {len(ids)} rows of id but shape {array.shape} of {key}; fix: extract it again"
            )
    return _File(path, as_text(ids, f"{path}: id"), features, arrays.get("label"))


def _join(file: _File, dataset: Dataset, samples: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """The file's row of each sample."""
    split = file.path.stem
    wanted = as_text(dataset.ids[samples], f"{dataset.name}: id")
    for where, ids in ((str(file.path), file.ids), (f"{dataset.name}, split {split}", wanted)):
        values, counts = np.unique(ids, return_counts=True)
        if (counts > 1).any():
            twice = values[counts > 1]
            raise InputError(
                f"{where}: {len(twice)} ids occur more than once ({_some(twice)}); fix: make them unique"
            )
    lacking, extra = np.setdiff1d(wanted, file.ids), np.setdiff1d(file.ids, wanted)
    if lacking.size or extra.size:
        sides = [
            f"{ids.size} of {of} ids {what} ({_some(ids)})"
            for ids, of, what in (
                (lacking, len(wanted), f"of {dataset.name}, split {split}, are not in the file"),
                (extra, len(file.ids), "of the file are not in the data set"),
            )
            if ids.size
        ]
        raise InputError(f"{file.path}: {' and '.join(sides)}; fix: extract from this data set")
    order = np.argsort(file.ids)
    return order[np.searchsorted(file.ids, wanted, sorter=order)]


def _check_labels(
    path: Path,
    labels: Shaped[np.ndarray, "n *c"],
    rows: Int[np.ndarray, " n"],
    dataset: Dataset,
    samples: Int[np.ndarray, " n"],
) -> None:
    stated, true = labels[rows], dataset.labels[samples]
    if stated.shape != true.shape or stated.dtype.kind not in "biuf":
        raise InputError(
            f"{path}: label is {labels.dtype} {labels.shape}, but {dataset.name} has {true.dtype} {true.shape}; fix: "
            "save the labels of the data set, or no label"
        )
    differs: Bool[np.ndarray, " n"] = (stated != true).reshape(len(true), -1).any(axis=1)
    if differs.any():
        first = np.flatnonzero(differs)[0]
        raise InputError(
            f"{path}: {np.count_nonzero(differs)} of {len(true)} labels disagree with {dataset.name} (id "
            f"{dataset.ids[samples[first]]}: {stated[first]} in the file, {true[first]} in the data set); fix: extract "
            "from this data set"
        )


def _some(ids: Shaped[np.ndarray, " n"]) -> str:
    """A few identifiers, as examples."""
    return ", ".join(map(str, ids[:EXAMPLES])) + (", ..." if len(ids) > EXAMPLES else "")
