"""Extract features of a data set's images, block by block, with a cache from which it resumes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int

from zsh_jax.data.aligned import empty_aligned
from zsh_jax.data.dataset import Dataset
from zsh_jax.errors import InputError
from zsh_jax.features.cache import (
    Key,
    block_path,
    blocks,
    digest,
    folder_of,
    open_folder,
    read_block,
    write_block,
)
from zsh_jax.features.extractors import Extractor, feature_extractors
from zsh_jax.features.spec import Describe
from zsh_jax.progress_bar import Advance, counting

Progress = Callable[[str, int, int], None]


def extract(
    dataset: Dataset,
    spec: str,
    *,
    cache: str | Path | None = None,
    weights: str | Path | None = None,
    batch_size: int = 64,
    download: bool = False,
    version: str = "",
    progress: Progress | None = None,
) -> Float32[np.ndarray, "n d"]:
    """Features of all samples of a data set.

    With a cache, each finished block of 256 samples is a file, and a later call extracts only the missing blocks.
    Cached blocks are verified when they are loaded, against the images too if those are in memory; blocks that are
    damaged or of other images are extracted again.

    Args:
        dataset: with its images, unless all features are cached (`is_extracted`).
        spec: name of the features; see `feature_extractors`.
        cache: root of the cache; None for no cache.
        weights: file of network weights, or folder or name of towers; None for those that Keras downloads.
        batch_size: images per network batch.
        download: whether to download the model of towers if it is not on disk.
        version: of the data set, if it has one.
        progress: called after each block with the name of the features, the samples done and the total; None to show
            progress and the time left on standard error.

    Returns:
        One row a sample, the parts of `spec` concatenated.

    Raises:
        InputError: the features are unknown, cannot be extracted or cached, or are not finite, or images are needed but
            missing.
    """
    extractors = feature_extractors(spec, weights=weights, batch_size=batch_size, download=download)
    parts = []
    for extractor in extractors:
        what = f"extracting {extractor.name} of {dataset.name}"
        with counting(what, len(dataset.ids), unit="images") as advance:
            told = advance if progress is None else _told(progress, extractor, dataset)
            parts.append(_extract_one(dataset, extractor, cache, version, told))
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def _told(progress: Progress, extractor: Extractor, dataset: Dataset) -> Advance:
    """Call `progress` with the number of all samples done."""
    done = 0

    def advance(amount: int, *, free: bool = False) -> None:
        nonlocal done
        done += amount
        progress(f"{extractor.name} of {dataset.name}", done, len(dataset.ids))

    return advance


def is_extracted(
    dataset: Dataset,
    spec: str,
    *,
    cache: str | Path,
    weights: str | Path | None = None,
    download: bool = False,
    version: str = "",
) -> bool:
    """Whether all features are cached, so that the images need not be read.

    Args:
        dataset: with or without images.
        spec: as for `extract`.
        cache: as for `extract`.
        weights: as for `extract`.
        download: as for `extract`.
        version: as for `extract`.

    Returns:
        Whether every block exists; its validity is checked when it is loaded.

    Raises:
        InputError: the features are unknown, or `weights` is not a file (for towers, a whole model).
    """
    return all(
        block_path(folder_of(cache, _key(dataset, extractor, version, split, rows)), start).is_file()
        for extractor in feature_extractors(spec, weights=weights, download=download)
        for split, rows in _splits(dataset)
        for start, _ in blocks(len(rows))
    )


def _extract_one(
    dataset: Dataset,
    extractor: Extractor,
    cache: str | Path | None,
    version: str,
    told: Advance,
) -> Float32[np.ndarray, "n d"]:
    out: Float32[np.ndarray, "n d"] | None = None
    describe: Describe | None = None
    for split, samples in _splits(dataset):
        folder = None
        if cache is not None:
            folder = open_folder(cache, _key(dataset, extractor, version, split, samples))
        for start, stop in blocks(len(samples)):
            rows = samples[start:stop]
            # Verify a block against images in memory; do not decode images on disk for this.
            held = dataset.images[rows] if isinstance(dataset.images, np.ndarray) else None
            pixels = digest(held) if held is not None and folder else None
            features = read_block(block_path(folder, start), len(rows), pixels) if folder else None
            cached = features is not None
            if features is None:
                if dataset.images is None:
                    raise InputError(
                        f"features {extractor.name} of {dataset.name}, split {split}, are not all in {folder}, but the "
                        "images were not loaded; fix: load the data set with its images"
                    )
                images = dataset.images[rows] if held is None else held
                describe = describe or extractor.load()
                features = describe(images)
                _check(features, dataset, extractor, rows)
                if folder:
                    write_block(block_path(folder, start), features, pixels or digest(images))
            if out is not None and features.shape[1] != out.shape[1]:
                raise InputError(
                    f"features {extractor.name} of {dataset.name} have {features.shape[1]} values in {folder} and "
                    f"{out.shape[1]} before; fix: remove that folder"
                )
            if out is None:
                out = empty_aligned(len(dataset.ids), features.shape[1])
            out[rows] = features
            told(len(rows), free=cached)
    if out is None:
        raise InputError(f"{dataset.name} has no sample; fix: use other classes")
    return out


def _splits(dataset: Dataset) -> Iterator[tuple[str, Int[np.ndarray, " k"]]]:
    for split in dict.fromkeys(dataset.source_splits.tolist()):
        yield str(split), np.flatnonzero(dataset.source_splits == split)


def _key(
    dataset: Dataset, extractor: Extractor, version: str, split: str, rows: Int[np.ndarray, " k"]
) -> Key:
    ids = digest(np.char.encode(dataset.ids[rows].astype(np.str_), "utf-8"))
    return Key(dataset.name, version, split, ids, extractor.identity, extractor.name)


def _check(
    features: Float32[np.ndarray, "b d"], dataset: Dataset, extractor: Extractor, rows: Int[np.ndarray, " b"]
) -> None:
    damaged = np.flatnonzero(~np.isfinite(features).all(axis=1))
    if damaged.size:
        raise InputError(
            f"features {extractor.name}: {damaged.size} of {len(rows)} rows are not finite (first: id "
            f"{str(dataset.ids[rows[damaged[0]]])!r}); fix: use other weights or other features"
        )
