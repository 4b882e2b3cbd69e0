"""RBF features, the kNN graph and Phi'L Phi."""

import numpy as np
from jaxtyping import Float, Int

ROWS = 1024  # samples at a time


def standardise(
    x: Float[np.ndarray, "n d"],
) -> tuple[Float[np.ndarray, " d"], Float[np.ndarray, " d"]]:
    """Mean and standard deviation of the features."""
    deviation = x.std(0)
    return x.mean(0), np.where(deviation > 0, deviation, 1).astype(x.dtype)


def squared_distances(a: Float[np.ndarray, "n d"], b: Float[np.ndarray, "k d"]) -> Float[np.ndarray, "n k"]:
    """Squared Euclidean distances between rows, by one product."""
    distances = a @ b.T
    distances *= -2
    distances += (a * a).sum(1)[:, None]
    distances += (b * b).sum(1)[None]
    return np.maximum(distances, 0, out=distances)


def bandwidth(x: Float[np.ndarray, "n d"], anchors: Float[np.ndarray, "k d"]) -> float:
    """Half the mean squared distance of the samples to the anchors."""
    return float(squared_distances(x, anchors).mean()) / 2


def rbf(
    x: Float[np.ndarray, "n d"], anchors: Float[np.ndarray, "k d"], sigma_squared: float
) -> Float[np.ndarray, "n m"]:
    """Phi, with its constant column."""
    phi = np.ones((len(x), len(anchors) + 1), x.dtype)
    bumps = squared_distances(x, anchors)
    bumps /= -2 * sigma_squared
    np.exp(bumps, out=phi[:, :-1])
    return phi


def knn(x: Float[np.ndarray, "n d"], k: int) -> tuple[Int[np.ndarray, "n k"], Float[np.ndarray, "n k"]]:
    """Neighbours, nearest first, and their self-tuned heat weights."""
    n = len(x)
    neighbours = np.empty((n, k), np.int64)
    squared = np.empty((n, k), x.dtype)
    for start in range(0, n, ROWS):
        rows = np.arange(start, min(start + ROWS, n))
        distances = squared_distances(x[rows], x)
        distances[np.arange(len(rows)), rows] = np.inf
        near = np.argpartition(distances, k - 1, axis=1)[:, :k]
        values = np.take_along_axis(distances, near, 1)
        order = np.argsort(values, axis=1)
        neighbours[rows] = np.take_along_axis(near, order, 1)
        squared[rows] = np.take_along_axis(values, order, 1)
    width = np.sqrt(squared[:, -1])
    return neighbours, np.exp(-squared / (width[:, None] * width[neighbours]))


def laplacian_quadratic(
    phi: Float[np.ndarray, "n m"], neighbours: Int[np.ndarray, "n k"], weights: Float[np.ndarray, "n k"]
) -> Float[np.ndarray, "m m"]:
    """Phi'L Phi, where L is the Laplacian of the mean of the edges and their reverse."""
    incoming = np.bincount(neighbours.ravel(), weights.ravel(), minlength=len(phi))
    degree = ((weights.sum(1) + incoming) / 2).astype(phi.dtype)
    smoothed = degree[:, None] * phi
    for edge in range(neighbours.shape[1]):
        smoothed -= weights[:, edge, None] * phi[neighbours[:, edge]]
    total = phi.T @ smoothed
    return (total + total.T) / 2
