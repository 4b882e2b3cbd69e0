"""The hash function: preprocess, map, project, sign."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int, Shaped, UInt8

from zsh_jax.core.feature_maps import RBF, FeatureMap
from zsh_jax.core.heads import ClassHead, Head
from zsh_jax.core.packing import pack_codes
from zsh_jax.core.precision import full_precision
from zsh_jax.core.preprocessing import Preprocessing, apply_preprocessing
from zsh_jax.core.sharding import by_share


class HashFunction(NamedTuple):
    """sign(head(map(preprocess(x)))): everything needed to encode new images, for any method.

    The published form is sign(phi(x) P), with an `RBF` feature map and a `Linear` head (Yang et al. 2016, eq. 3).

    Attributes:
        preprocessing: of raw features.
        feature_map: of preprocessed features.
        head: from mapped features to l values, whose signs are the code.
        class_head: from class vectors to l values; None if the method has none.
    """

    preprocessing: Preprocessing
    feature_map: FeatureMap
    head: Head
    class_head: ClassHead | None = None


def code_length(hash_function: HashFunction) -> int:
    """The code length l, in bits; 0 for a bound, which has no codes."""
    return hash_function.head.bits


@partial(jax.jit, static_argnames="block")
@full_precision
def project(hash_function: HashFunction, x: Float[Array, "n d"], *, block: int = 1024) -> Float[Array, "n l"]:
    """The real values whose signs are the codes of images.

    Args:
        hash_function: a trained hash function.
        x: raw features, (n, d).
        block: samples at a time; static. Memory: block x m.

    Returns:
        (n, l); for a bound, the vectors that it compares.

    Examples:
        After the example of `encode`:

        >>> bool((zsh.unpack_codes(codes, bits=16) == np.sign(zsh.project(model, features))).all())
        True
    """
    return _in_blocks(_project, hash_function, x, block=block)


@partial(jax.jit, static_argnames="block")
@full_precision
def mapped_rbf(
    preprocessing: Preprocessing, rbf: RBF, x: Float[Array, "n d"], *, block: int = 1024
) -> Float[Array, "n m"]:
    """RBF features of images, for `encode` with many heads.

    Args:
        preprocessing: of raw features.
        rbf: the feature map.
        x: raw features, (n, d).
        block: samples at a time; static.

    Returns:
        (n, m).
    """
    return _in_blocks(_mapped, (preprocessing, rbf), x, block=block)


@partial(jax.jit, static_argnames="block")
@full_precision
def encode(
    hash_function: HashFunction,
    x: Float[Array, "n d"],
    phi: Float[Array, "n m"] | None = None,
    *,
    block: int = 1024,
) -> UInt8[Array, "n bytes"]:
    """Packed codes of images. A projection of exactly zero gives bit 0.

    Args:
        hash_function: a trained hash function; vmap over its `head` alone to share the mapped features.
        x: raw features, (n, d).
        phi: `mapped_rbf` of x, if already computed.
        block: samples at a time; static. Memory: block x m.

    Returns:
        (n, ceil(l / 8)) bytes, in the format of `pack_codes`.

    Raises:
        ValueError: the method has no codes.

    Examples:
        After the example of `zsh_jax.fit`:

        >>> codes = zsh.encode(model, features)
        >>> codes.shape, str(codes.dtype)
        ((60, 2), 'uint8')
    """
    if code_length(hash_function) == 0:
        raise ValueError("a bound has no codes; fix: use project, and compare its results by cosine")

    return _in_blocks(_codes, hash_function, *((x,) if phi is None else (x, phi)), block=block)


def encode_each(
    hash_function: HashFunction, x: Float[Array, "n d"], phi: Float[Array, "n m"] | None = None
) -> UInt8[Array, "cells n bytes"]:
    """Codes of several hash functions that share preprocessing and feature map, which are applied once.

    Args:
        hash_function: leaves of `head` have a leading axis.
        x: raw features, (n, d).
        phi: `mapped_rbf` of x, if already computed.

    Returns:
        Packed codes, (cells, n, ceil(l / 8)).
    """
    shared = hash_function._replace(class_head=None)
    return jax.vmap(lambda head: encode(shared._replace(head=head), x, phi))(hash_function.head)


@jax.jit
@full_precision
def encode_classes(hash_function: HashFunction, vectors: Float[Array, "c e"]) -> UInt8[Array, "c bytes"]:
    """Packed codes of classes, seen or unseen, from their class vectors alone.

    Args:
        hash_function: of a method with a class head.
        vectors: class vectors, rows of unit length, (c, e).

    Returns:
        (c, ceil(l / 8)) bytes.

    Raises:
        ValueError: the method has no class codes.

    Examples:
        After the example of `zsh_jax.fit`; also the unseen class has a code:

        >>> zsh.encode_classes(model, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).shape
        (5, 2)
    """
    if hash_function.class_head is None:
        raise ValueError("this method has no class codes; fix: use one that reads class vectors, such as zsh")
    return pack_codes(hash_function.class_head(vectors))


def _project(
    hash_function: HashFunction, x: Float[Array, "b d"], phi: Float[Array, "b m"] | None = None
) -> Float[Array, "b l"]:
    features = apply_preprocessing(hash_function.preprocessing, x)
    return hash_function.head(hash_function.feature_map(features, phi))


def _codes(
    hash_function: HashFunction, x: Float[Array, "b d"], phi: Float[Array, "b m"] | None = None
) -> UInt8[Array, "b bytes"]:
    return pack_codes(_project(hash_function, x, phi))


def _mapped(made_by: tuple[Preprocessing, RBF], x: Float[Array, "b d"]) -> Float[Array, "b m"]:
    preprocessing, rbf = made_by
    return rbf(apply_preprocessing(preprocessing, x))


def _in_blocks(
    function: Callable[..., Shaped[Array, "b *s"]],
    parameters: Any,
    *rows: Shaped[Array, "n *_"],
    block: int,
) -> Shaped[Array, "n *s"]:
    """Apply a function of parameters and rows to blocks of the rows of each device."""

    def of_share(*args: Any) -> Shaped[Array, "n *s"]:
        *own, parameters = args
        return _one_by_one(partial(function, parameters), *own, block=block)

    return by_share(of_share, rows, (parameters,))


def _one_by_one(
    function: Callable[..., Shaped[Array, "b *s"]], *rows: Shaped[Array, "n *_"], block: int
) -> Shaped[Array, "n *s"]:
    """Apply a function of rows to blocks of them, all of one size: the last block overlaps the one before.

    Blocks are cut out and put in place as they come. A map would copy all rows before, and all results after.
    """
    n = rows[0].shape[0]
    block = min(block, n)

    def of_block(start: Int[Array, ""]) -> Shaped[Array, "b *s"]:
        return function(*(lax.dynamic_slice_in_dim(row, start, block) for row in rows))

    def put(i: Int[Array, ""], out: Shaped[Array, "n *s"]) -> Shaped[Array, "n *s"]:
        start = i * block  # slices of a fixed size move the last start back to where they fit
        return lax.dynamic_update_slice_in_dim(out, of_block(start), start, axis=0)

    shape = jax.eval_shape(of_block, jnp.array(0))
    return lax.fori_loop(0, -(-n // block), put, jnp.zeros((n, *shape.shape[1:]), shape.dtype))
