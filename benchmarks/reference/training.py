"""The alternating steps and their loop, in the published order P, R, W, B."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.linalg import cho_factor, cho_solve

from benchmarks.reference import features as plain


class Weights(NamedTuple):
    """Weights of the objective, see `zsh_jax.Hyperparameters`."""

    lam: float = 1e-2
    alpha: float = 1e-5
    beta: float = 1e-4
    gamma: float = 1e-6


class Prepared(NamedTuple):
    """Training data: Phi, Y, Phi'Phi and Phi'L Phi."""

    phi: Float[np.ndarray, "n m"]
    semantics: Float[np.ndarray, "n e"]
    gram: Float[np.ndarray, "m m"]
    locality: Float[np.ndarray, "m m"]


class Solved(NamedTuple):
    """Codes B, projection P and the number of passes."""

    codes: Float[np.ndarray, "n l"]
    projection: Float[np.ndarray, "m l"]
    passes: int


def prepare(
    x: Float[np.ndarray, "n d"],
    anchors: Float[np.ndarray, "k d"],
    semantics: Float[np.ndarray, "n e"],
    *,
    k: int,
) -> Prepared:
    """Standardise raw features and anchors, and compute everything that the loop reads."""
    mean, scale = plain.standardise(x)
    x, anchors = (x - mean) / scale, (anchors - mean) / scale
    phi = plain.rbf(x, anchors, plain.bandwidth(x, anchors))
    neighbours, weights = plain.knn(x, k)
    return Prepared(phi, semantics, phi.T @ phi, plain.laplacian_quadratic(phi, neighbours, weights))


def factor(data: Prepared, weights: Weights) -> tuple[np.ndarray, bool]:
    """Cholesky factor of Phi'Phi + beta/alpha I + gamma/alpha Phi'L Phi."""
    matrix = data.gram + weights.gamma / weights.alpha * data.locality
    matrix = matrix.astype(data.phi.dtype)
    # The package's floor of the ridge, without which float32 has no factor at large alpha.
    rounding = 2 * np.finfo(matrix.dtype).eps * np.trace(data.gram)
    matrix[np.diag_indices(len(matrix))] += max(weights.beta / weights.alpha, rounding)
    return cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)


def projection_step(
    data: Prepared, factored: tuple[np.ndarray, bool], codes: Float[np.ndarray, "n l"]
) -> Float[np.ndarray, "m l"]:
    """P, the ridge regression of the codes on Phi."""
    return cho_solve(factored, data.phi.T @ codes, check_finite=False)


def rotation_step(
    data: Prepared, codes: Float[np.ndarray, "n l"], regression: Float[np.ndarray, "l e"]
) -> Float[np.ndarray, "e e"]:
    """R, by orthogonal Procrustes."""
    u, _, vt = np.linalg.svd(data.semantics.T @ codes @ regression)
    return u @ vt


def regression_step(
    data: Prepared, weights: Weights, codes: Float[np.ndarray, "n l"], rotation: Float[np.ndarray, "e e"]
) -> Float[np.ndarray, "l e"]:
    """W, by the eigenvectors of B'B; directions at the level of rounding are left out."""
    values, vectors = np.linalg.eigh(codes.T @ codes)
    kept = values > 4 * np.finfo(codes.dtype).eps * values[-1]
    inverse = np.where(kept, 1 / np.where(kept, values + weights.lam, 1), 0).astype(codes.dtype)
    right = vectors.T @ (codes.T @ data.semantics) @ rotation
    return (vectors * inverse) @ right


def codes_step(
    data: Prepared,
    weights: Weights,
    codes: Float[np.ndarray, "n l"],
    projection: Float[np.ndarray, "m l"],
    dictionary: Float[np.ndarray, "l e"],
    *,
    sweeps: int = 10,
) -> Float[np.ndarray, "n l"]:
    """B, by coordinate descent until no bit flips; dictionary is V = W R'."""
    target = data.semantics @ dictionary.T + data.phi.dtype.type(weights.alpha) * (data.phi @ projection)
    coupling = dictionary @ dictionary.T
    target, codes = np.ascontiguousarray(target.T), np.ascontiguousarray(codes.T)
    for _ in range(sweeps):
        flipped = False
        for bit, old in enumerate(codes):
            field = target[bit] - coupling[bit] @ codes + coupling[bit, bit] * old
            new = np.where(field == 0, old, np.sign(field))
            flipped |= not np.array_equal(new, old)
            codes[bit] = new
        if not flipped:
            break
    return np.ascontiguousarray(codes.T)


def objective(
    data: Prepared,
    weights: Weights,
    codes: Float[np.ndarray, "n l"],
    projection: Float[np.ndarray, "m l"],
    regression: Float[np.ndarray, "l e"],
    *,
    rotated: Float[np.ndarray, "n e"],
) -> float:
    """J; rotated is Y R."""
    residual = rotated - codes @ regression
    projected = codes - data.phi @ projection
    return float(
        (residual**2).sum()
        + weights.lam * (regression**2).sum()
        + weights.alpha * (projected**2).sum()
        + weights.beta * (projection**2).sum()
        + weights.gamma * (projection * (data.locality @ projection)).sum()
    )


def solve(data: Prepared, weights: Weights, codes: Float[np.ndarray, "n l"], *, passes: int) -> Solved:
    """The whole loop from the given codes, until a pass flips no bit, with J of each pass.

    Args:
        data: the training data.
        weights: of the terms.
        codes: at the start.
        passes: the most.

    Returns:
        The codes, and the projection fitted to them.
    """
    factored = factor(data, weights)
    regression = codes.T @ data.semantics / len(codes)
    trace: list[float] = []
    for _ in range(passes):
        projection = projection_step(data, factored, codes)
        rotation = rotation_step(data, codes, regression)
        regression = regression_step(data, weights, codes, rotation)
        before = codes
        codes = codes_step(data, weights, codes, projection, regression @ rotation.T)
        trace.append(
            objective(data, weights, codes, projection, regression, rotated=data.semantics @ rotation)
        )
        if np.array_equal(before, codes):
            break
    return Solved(codes, projection_step(data, factored, codes), len(trace))
