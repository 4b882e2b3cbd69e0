"""Preprocessing of features: centring, scaling, whitening, unit length; fitted on training samples alone."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from zsh_jax.core.factorisation import eigh
from zsh_jax.core.precision import full_precision

KINDS = ("standardise", "unit", "pca", "none")


class Preprocessing(NamedTuple):
    """The preprocessing of raw features, as arrays: it can be saved and vmapped.

    The row x becomes z = ((x - mean) / scale) basis, then z / |z| if `unit` is set. The kinds without a basis share one
    structure and so one compiled program.

    Attributes:
        mean: subtracted, (d,).
        scale: divided by, (d,).
        basis: whitening directions as columns, (d, p); None for the identity.
        unit: whether rows are normalised to unit length; None for no.
    """

    mean: Float[Array, " d"]
    scale: Float[Array, " d"]
    basis: Float[Array, "d p"] | None
    unit: Bool[Array, ""] | None


@partial(jax.jit, static_argnames=("kind", "dimensions"))
@full_precision
def fit_preprocessing(
    x: Float[Array, "n d"], *, kind: str = "standardise", dimensions: int | None = None
) -> Preprocessing:
    """Fit a preprocessing on training samples.

    Kinds: "standardise" subtracts the mean of each feature and divides by its standard deviation, as published; "unit"
    only normalises rows to unit length; "pca" projects on the leading principal directions and divides by the standard
    deviation along each (whitening); "none" changes nothing.

    Args:
        x: raw features of the training samples, (n, d).
        kind: one of `KINDS`; static.
        dimensions: p, directions that "pca" keeps; None for the maximum, min(n - 1, d); static.

    Returns:
        The preprocessing. A constant feature, and a direction without variance, become zero; nothing is divided by
        rounding errors.

    Raises:
        ValueError: the kind is unknown, or the number of dimensions is out of range.
    """
    n, d = x.shape
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}; got {kind!r}")
    if dimensions is not None and (kind != "pca" or not 1 <= dimensions <= min(n - 1, d)):
        raise ValueError(
            f"dimensions={dimensions} needs kind='pca' and 1 to {min(n - 1, d)} of them for {n} samples of length "
            f"{d}; got kind={kind!r}"
        )
    zero, one, no = jnp.zeros(d, x.dtype), jnp.ones(d, x.dtype), jnp.asarray(False)
    if kind == "standardise":
        return Preprocessing(*standardisation(x), None, no)
    if kind == "pca":
        if n < 2:
            raise ValueError(f"principal directions need 2 samples or more; got {n}")
        mean, basis = _whitening(x, min(n - 1, d) if dimensions is None else dimensions)
        return Preprocessing(mean, one, basis, no)
    return Preprocessing(zero, one, None, jnp.asarray(kind == "unit"))


@jax.jit
@full_precision
def apply_preprocessing(preprocessing: Preprocessing, x: Float[Array, "n d"]) -> Float[Array, "n p"]:
    """Preprocess features in the same way as the training samples.

    Args:
        preprocessing: from `fit_preprocessing`.
        x: raw features, (n, d), of any samples.

    Returns:
        (n, p), with p = d unless a basis reduces it. A zero row stays zero.
    """
    z = (x - preprocessing.mean[None]) / preprocessing.scale[None]
    if preprocessing.basis is not None:
        z = z @ preprocessing.basis
    if preprocessing.unit is None:
        return z
    # Scale by the largest entry first: squares of a float32 row may overflow or underflow.
    largest = jnp.max(jnp.abs(z), axis=1, keepdims=True)
    shrunk = z / jnp.where(largest > 0, largest, 1)
    length = jnp.linalg.norm(shrunk, axis=1, keepdims=True)
    return jnp.where(preprocessing.unit, shrunk / jnp.where(length > 0, length, 1), z)


def preprocessed_length(preprocessing: Preprocessing) -> int:
    """The length p of a preprocessed feature vector."""
    values = preprocessing.mean if preprocessing.basis is None else preprocessing.basis
    return int(values.shape[-1])


def unit_rows(rows: Float[Array, "n f"]) -> Float[Array, "n f"]:
    """Normalise rows to unit length; a zero row stays zero. Squares must not overflow."""
    length = jnp.sqrt(jnp.sum(rows**2, axis=1, keepdims=True))
    return rows / jnp.maximum(length, jnp.finfo(rows.dtype).tiny)


def _whitening(x: Float[Array, "n d"], p: int) -> tuple[Float[Array, " d"], Float[Array, "d p"]]:
    """Mean, and the p leading eigenvectors of the covariance, each divided by the standard deviation along it."""
    n = x.shape[0]
    # The mean of a constant feature differs from its value by rounding, which must not be whitened.
    mean = jnp.where(jnp.ptp(x, axis=0) > 0, x.mean(0), x[0])
    centred = x - mean[None]
    return mean, whitening_directions(centred.T @ centred / (n - 1), n, p)


def whitening_directions(covariance: Float[Array, "d d"], samples: int, p: int) -> Float[Array, "d p"]:
    """Leading eigenvectors of a covariance, each divided by the standard deviation along it.

    Args:
        covariance: of the features.
        samples: number of samples it was estimated from.
        p: directions to keep.

    Returns:
        Columns, most variance first; zero for a direction without variance.
    """
    variances, directions = eigh(covariance)
    variances, directions = variances[::-1][:p], directions[:, ::-1][:, :p]
    # A direction without variance leaves only rounding: its eigenvalue may have either sign.
    floor = jnp.finfo(covariance.dtype).eps * max(samples, covariance.shape[0]) * variances[0]
    kept = variances > floor
    inverse = jnp.where(kept, jax.lax.rsqrt(jnp.where(kept, variances, 1)), 0)
    # The sign of an eigenvector depends on the library: make its largest entry positive.
    largest = jnp.take_along_axis(directions, jnp.abs(directions).argmax(0)[None], axis=0)
    return directions * (jnp.where(largest < 0, -1, 1) * inverse[None])


def standardisation(x: Float[Array, "n d"]) -> tuple[Float[Array, " d"], Float[Array, " d"]]:
    """Mean and standard deviation of the training features; the latter is 1 for a constant feature."""
    # Rounding of the mean gives a constant feature a tiny standard deviation: detect it by its range.
    return x.mean(0), jnp.where(jnp.ptp(x, axis=0) > 0, x.std(0), 1)
