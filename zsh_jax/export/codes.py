"""Encode features on the host with a hash function of any method."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Num, UInt8

from zsh_jax.core.hashing import HashFunction, code_length, encode
from zsh_jax.errors import InputError

ROWS = 65_536  # on the device at a time


def codes_of(hash_function: HashFunction, features: Num[np.ndarray, "n d"]) -> UInt8[np.ndarray, "n bytes"]:
    """Encode features block by block, so that only one block must fit the device.

    Args:
        hash_function: loaded or just trained.
        features: raw features, before preprocessing; may be memory-mapped.

    Returns:
        (n, ceil(l / 8)) bytes, the first bit highest; bits after l are zero, so distances count l bits.

    Raises:
        InputError: if the features have another size or are not finite, or the hash function is an unhashed bound.
    """
    check_features(hash_function, features)
    function: HashFunction = jax.tree.map(jnp.asarray, hash_function)
    return _in_parts(lambda x: encode(function, x), features, function.preprocessing.mean.dtype)


def check_features(hash_function: HashFunction, features: Num[np.ndarray, "n d"]) -> None:
    """Check that raw features can be encoded.

    Raises:
        InputError: if the features have another size or are not finite, or the hash function is an unhashed bound.
    """
    if code_length(hash_function) == 0:
        raise InputError(
            "a bound compares real-valued vectors and has no codes; fix: use a hash function of a method with codes"
        )
    values = len(hash_function.preprocessing.mean)
    if features.ndim != 2 or features.dtype.kind not in "fiu" or not len(features):
        raise InputError(
            f"features must be (n, d) real numbers with n >= 1, not {features.dtype} {features.shape}; fix: give one "
            "row a sample"
        )
    if features.shape[1] != values:
        raise InputError(
            f"features have {features.shape[1]} values, but the hash function needs {values}; fix: use the features "
            "that it was trained on"
        )
    damaged = []
    for start, part in _parts(features):
        with np.errstate(over="ignore", invalid="ignore"):  # values beyond float32 become infinite
            held = part.astype(hash_function.preprocessing.mean.dtype)
        damaged.append(start + np.flatnonzero(~np.isfinite(held).all(axis=1)))
    rows = np.concatenate(damaged)
    if rows.size:
        raise InputError(
            f"features of {rows.size} of {len(features)} rows are not finite (first: row {rows[0]}); fix: extract them "
            "again"
        )


def _parts(features: Num[np.ndarray, "n d"]) -> list[tuple[int, Num[np.ndarray, "k d"]]]:
    """Blocks of rows, as views, each with the number of its first row."""
    return [(start, features[start : start + ROWS]) for start in range(0, len(features), ROWS)]


def _in_parts(
    encoder: Callable[[jax.Array], jax.Array], features: Num[np.ndarray, "n d"], dtype: np.dtype
) -> UInt8[np.ndarray, "n bytes"]:
    return np.concatenate([np.asarray(encoder(jnp.asarray(part, dtype))) for _, part in _parts(features)])
