"""Load precomputed features from files, matched to the samples of a data set by identifier."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int, Shaped

from zsh_jax.data.aligned import empty_aligned
from zsh_jax.data.blocks import Blocks
from zsh_jax.data.dataset import Dataset
from zsh_jax.data.feature_files.arrays import open_arrays
from zsh_jax.data.feature_files.files import natural_order
from zsh_jax.data.feature_files.labels import as_text
from zsh_jax.errors import InputError
from zsh_jax.progress_bar import counting

WANTED = (
    "a folder of {split}.npz or .parquet, or of parts {split}-00000-of-00004.npz, with `id` (n,), `features` (n, d) "
    "and optionally `label`"
)
KINDS = (".npz", ".parquet")
EXAMPLES = 3
BLOCK = 1 << 14  # rows checked at a time


class _Source(NamedTuple):
    """The files of a split: its identifiers and labels, and features that are read later."""

    split: str
    where: Path
    ids: Shaped[np.ndarray, " n"]
    features: tuple[Blocks, ...]
    labels: Shaped[np.ndarray, "n *c"] | None


def load_precomputed(path: str | Path, dataset: Dataset) -> Float32[np.ndarray, "n d"]:
    """Read features from a folder with a file, or with parts, for each split of the data set.

    A split is `{split}.npz`, `{split}.parquet`, or parts `{split}-00000-of-00004` of either kind. Each file has `id`
    (n,), strings, bytes or whole numbers; `features` (n, d), real numbers of any precision; and optionally `label`, in
    the format of the data set's labels, for a check. Rows may be in any order. Other files in the folder are ignored.
    Identifiers and shapes of all files are checked before features are read, block by block.

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
    splits = [str(split) for split in dict.fromkeys(dataset.source_splits.tolist())]
    files = {split: _files(folder, split) for split in splits}
    missing = [f"{split}.npz" for split, found in files.items() if not found]
    if missing:
        raise InputError(f"features.path: {folder} lacks {', '.join(missing)}; fix: give {WANTED}")
    sources = [_open(split, found) for split, found in files.items()]
    lengths = {blocks.shape[1]: source.where for source in sources for blocks in source.features}
    if len(lengths) > 1:
        (length, first), (other, second) = list(lengths.items())[:2]
        raise InputError(
            f"{second} has features of length {other}, {first.name} of length {length}; "
            "fix: extract all splits with the same network"
        )
    places = [_places(source, dataset) for source in sources]
    out = empty_aligned(len(dataset.ids), next(iter(lengths)))
    with counting("reading features", out.nbytes) as advance:
        for source, rows in zip(sources, places, strict=True):
            start = 0
            for blocks in source.features:
                own = rows[start : start + blocks.shape[0]]
                start += blocks.shape[0]
                for (here, columns), values in blocks.pieces():
                    with np.errstate(over="ignore", invalid="ignore"):  # checked below
                        out[own[here], columns] = values
                    advance(values.size * out.itemsize)
            _check_finite(source, out, dataset)
    return out


def _check_finite(source: _Source, out: Float32[np.ndarray, "n d"], dataset: Dataset) -> None:
    samples = np.flatnonzero(dataset.source_splits == source.split)
    blocks = (samples[start : start + BLOCK] for start in range(0, len(samples), BLOCK))
    damaged = np.concatenate([rows[~np.isfinite(out[rows]).all(axis=1)] for rows in blocks])
    if damaged.size:
        raise InputError(
            f"{source.where}: features of {damaged.size} of {len(samples)} samples are not finite "
            f"({_some(dataset.ids[damaged])}); fix: extract them again"
        )


def _files(folder: Path, split: str) -> list[Path]:
    """The file of a split, or its parts in order; none if there is none."""
    whole = [path for kind in KINDS if (path := folder / f"{split}{kind}").is_file()]
    parts: dict[tuple[str, int], dict[int, Path]] = {}
    for path in folder.iterdir():
        match = re.fullmatch(rf"{re.escape(split)}-(\d+)-of-(\d+)", path.stem)
        if match and path.suffix in KINDS:
            parts.setdefault((path.suffix, int(match[2])), {})[int(match[1])] = path
    if len(whole) + len(parts) > 1:
        several = [*whole, *(next(iter(of.values())) for of in parts.values())]
        raise InputError(
            f"features.path: {folder} has {' and '.join(path.name for path in several)}; fix: leave one set of files "
            f"of {split}"
        )
    for (kind, count), of in parts.items():
        first = 0 if 0 in of else 1
        lacking = sorted(set(range(first, first + count)) - set(of))
        if lacking or len(of) != count:
            raise InputError(
                f"features.path: {folder} has {len(of)} of {count} parts of {split}{kind} (missing: "
                f"{_some(np.array(lacking))}); fix: fetch all parts"
            )
        return sorted(of.values(), key=natural_order)
    return whole


def _open(split: str, files: Sequence[Path]) -> _Source:
    each = [_read(path) for path in files]
    with_labels = [path for path, (_, _, labels) in zip(files, each, strict=True) if labels is not None]
    if with_labels and len(with_labels) < len(files):
        other = next(path for path in files if path not in with_labels)
        raise InputError(f"{with_labels[0]} has label and {other.name} has none; fix: save it in all or none")
    labels = [labels for _, _, labels in each if labels is not None]
    if len({array.shape[1:] for array in labels}) > 1:
        raise InputError(
            f"{files[0]} and its other parts have labels of different shapes; fix: extract again"
        )
    where = files[0] if len(files) == 1 else files[0].with_name(f"{split}-*{files[0].suffix}")
    ids = np.concatenate([ids for ids, _, _ in each])
    features = tuple(blocks for _, blocks, _ in each)
    return _Source(split, where, ids, features, np.concatenate(labels) if labels else None)


def _read(path: Path) -> tuple[Shaped[np.ndarray, " n"], Blocks, Shaped[np.ndarray, "n *c"] | None]:
    """Identifiers and labels of a file, and its features that are not read yet."""
    arrays = open_arrays(path)
    lacking = [key for key in ("id", "features") if key not in arrays.names]
    if lacking:
        raise InputError(
            f"{path} lacks {' and '.join(lacking)}; it has {', '.join(arrays.names) or 'nothing'}; fix: save id, "
            "features and optionally label"
        )
    ids, features = arrays.read("id"), arrays.blocks("features")
    labels = arrays.read("label") if "label" in arrays.names else None
    if ids.ndim != 1 or ids.dtype.kind not in "SUiu":
        raise InputError(f"{path}: id must be (n,) strings or whole numbers; got {ids.dtype} {ids.shape}")
    if len(features.shape) != 2 or features.dtype.kind not in "fiu" or not features.shape[1]:
        raise InputError(
            f"{path}: features must be (n, d) real numbers; got {features.dtype} {features.shape}"
        )
    shapes = {"features": features.shape} | ({} if labels is None else {"label": labels.shape})
    for key, shape in shapes.items():
        if not shape or shape[0] != len(ids):
            raise InputError(
                f"{path}: {len(ids)} rows of id but shape {shape} of {key}; fix: extract it again"
            )
    return as_text(ids, f"{path}: id"), features, labels


def _places(source: _Source, dataset: Dataset) -> Int[np.ndarray, " n"]:
    """The sample of each row of the files, after all checks but that of the features."""
    samples = np.flatnonzero(dataset.source_splits == source.split)
    rows = _join(source, dataset, samples)
    if source.labels is not None:
        _check_labels(source.where, source.labels, rows, dataset, samples)
    places = np.empty(len(rows), np.int64)
    places[rows] = samples
    return places


def _join(source: _Source, dataset: Dataset, samples: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """The row of each sample in the files."""
    split = source.split
    wanted = as_text(dataset.ids[samples], f"{dataset.name}: id")
    for where, ids in ((str(source.where), source.ids), (f"{dataset.name}, split {split}", wanted)):
        values, counts = np.unique(ids, return_counts=True)
        if (counts > 1).any():
            twice = values[counts > 1]
            raise InputError(
                f"{where}: {len(twice)} ids occur more than once ({_some(twice)}); fix: make them unique"
            )
    lacking, extra = np.setdiff1d(wanted, source.ids), np.setdiff1d(source.ids, wanted)
    if lacking.size or extra.size:
        sides = [
            f"{ids.size} of {of} ids {what} ({_some(ids)})"
            for ids, of, what in (
                (lacking, len(wanted), f"of {dataset.name}, split {split}, are not in the file"),
                (extra, len(source.ids), "of the file are not in the data set"),
            )
            if ids.size
        ]
        raise InputError(f"{source.where}: {' and '.join(sides)}; fix: extract from this data set")
    order = np.argsort(source.ids)
    return order[np.searchsorted(source.ids, wanted, sorter=order)]


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
