"""A method fitted to one's own arrays: `zsh_jax.fit`."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import ArrayLike, PRNGKeyArray

from zsh_jax.core.feature_maps import RBF, FeatureMap, Identity
from zsh_jax.core.hashing import HashFunction
from zsh_jax.core.preprocessing import Preprocessing
from zsh_jax.data.nearest import nearest_names
from zsh_jax.data.semantics.targets import semantic_targets
from zsh_jax.errors import InputError
from zsh_jax.methods.protocol import Fitted, Method, Trace
from zsh_jax.methods.table import METHODS
from zsh_jax.training.prepare import GraphOptions, Preparation, Prepared, Taught, prepare
from zsh_jax.training.streams import streams

UNIT = 1e-5  # how far from 1 the length of a class vector may be and still count as 1


def fit(
    key: PRNGKeyArray,
    features: ArrayLike,
    class_vectors: ArrayLike,
    labels: ArrayLike,
    *,
    bits: int = 32,
    method: str = "zsh",
    **settings: Any,
) -> HashFunction:
    """Learn a hash function from images of seen classes.

    One pure function: vmap it over `key`, and over weights that are given by keyword.

    Args:
        key: of everything that is drawn: anchors, and the method's start.
        features: raw features of the training samples, (n, d).
        class_vectors: a row for each class, seen or not, (c, e); brought to unit length.
        labels: class indices into `class_vectors`, (n,), or multi-hot, (n, c).
        bits: code length l.
        method: a key of `zsh_jax.METHODS`.
        **settings: weights and options of the method; `preprocessing`, `pca_dimensions`, `anchors`; `neighbours`,
            `edge_weights`, `graph` ("knn" or "anchors") and `laplacian` ("plain" or "normalised"); and `bandwidth`, in
            multiples of the published rule. There are as many anchors as samples where these are fewer than 1,000.

    Returns:
        The hash function, for `encode` and, where the method gives classes codes, `encode_classes`.

    Raises:
        InputError: an argument is unknown, or arrays do not fit each other.

    Example:
        >>> import jax, numpy as np, zsh_jax as zsh
        >>> rng = np.random.default_rng(0)
        >>> vectors, labels = rng.normal(size=(5, 8)), rng.integers(0, 4, 60)  # class 4 is unseen
        >>> features = vectors[labels] + 0.1 * rng.normal(size=(60, 8))
        >>> model = zsh.fit(jax.random.key(0), features, vectors, labels, bits=16, neighbours=5)
        >>> zsh.encode(model, features).shape
        (60, 2)
    """
    hash_function, _ = fit_with_trace(
        key, features, class_vectors, labels, bits=bits, method=method, **settings
    )
    return hash_function


def fit_with_trace(
    key: PRNGKeyArray,
    features: ArrayLike,
    class_vectors: ArrayLike,
    labels: ArrayLike,
    *,
    bits: int = 32,
    method: str = "zsh",
    **settings: Any,
) -> tuple[HashFunction, Trace | None]:
    """Learn a hash function, and tell how the solver got there.

    Args:
        key: as for `fit`.
        features: as for `fit`.
        class_vectors: as for `fit`.
        labels: as for `fit`.
        bits: as for `fit`.
        method: as for `fit`.
        **settings: as for `fit`.

    Returns:
        The hash function, and the trace of the method; None where it has no objective to follow.

    Raises:
        InputError: as for `fit`.
    """
    chosen = method_named(method)
    x = jnp.asarray(features, jnp.result_type(float))
    if x.ndim != 2:
        raise InputError(f"features: takes (n, d) numbers, not shape {x.shape}")
    weights, options, how, scale = _settings(chosen, len(x), settings)
    _check_bits(chosen, bits, x.shape[1])
    taught = _taught(labels, class_vectors, len(x))
    prepared = prepare(x, taught, streams(key), scale, how=how, reads=chosen.reads)
    fitted = chosen.fit(prepared.start, prepared.data, weights, options, bits=bits)
    return assemble(chosen, prepared, fitted), fitted.trace


def assemble(method: Method, prepared: Prepared, fitted: Fitted) -> HashFunction:
    """Put a hash function together from what came before the method and what it learned.

    Args:
        method: whose head it is.
        prepared: the data split.
        fitted: to it.

    Returns:
        The hash function. Leaves with leading axes make leaves with these.
    """
    feature_map = mapped_by(method.feature_map, rbf_of(method, prepared))
    return HashFunction(preprocessing_of(method, prepared), feature_map, fitted.head, fitted.class_head)


def rbf_of(method: Method, prepared: Prepared) -> RBF | None:
    """Anchors and bandwidth, where the head of a method reads RBF features."""
    return None if method.feature_map is Identity else prepared.rbf


def mapped_by(kind: Callable[..., FeatureMap], rbf: RBF | None) -> FeatureMap:
    """A feature map of some kind, with the anchors and the bandwidth of a split where it has such."""
    return kind() if rbf is None else kind(*rbf)


def preprocessing_of(method: Method, prepared: Prepared) -> Preprocessing:
    """The preprocessing before it: none for a method that reads the raw features."""
    fitted = prepared.preprocessing
    if method.reads:
        return fitted
    return Preprocessing(jnp.zeros_like(fitted.mean), jnp.ones_like(fitted.scale), None, None)


def method_named(name: str) -> Method:
    """A method of the table.

    Args:
        name: of the method.

    Returns:
        The method.

    Raises:
        InputError: there is none of that name.
    """
    if name not in METHODS:
        raise InputError(f"method: there is no {name!r}; {nearest_names(str(name), METHODS)}")
    return METHODS[name]


def _settings(method: Method, samples: int, given: dict[str, Any]) -> tuple[Any, Any, Preparation, Any]:
    """Weights, options, preparation and bandwidth from keywords, each where it belongs."""
    left = dict(given)

    def take(names: tuple[str, ...]) -> dict[str, Any]:
        return {name: left.pop(name) for name in names if name in left}

    weights = method.weights(**take(method.weights._fields))
    options = method.options(**take(tuple(one.name for one in fields(method.options))))
    laplacian, kind = left.pop("laplacian", "plain"), left.pop("graph", "knn")
    if laplacian not in ("plain", "normalised") or kind not in ("knn", "anchors"):
        raise InputError(
            f"graph, laplacian: take knn or anchors, plain or normalised, not {kind!r}, {laplacian!r}"
        )
    graph = GraphOptions(
        kind=kind, normalised=laplacian == "normalised", **take(("neighbours", "edge_weights"))
    )
    how = Preparation(graph=graph, **take(("preprocessing", "pca_dimensions", "anchors")))
    scale = left.pop("bandwidth", 1.0)
    if left:
        own = (*method.weights._fields, *(one.name for one in fields(method.options)))
        known = (*own, "preprocessing", "pca_dimensions", "anchors", "neighbours", "bandwidth")
        raise InputError(f"{method.name} has no setting {min(left)!r}; {nearest_names(min(left), known)}")
    if "anchors" not in given:
        how = replace(how, anchors=min(how.anchors, samples))
    return weights, options, how, jnp.asarray(scale, jnp.result_type(float))


def _check_bits(method: Method, bits: int, features: int) -> None:
    most = None if method.most_bits is None else method.most_bits(features)
    if method.has_codes and (bits < 1 or (most is not None and bits > most)):
        limit = "" if most is None else f" to {most:,}, since its bits are directions of the features"
        raise InputError(f"bits: {method.name} takes 1 or more{limit}, not {bits}")


def _taught(labels: ArrayLike, class_vectors: ArrayLike, samples: int) -> Taught:
    """Labels, targets and vectors of unit length; read on the host, so that bad labels are told."""
    own = np.asarray(labels)
    vectors = np.asarray(class_vectors, jnp.result_type(float))
    if vectors.ndim != 2 or own.ndim not in (1, 2) or len(own) != samples:
        raise InputError(
            f"labels: takes ({samples},) indices or ({samples}, {len(vectors)}) marks, for class vectors of shape "
            f"(c, e); got {own.shape} and {vectors.shape}"
        )
    if own.dtype.kind not in ("iu" if own.ndim == 1 else "iub"):
        raise InputError(f"labels: takes whole numbers, or marks of several labels, not {own.dtype}")
    own = own.astype(bool) if own.ndim == 2 else own
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (np.isfinite(lengths).all() and (lengths > 0).all()):
        raise InputError("class_vectors: a row is zero or not finite; give each class a direction")
    vectors = np.where(np.abs(lengths - 1) > UNIT, vectors / lengths, vectors)
    targets = semantic_targets(own, vectors)
    return Taught(jnp.asarray(own), jnp.asarray(targets, vectors.dtype), jnp.asarray(vectors, vectors.dtype))
