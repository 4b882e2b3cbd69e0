"""Codes of features that lie on the host, under a hash function of any method."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Num, UInt8

from zsh_jax.core.hashing import HashFunction, code_length, encode
from zsh_jax.errors import InputError

ROWS = 65_536  # on the device at a time


def codes_of(hash_function: HashFunction, features: Num[np.ndarray, "n d"]) -> UInt8[np.ndarray, "n bytes"]:
    """Encode features, some rows at a time, so that only these need fit the device.

    Args:
        hash_function: as `load` gives it, or as it was trained.
        features: raw features, (n, d), as they were before preprocessing; may be memory-mapped.

    Returns:
        (n, ceil(l / 8)) bytes, the first bit highest; the bits past l are zero, so distances are those of l bits.

    Raises:
        InputError: if the features do not fit the hash function, or are not finite, or if it is a bound.
    """
    check_features(hash_function, features)
    function: HashFunction = jax.tree.map(jnp.asarray, hash_function)
    return _in_parts(lambda x: encode(function, x), features, function.preprocessing.mean.dtype)


def check_features(hash_function: HashFunction, features: Num[np.ndarray, "n d"]) -> None:
    """See whether features can be encoded.

    Args:
        hash_function: of any method.
        features: raw features, (n, d).

    Raises:
        InputError: if they do not fit the hash function, or are not finite, or if it is a bound.
    """
    if code_length(hash_function) == 0:
        raise InputError("a bound compares real-valued vectors and has no codes; give a method that hashes")
    values = len(hash_function.preprocessing.mean)
    if features.ndim != 2 or features.dtype.kind not in "fiu" or not len(features):
        raise InputError(
            f"features must be (n, d) real numbers, n at least 1; got {features.dtype} {features.shape}"
        )
    if features.shape[1] != values:
        raise InputError(
            f"features have {features.shape[1]} values and the hash function takes {values}; give the features that "
            "it was trained on"
        )
    damaged = []
    for start, part in _parts(features):
        with np.errstate(over="ignore", invalid="ignore"):  # what float32 cannot hold becomes infinite
            held = part.astype(hash_function.preprocessing.mean.dtype)
        damaged.append(start + np.flatnonzero(~np.isfinite(held).all(axis=1)))
    rows = np.concatenate(damaged)
    if rows.size:
        raise InputError(
            f"features of {rows.size} of {len(features)} rows are not finite (first: row {rows[0]}); extract them again"
        )


def _parts(features: Num[np.ndarray, "n d"]) -> list[tuple[int, Num[np.ndarray, "k d"]]]:
    """Views of a number of rows each, with their first row."""
    return [(start, features[start : start + ROWS]) for start in range(0, len(features), ROWS)]


def _in_parts(
    encoder: Callable[[jax.Array], jax.Array], features: Num[np.ndarray, "n d"], dtype: np.dtype
) -> UInt8[np.ndarray, "n bytes"]:
    return np.concatenate([np.asarray(encoder(jnp.asarray(part, dtype))) for _, part in _parts(features)])
