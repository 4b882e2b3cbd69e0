"""`zsh_jax.fit`: fit a method to arrays."""

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

    A pure function: vmap it over `key` and over weights passed by keyword.

    Args:
        key: for all random draws: anchors, and the start of the method.
        features: raw features of the training samples, (n, d).
        class_vectors: a row for each class, seen or unseen, (c, e); normalised to unit length.
        labels: class indices into `class_vectors`, (n,), or multi-hot, (n, c).
        bits: code length l.
        method: a key of `zsh_jax.METHODS`.
        **settings: weights and options of the method; `preprocessing`, `pca_dimensions`, `anchors`; `neighbours`,
            `edge_weights`, `graph` ("knn" or "anchors") and `laplacian` ("plain" or "normalised"); and `bandwidth`, in
            multiples of the published rule. The default number of anchors is min(1,000, n).

    Returns:
        The hash function, for `encode` and, if the method has class codes, `encode_classes`.

    Raises:
        InputError: an argument is unknown, or arrays do not match.

    Examples:
        >>> import jax, numpy as np, zsh_jax as zsh
        >>> rng = np.random.default_rng(0)
        >>> vectors, labels = rng.normal(size=(5, 8)), rng.integers(0, 4, 60)  # class 4 is unseen
        >>> features = vectors[labels] + 0.1 * rng.normal(size=(60, 8))
        >>> model = zsh.fit(jax.random.key(0), features, vectors, labels, bits=16, neighbours=5)
        >>> zsh.code_length(model)
        16
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
    """Learn a hash function and return the trace of the solver too.

    Args:
        key: as for `fit`.
        features: as for `fit`.
        class_vectors: as for `fit`.
        labels: as for `fit`.
        bits: as for `fit`.
        method: as for `fit`.
        **settings: as for `fit`.

    Returns:
        The hash function, and the trace; None if the method has no objective.

    Raises:
        InputError: as for `fit`.

    Examples:
        After the example of `fit`:

        >>> _, trace = zsh.fit_with_trace(jax.random.key(0), features, vectors, labels, bits=16, neighbours=5)
        >>> bool(trace.objective <= trace.terms.total[0])
        True
    """
    chosen = method_named(method)
    x = jnp.asarray(numbers("features", features))
    taught = taught_by(labels, class_vectors, len(x))
    given = sorted_out(chosen, x.shape, bits, settings)
    prepared = prepare(x, taught, streams(key), given.bandwidth, how=given.how, reads=chosen.reads)
    fitted = chosen.fit(prepared.start, prepared.data, given.weights, given.options, bits=given.bits)
    return assemble(chosen, prepared, fitted), fitted.trace


def assemble(method: Method, prepared: Prepared, fitted: Fitted) -> HashFunction:
    """Assemble a hash function from the preparation and the fitted head.

    Args:
        method: the method.
        prepared: the data split.
        fitted: the result of the method.

    Returns:
        The hash function. Leading axes of leaves are kept.
    """
    feature_map = mapped_by(method.feature_map, rbf_of(method, prepared))
    return HashFunction(preprocessing_of(method, prepared), feature_map, fitted.head, fitted.class_head)


def rbf_of(method: Method, prepared: Prepared) -> RBF | None:
    """Anchors and bandwidth, if the head of the method reads RBF features."""
    return None if method.feature_map is Identity else prepared.rbf


def mapped_by(kind: Callable[..., FeatureMap], rbf: RBF | None) -> FeatureMap:
    """A feature map of the given kind, with anchors and bandwidth if the split has them."""
    return kind() if rbf is None else kind(*rbf)


def preprocessing_of(method: Method, prepared: Prepared) -> Preprocessing:
    """The preprocessing of the method; the identity if it reads raw features."""
    fitted = prepared.preprocessing
    if method.reads:
        return fitted
    return Preprocessing(jnp.zeros_like(fitted.mean), jnp.ones_like(fitted.scale), None, None)
