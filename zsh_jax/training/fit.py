"""A method fitted to one's own arrays: `zsh_jax.fit`."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import PRNGKeyArray

from zsh_jax.core.feature_maps import RBF, FeatureMap, Identity
from zsh_jax.core.hashing import HashFunction
from zsh_jax.core.preprocessing import Preprocessing
from zsh_jax.methods.protocol import Fitted, Method, Trace
from zsh_jax.methods.table import PUBLISHED
from zsh_jax.training.arguments import method_named, numbers, sorted_out, taught_by
from zsh_jax.training.prepare import Prepared, prepare
from zsh_jax.training.streams import streams


def fit(
    key: PRNGKeyArray,
    features: ArrayLike,
    class_vectors: ArrayLike,
    labels: ArrayLike,
    *,
    bits: int = 32,
    method: str = PUBLISHED,
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
    method: str = PUBLISHED,
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
    x = jnp.asarray(numbers("features", features))
    taught = taught_by(labels, class_vectors, len(x))
    given = sorted_out(chosen, x.shape, bits, settings)
    prepared = prepare(x, taught, streams(key), given.bandwidth, how=given.how, reads=chosen.reads)
    fitted = chosen.fit(prepared.start, prepared.data, given.weights, given.options, bits=given.bits)
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
