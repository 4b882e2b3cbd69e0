"""Sort and check the arguments of `fit`."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, NamedTuple, get_args

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from zsh_jax.core.graph import EdgeWeights
from zsh_jax.core.preprocessing import KINDS
from zsh_jax.data.nearest import nearest_names
from zsh_jax.data.semantics.targets import semantic_targets
from zsh_jax.errors import InputError
from zsh_jax.methods.protocol import Method, Reads
from zsh_jax.methods.ranges import own_takes
from zsh_jax.methods.table import METHODS
from zsh_jax.takes import Takes, check, number, one_of, shown, whole
from zsh_jax.training.prepare import GraphOptions, Preparation, Taught

UNIT = 1e-5  # tolerance for the unit length of a class vector
FIX = "fix: see the docstring of zsh_jax.fit"
BEFORE: dict[str, Takes] = {
    "preprocessing": one_of(*KINDS),
    "pca_dimensions": whole(0),
    "anchors": whole(1),
    "bandwidth": number(),
    "graph": one_of("knn", "anchors"),
    "neighbours": whole(1),
    "edge_weights": one_of(*get_args(EdgeWeights)),
    "laplacian": one_of("plain", "normalised"),
}
"""Accepted values of each preparation setting."""


class Given(NamedTuple):
    """The settings of one fit.

    Attributes:
        weights: of the method; may be traced.
        options: of the method.
        how: preparation of the data.
        bandwidth: in multiples of the published rule; may be traced.
        bits: code length; 0 for a bound.
    """

    weights: Any
    options: Any
    how: Preparation
    bandwidth: Float[Array, ""]
    bits: int


def method_named(name: str) -> Method:
    """Look up a method by name.

    Raises:
        InputError: the name is unknown.
    """
    if name not in METHODS:
        raise InputError(f"method: there is no {name!r}; {nearest_names(str(name), METHODS)}")
    return METHODS[name]


def numbers(name: str, rows: ArrayLike) -> Any:
    """Check a matrix of real numbers on the host and convert it to the current precision; works inside jit.

    Args:
        name: of the argument.
        rows: as given.

    Returns:
        (n, d); a traced array stays traced, and its values are not checked.

    Raises:
        InputError: it is not a matrix of numbers, is empty, or has values that are not finite.
    """
    traced = isinstance(rows, jax.core.Tracer)
    array: Any = rows if traced else np.asarray(rows)
    if not (array.dtype.kind in "fiub" or jnp.issubdtype(array.dtype, jnp.floating)):
        raise InputError(f"{name}: must be (n, d) numbers; got {array.dtype}")
    if array.ndim != 2 or 0 in array.shape:
        raise InputError(f"{name}: must be (n, d) numbers; got shape {array.shape}")
    with np.errstate(over="ignore"):  # values beyond float32 become infinite
        found = array.astype(jnp.result_type(float))
    damaged = np.empty(0, int) if traced else np.flatnonzero(~np.isfinite(found).all(axis=1))
    if damaged.size:
        raise InputError(
            f"{name}: {damaged.size} of {len(found)} rows are not finite (first: row {damaged[0]}); fix: correct them"
        )
    return found


def sorted_out(method: Method, shape: tuple[int, ...], bits: int, settings: Mapping[str, Any]) -> Given:
    """Sort keywords into weights, options and preparation settings.

    Args:
        method: the method to fit.
        shape: of the features, (n, d).
        bits: code length.
        settings: by keyword.

    Returns:
        The settings.

    Raises:
        InputError: a setting is unknown, or its value is not accepted.
    """
    own = dict(own_takes(method.name))
    unknown = sorted(set(settings) - set(own) - set(BEFORE))
    if unknown:
        nearest = nearest_names(unknown[0], (*own, *BEFORE))
        raise InputError(f"{method.name} has no setting {unknown[0]!r}; {nearest}")
    traced = (*method.weights._fields, "bandwidth")
    values = {
        name: _checked(name, value, (BEFORE | own)[name], may_be_traced=name in traced)
        for name, value in settings.items()
    }
    before = {name: values[name] for name in BEFORE if name in values}
    how = _preparation(method, shape, before)
    return Given(
        weights=method.weights(**{name: values[name] for name in method.weights._fields if name in values}),
        options=method.options(
            **{one.name: values[one.name] for one in fields(method.options) if one.name in values}
        ),
        how=how,
        bandwidth=jnp.asarray(before.get("bandwidth", 1.0), jnp.result_type(float)),
        bits=_code_length(method, bits, shape, how),
    )


def taught_by(labels: ArrayLike, class_vectors: ArrayLike, samples: int) -> Taught:
    """Labels, targets and unit class vectors, checked on the host.

    Args:
        labels: class indices, or multi-hot.
        class_vectors: a row for each class.
        samples: n.

    Returns:
        Labels, targets and class vectors.

    Raises:
        InputError: they do not match.
    """
    own, vectors = checked_supervision(labels, class_vectors, samples)
    targets = semantic_targets(own, vectors)
    return Taught(jnp.asarray(own), jnp.asarray(targets, vectors.dtype), jnp.asarray(vectors, vectors.dtype))


def checked_supervision(labels: ArrayLike, class_vectors: ArrayLike, samples: int) -> tuple[Any, Any]:
    """Labels and class vectors, checked on the host.

    Args:
        labels: class indices, or multi-hot.
        class_vectors: a row for each class.
        samples: n.

    Returns:
        Labels (n,), or (n, c) booleans; and class vectors (c, e), rows of unit length.

    Raises:
        InputError: they do not match.
    """
    own, vectors = np.asarray(labels), numbers("class_vectors", class_vectors)
    if own.ndim not in (1, 2) or len(own) != samples:
        raise InputError(
            f"labels: must be ({samples},) indices or ({samples}, {len(vectors)}) multi-hot, one row a sample; got "
            f"{own.shape}"
        )
    if own.dtype.kind not in ("iu" if own.ndim == 1 else "iub"):
        raise InputError(f"labels: must be whole numbers, or multi-hot; got {own.dtype}")
    if own.ndim == 2:
        if not np.isin(own, (0, 1)).all():
            raise InputError("labels: multi-hot labels must be 0 or 1, or False or True")
        own = own.astype(bool)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (np.isfinite(lengths).all() and (lengths > 0).all()):
        raise InputError(
            "class_vectors: a row is zero or too large; fix: give each class a finite nonzero vector"
        )
    return own, np.where(np.abs(lengths - 1) > UNIT, vectors / lengths, vectors)


def _checked(name: str, value: Any, takes: Takes, *, may_be_traced: bool) -> Any:
    """Check a value and convert it to its Python type or, for a weight, its JAX type."""
    if isinstance(value, jax.core.Tracer) and may_be_traced and value.ndim == 0:
        return value
    if isinstance(value, np.generic | np.ndarray | jax.Array) and np.ndim(value) == 0:
        value = value if isinstance(value, jax.core.Tracer) else value.item()
    check(takes, name, value, FIX)
    return jnp.asarray(value, jnp.result_type(float)) if may_be_traced else value


def _preparation(method: Method, shape: tuple[int, ...], before: Mapping[str, Any]) -> Preparation:
    samples, features = shape
    plain, graph = Preparation(), GraphOptions()
    kind, dimensions = before.get("preprocessing", plain.preprocessing), before.get("pca_dimensions", 0)
    most = min(samples - 1, features)
    if kind == "pca" and (dimensions > most or most < 1):
        raise InputError(
            f"pca_dimensions: {samples} samples of {features} features have {most} principal directions, not "
            f"{dimensions}; fix: lower pca_dimensions"
        )
    anchors = before.get("anchors", min(plain.anchors, samples))
    graph = GraphOptions(
        kind=before.get("graph", graph.kind),
        neighbours=before.get("neighbours", graph.neighbours),
        edge_weights=before.get("edge_weights", graph.edge_weights),
        normalised=before.get("laplacian", "plain") == "normalised",
    )
    if method.reads & {Reads.RBF, Reads.GRAPH} and anchors > samples:
        raise InputError(
            f"anchors: {anchors} anchors cannot be drawn from {samples} samples; fix: lower anchors"
        )
    among = (samples, "samples") if graph.kind == "knn" else (anchors, "anchors")
    if Reads.GRAPH in method.reads and graph.neighbours >= among[0]:
        raise InputError(
            f"neighbours: {graph.neighbours} cannot be found among {among[0]} {among[1]}; fix: lower neighbours"
        )
    return Preparation(preprocessing=kind, pca_dimensions=dimensions, anchors=anchors, graph=graph)


def _code_length(method: Method, bits: int, shape: tuple[int, ...], how: Preparation) -> int:
    if not method.has_codes:
        return 0
    samples, features = shape
    if how.preprocessing == "pca":
        features = how.pca_dimensions or min(samples - 1, features)
    most = None if method.most_bits is None else method.most_bits(features)
    if not isinstance(bits, int | np.integer) or isinstance(bits, bool) or bits < 1 or (most and bits > most):
        limit = "or more" if most is None else f"to {most:,}, since its bits are directions of the features"
        raise InputError(f"bits: {method.name} takes a whole number, 1 {limit}, not {shown(bits)}")
    return int(bits)
