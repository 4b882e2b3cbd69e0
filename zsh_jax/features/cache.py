"""Features on disk, a block of samples a file: what an interrupted extraction has done is kept, never half of it."""

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Shaped

from zsh_jax.atomic import cannot_write, write_whole
from zsh_jax.data.reading import reading, written
from zsh_jax.errors import InputError

BLOCK = 256  # samples a file


class Key(NamedTuple):
    """What features are of and how they are made: all of it decides where they lie.

    Attributes:
        dataset: its name.
        version: of the data set, where it has one.
        split: of the source.
        ids: digest of the samples' identifiers, in their order.
        extractor: its identity: network, layer, weights, preprocessing.
        name: of the features, for people who look into the folder.
    """

    dataset: str
    version: str
    split: str
    ids: str
    extractor: str
    name: str


def default_cache() -> Path:
    """Where features are kept unless said otherwise: `~/.cache/zsh_jax/features`, or below XDG_CACHE_HOME."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zsh_jax" / "features"


def digest(array: Shaped[np.ndarray, "..."]) -> str:
    """SHA-256 of an array: type, shape and bytes."""
    whole = hashlib.sha256(f"{array.dtype.str} {array.shape} ".encode())
    whole.update(np.ascontiguousarray(array).view(np.uint8).data if array.size else b"")
    return whole.hexdigest()


def open_folder(cache: str | Path, key: Key) -> Path:
    """The folder of a key, made if it is not there, with what the key says beside the features.

    Args:
        cache: folder of all features.
        key: of these features.

    Returns:
        `CACHE/DATASET/SPLIT/NAME-DIGEST`.

    Raises:
        InputError: it cannot be written to.
    """
    folder = folder_of(cache, key)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Written each time, so that a folder which cannot be written to is found out before pictures are looked at.
        write_whole(folder / "key.json", json.dumps(key._asdict(), indent=1).encode())
    except OSError as problem:
        raise cannot_write(folder, problem, "choose another --config.features.cache") from problem
    return folder


def folder_of(cache: str | Path, key: Key) -> Path:
    """The folder of a key, whether it is there or not."""
    whole = hashlib.sha256(json.dumps(key._asdict()).encode()).hexdigest()
    dataset, split, name = (re.sub(r"[^\w.+@-]+", "_", part) for part in (key.dataset, key.split, key.name))
    return written(cache) / dataset / split / f"{name}-{whole[:16]}"


def blocks(samples: int) -> Iterator[tuple[int, int]]:
    """First sample of each block, and the first one after it."""
    for start in range(0, samples, BLOCK):
        yield start, min(start + BLOCK, samples)


def block_path(folder: Path, start: int) -> Path:
    """The file of the block that begins with a sample."""
    return folder / f"{start // BLOCK:06d}.safetensors"


def write_block(path: Path, features: Float32[np.ndarray, "b d"], pixels: str) -> None:
    """Write a block, whole or not at all.

    Args:
        path: its file.
        features: of its samples.
        pixels: digest of their pictures.

    Raises:
        InputError: it cannot be written.
    """
    from safetensors.numpy import save

    try:
        write_whole(path, save({"features": features}, {"features": digest(features), "pixels": pixels}))
    except OSError as problem:
        raise cannot_write(path, problem, "choose another --config.features.cache") from problem


def read_block(path: Path, samples: int, pixels: str | None) -> Float32[np.ndarray, "b d"] | None:
    """Read a block, if it is there and sound.

    Args:
        path: its file.
        samples: that it is to have.
        pixels: digest of their pictures, where that is known without decoding them.

    Returns:
        The features; None where there are none, or where they are damaged or of other pictures, which is told on the
        standard error stream.
    """
    from safetensors import safe_open

    if not path.is_file():
        return None
    try:
        with reading(path), safe_open(path, framework="numpy") as file:
            features, stated = file.get_tensor("features"), file.metadata() or {}
        if features.ndim != 2 or len(features) != samples or stated.get("features") != digest(features):
            raise InputError(f"{path} is damaged (its checksum is another)")
        if features.dtype != np.float32 or not np.isfinite(features).all():
            raise InputError(f"{path} is damaged (its values are no features)")
        if pixels is not None and stated.get("pixels") != pixels:
            raise InputError(f"{path} was made from other pictures")
    except InputError as problem:
        print(f"zsh_jax: {str(problem).partition('; fix:')[0]}; its features are made anew", file=sys.stderr)
        return None
    made: Float32[np.ndarray, "b d"] = features
    return made
