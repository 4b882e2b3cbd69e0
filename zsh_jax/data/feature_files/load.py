"""Load a data set from feature files: one, or several parts."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Num

from zsh_jax.data.aligned import empty_aligned
from zsh_jax.data.blocks import fill
from zsh_jax.data.dataset import Dataset
from zsh_jax.data.feature_files.files import File, Places, find_files, is_pattern
from zsh_jax.data.feature_files.joined import open_joined
from zsh_jax.data.feature_files.labels import read_labels
from zsh_jax.data.feature_files.names import names_beside
from zsh_jax.data.feature_files.parts import DEFAULT_KEYS, Keys, Part, check_unique, parts_of
from zsh_jax.data.reading import written
from zsh_jax.errors import InputError
from zsh_jax.progress_bar import counting

BLOCK = 1 << 14  # rows checked at a time, so that a memory-mapped file stays on disk


def load_features(
    path: Places, *, keys: Keys = DEFAULT_KEYS, name: str | None = None, first_label: int | None = None
) -> Dataset:
    """Load features with their labels. Memory holds the result and one block of a file.

    Names, shapes and labels of all files are checked before the features of any are read.

    Args:
        path: a file, see `zsh_jax.data.feature_files.arrays.open_arrays`; or several, see
            `zsh_jax.data.feature_files.files.find_files`. Features, labels and identifiers may be in a file each, see
            `zsh_jax.data.feature_files.joined.open_joined`. For class names see
            `zsh_jax.data.feature_files.names.names_beside`.
        keys: names of the arrays.
        name: name of the data set; defaults to the name of the file, of its parts, or of their folder.
        first_label: 0 or 1, the first class number. None means 1 in a `.mat` file without a 0 and 0 in any other file;
            ambiguous numbers are an error.

    Returns:
        The data set with `features`, in the order of the files. Rows without identifiers are numbered within their
        split, such as `train_00042`: the same in one file as in parts of it. Features are memory-mapped if they are a
        single `.npy` file in single precision.

    Raises:
        InputError: something is missing, damaged or inconsistent.
    """
    if first_label not in (None, 0, 1):
        raise InputError(f"dataset.first_label must be 0 or 1; got {first_label}")
    files = find_files(path)
    parts: list[Part] = []
    opened = open_joined(files, keys)
    for arrays, file in opened:
        parts += parts_of(arrays, keys, file.split)
        if len(parts) > 1:  # only headers stay in memory
            parts = [part._replace(features=part.features._replace(held=None)) for part in parts]
    lengths = {part.features.shape[1]: part.where for part in parts}
    if len(lengths) > 1:
        listed = ", ".join(f"{length} in {source}" for length, source in lengths.items())
        raise InputError(f"features differ in length: {listed}; fix: extract all with the same network")
    labels, class_names = read_labels(
        [(part.where, part.labels) for part in parts],
        names_beside(opened[0].file, keys.labels),
        matlab=opened[0].arrays.matlab,
        first_label=first_label,
    )
    return Dataset(
        name=name or _name(path, files),
        ids=_ids(parts),
        source_splits=np.repeat([part.split for part in parts], [part.features.shape[0] for part in parts]),
        labels=labels,
        class_names=class_names,
        features=_features(parts),
    )


def _name(path: Places, files: Sequence[File]) -> str:
    """The name of the file or folder that was given; of a pattern or list, that of its only split or first folder."""
    if isinstance(path, str | Path):
        where = written(path)
        if where.exists() or not is_pattern(where):
            return where.resolve().stem
    splits = {file.split for file in files}
    return splits.pop() if len(splits) == 1 else files[0].path.resolve().parent.name


def _ids(parts: Sequence[Part]) -> np.ndarray:
    """Identifiers, unique within each split."""
    lacking = {part.ids is None: part.where for part in parts}
    if len(lacking) > 1:
        raise InputError(f"{lacking[False]} has ids and {lacking[True]} has none; fix: make the files alike")
    if parts[0].ids is None:
        seen: dict[str, int] = {}
        numbered = []
        for part in parts:
            start = seen.get(part.split, 0)
            seen[part.split] = stop = start + part.features.shape[0]
            numbered.append(_numbered(part.split, start, stop))
        return np.concatenate(numbered)
    for split in dict.fromkeys(part.split for part in parts):
        own = [part for part in parts if part.split == split]
        if len(own) > 1:
            ids = [part.ids for part in own if part.ids is not None]
            check_unique(np.concatenate(ids), f"{own[0].where} to {own[-1].where}")
    return np.concatenate([part.ids for part in parts if part.ids is not None])


def _numbered(split: str, start: int, stop: int) -> np.ndarray:
    """Numbers of rows as identifiers, made in blocks: text of Python takes five times the memory."""
    ids = np.empty(stop - start, f"U{len(f'{split}_{stop - 1:05d}')}")
    for first in range(start, stop, BLOCK):
        last = min(first + BLOCK, stop)
        ids[first - start : last - start] = [f"{split}_{row:05d}" for row in range(first, last)]
    return ids


def _features(parts: Sequence[Part]) -> Float32[np.ndarray, "n d"]:
    held = parts[0].features.held
    if len(parts) == 1 and held is not None and held.dtype == np.float32:
        _check_finite(held, parts[0].where)
        _check_varies(held, parts[0].where)
        return held  # perhaps memory-mapped
    rows = [part.features.shape[0] for part in parts]
    out = empty_aligned(sum(rows), parts[0].features.shape[1])
    start = 0
    with counting("reading features", out.nbytes) as advance:
        for part, count in zip(parts, rows, strict=True):
            here = out[start : start + count]
            for values in fill(here, part.features):
                advance(values * out.itemsize)
            _check_finite(here, part.where)
            if count > 1:
                _check_varies(here, part.where)
            start += count
    _check_varies(out, parts[0].where if len(parts) == 1 else f"{parts[0].where} to {parts[-1].where}")
    return out


def _check_finite(features: Num[np.ndarray, "n d"], where: str) -> None:
    for start in range(0, len(features), BLOCK):
        damaged = np.flatnonzero(~np.isfinite(features[start : start + BLOCK]).all(axis=1))
        if damaged.size:
            raise InputError(
                f"{where}: features are not finite (first: row {start + damaged[0]}); fix: extract them again"
            )


def _check_varies(features: Num[np.ndarray, "n d"], where: str) -> None:
    """Refuse equal rows: a dead network gives finite features too."""
    for start in range(0, len(features), BLOCK):  # the first block usually suffices
        if (features[start : start + BLOCK] != features[0]).any():
            return
    raise InputError(f"{where}: all {len(features)} rows of features are equal; fix: extract them again")
