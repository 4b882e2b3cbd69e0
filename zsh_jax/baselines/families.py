"""The three kinds of hash functions, told apart in one place: of RBF features, linear, and joint."""

from typing import Any

import jax
from jaxtyping import Array, Float, UInt8

from zsh_jax.baselines.hash_functions import Kernel, Linear, LinearHashFunction, encode_linear
from zsh_jax.core.hashing import HashFunction, encode
from zsh_jax.core.joint import Joint, JointHashFunction, encode_joint
from zsh_jax.core.preprocessing import Preprocessing

HashMap = Kernel | Linear | Joint
"""What a method learns."""
AnyHashFunction = HashFunction | LinearHashFunction | JointHashFunction
"""The same, with all that comes before it."""


def with_preprocessing(hash_map: Any, preprocessing: Any, anchors: Any, bandwidth: Any) -> AnyHashFunction:
    """Put a hash function together.

    Args:
        hash_map: what was learnt, a `HashMap`.
        preprocessing: of raw features, a `Preprocessing`.
        anchors: preprocessed, (k, p); not read for a linear one.
        bandwidth: sigma^2; not read for a linear one.

    Returns:
        The hash function. Axes of a vmap in the place of arrays make the axes of its own.
    """
    mean, scale, basis, unit = preprocessing
    if isinstance(hash_map, Linear):
        return LinearHashFunction(mean, scale, *hash_map, basis, unit)
    kind: Any = JointHashFunction if isinstance(hash_map, Joint) else HashFunction
    made: AnyHashFunction = kind(mean, scale, anchors, bandwidth, *hash_map, basis, unit)
    return made


def encode_any(function: AnyHashFunction, x: Float[Array, "n d"]) -> UInt8[Array, "n bytes"]:
    """Codes of images under a hash function of any kind.

    Args:
        function: trained.
        x: raw features, (n, d).

    Returns:
        Packed codes, (n, ceil(l / 8)).
    """
    if isinstance(function, LinearHashFunction):
        return encode_linear(function, x)
    if isinstance(function, JointHashFunction):
        return encode_joint(function, x)
    return encode(function, x)


def encode_each(function: AnyHashFunction, x: Float[Array, "n d"]) -> UInt8[Array, "cells n bytes"]:
    """Codes under several hash functions that share all that comes before what was learnt, RBF features too.

    Args:
        function: leaves of what was learnt have a leading axis.
        x: raw features, (n, d).

    Returns:
        Packed codes, (cells, n, ceil(l / 8)).
    """
    learnt = learnt_fields(function)
    axes: Any = type(function)
    axes = axes(*(0 if name in learnt else None for name in function._fields))
    return jax.vmap(encode_any, in_axes=(axes, None))(function, x)


def learnt_fields(function: AnyHashFunction) -> tuple[str, ...]:
    """Names of the fields of a hash function that are of its map, not of what comes before it."""
    before = {*Preprocessing._fields, "anchors", "bandwidth"}
    return tuple(name for name in function._fields if name not in before)


def kind_of(function: AnyHashFunction) -> str:
    """The kind of a hash function in a word: kernel, linear or joint."""
    if isinstance(function, LinearHashFunction):
        return "linear"
    return "joint" if isinstance(function, JointHashFunction) else "kernel"


def bits_of(function: AnyHashFunction) -> int:
    """Code length l of a hash function."""
    last = function.frame if isinstance(function, JointHashFunction) else function.projection
    return int(last.shape[-1])
