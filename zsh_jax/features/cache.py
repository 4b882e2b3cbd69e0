"""Feature cache on disk: one file for each block of samples, so an interrupted extraction resumes."""

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Shaped

from zsh_jax.atomic import cannot_write, write_whole
from zsh_jax.cache_folder import cache_folder
from zsh_jax.data.reading import reading, written
from zsh_jax.errors import InputError

BLOCK = 256  # samples a file


class Key(NamedTuple):
    """What the features are and how they are made; the cache path depends on all of it.

    Attributes:
        dataset: its name.
        version: of the data set, if it has one.
        split: of the source.
        ids: digest of the sample identifiers, in order.
        extractor: its identity: network, layer, weights, preprocessing.
        name: of the features, for people who read the folder.
    """

    dataset: str
    version: str
    split: str
    ids: str
    extractor: str
    name: str


def default_cache() -> Path:
    """Default cache folder of features."""
    return cache_folder("features")


def digest(array: Shaped[np.ndarray, "..."]) -> str:
    """SHA-256 of an array: type, shape and bytes."""
    whole = hashlib.sha256(f"{array.dtype.str} {array.shape} ".encode())
    whole.update(np.ascontiguousarray(array).view(np.uint8).data if array.size else b"")
    return whole.hexdigest()


def open_folder(cache: str | Path, key: Key) -> Path:
    """Create the folder of a key, with a description of the key in it.

    Args:
        cache: root of the cache.
        key: of these features.

    Returns:
        `CACHE/DATASET/SPLIT/NAME-DIGEST`.

    Raises:
        InputError: it is not writable.
    """
    folder = folder_of(cache, key)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Write it each time, so that a read-only folder is detected before images are processed.
        write_whole(folder / "key.json", json.dumps(key._asdict(), indent=1).encode())
    except OSError as problem:
        raise cannot_write(folder, problem, "choose another --config.features.cache") from problem
    return folder


def folder_of(cache: str | Path, key: Key) -> Path:
    """Path of a key's folder, which may not exist."""
    whole = hashlib.sha256(json.dumps(key._asdict()).encode()).hexdigest()
    dataset, split, name = (re.sub(r"[^\w.+@-]+", "_", part) for part in (key.dataset, key.split, key.name))
    return written(cache) / dataset / split / f"{name}-{whole[:16]}"


def blocks(samples: int) -> Iterator[tuple[int, int]]:
    """Start and end of each block."""
    for start in range(0, samples, BLOCK):
        yield start, min(start + BLOCK, samples)


def block_path(folder: Path, start: int) -> Path:
    """File of the block that starts at a sample."""
    return folder / f"{start // BLOCK:06d}.safetensors"


def write_block(path: Path, features: Float32[np.ndarray, "b d"], pixels: str) -> None:
    """Write a block atomically.

    Args:
        path: its file.
        features: of its samples.
        pixels: digest of their images.

    Raises:
        InputError: it cannot be written.
    """
    from safetensors.numpy import save

    try:
        write_whole(path, save({"features": features}, {"features": digest(features), "pixels": pixels}))
    except OSError as problem:
        raise cannot_write(path, problem, "choose another --config.features.cache") from problem


def read_block(path: Path, samples: int, pixels: str | None) -> Float32[np.ndarray, "b d"] | None:
    """Read a block if it exists and is valid.

    Args:
        path: its file.
        samples: number of its samples.
        pixels: digest of their images, if known without decoding them.

    Returns:
        The features; None if there are none, or, with a line on stderr, if they are damaged or of other images.
    """
    from safetensors import safe_open

    if not path.is_file():
        return None
    try:
        with reading(path), safe_open(path, framework="numpy") as file:
            features, stated = file.get_tensor("features"), file.metadata() or {}
        if features.ndim != 2 or len(features) != samples or stated.get("features") != digest(features):
            raise InputError(f"{path} is damaged (wrong checksum)")
        if features.dtype != np.float32 or not np.isfinite(features).all():
            raise InputError(f"{path} is damaged (its values are not features)")
        if pixels is not None and stated.get("pixels") != pixels:
            raise InputError(f"{path} was made from other images")
    except InputError as problem:
        print(f"zsh_jax: {str(problem).partition('; fix:')[0]}; extracting them again", file=sys.stderr)
        return None
    made: Float32[np.ndarray, "b d"] = features
    return made
