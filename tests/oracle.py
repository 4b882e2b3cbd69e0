"""The method once more, in float64 NumPy and the plainest way: what the tests compare the package with.

Dense where the package is sparse or blocked, loops where it is vectorised, LU and SVD where it factors otherwise.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import hypergeom


class Solved(NamedTuple):
    codes: np.ndarray
    projection: np.ndarray
    objective: list[float]
    flips: list[int]


def distances(a, b):
    return np.sqrt(((a[:, None, :] - b[None, :, :]) ** 2).sum(-1))


def bandwidth(x, anchors):
    return (distances(x, anchors) ** 2).mean() / 2


def rbf(x, anchors, sigma_squared):
    bumps = np.exp(-(distances(x, anchors) ** 2) / (2 * sigma_squared))
    return np.hstack([bumps, np.ones((len(x), 1))])


def knn(x, k):
    """Neighbours, nearest first, and their self-tuned weights."""
    d = distances(x, x)
    np.fill_diagonal(d, np.inf)
    neighbours = np.argsort(d, axis=1, kind="stable")[:, :k]
    near = np.take_along_axis(d, neighbours, 1)
    width = near[:, -1]
    return neighbours, np.exp(-(near**2) / (width[:, None] * width[neighbours]))


def laplacian(neighbours, weights):
    n = len(neighbours)
    directed = np.zeros((n, n))
    for i in range(n):
        for j, w in zip(neighbours[i], weights[i], strict=True):
            directed[i, j] += w
    adjacency = (directed + directed.T) / 2
    return np.diag(adjacency.sum(1)) - adjacency


def objective(phi, y, lap, hyper, b, p, r, w):
    lam, alpha, beta, gamma = hyper
    return (
        np.sum((y @ r - b @ w) ** 2)
        + lam * np.sum(w**2)
        + alpha * np.sum((b - phi @ p) ** 2)
        + beta * np.sum(p**2)
        + gamma * np.trace(p.T @ phi.T @ lap @ phi @ p)
    )


def projection(phi, lap, hyper, b):
    _, alpha, beta, gamma = hyper
    m = phi.shape[1]
    matrix = phi.T @ phi + beta / alpha * np.eye(m) + gamma / alpha * phi.T @ lap @ phi
    return np.linalg.solve(matrix, phi.T @ b)


def rotation(y, b, w):
    u, _, vt = np.linalg.svd(y.T @ b @ w)
    return u @ vt


def regression(y, hyper, b, r):
    return np.linalg.solve(b.T @ b + hyper[0] * np.eye(b.shape[1]), b.T @ y @ r)


def codes(phi, y, hyper, b, p, r, w, sweeps):
    b = b.copy()
    h = y @ r @ w.T + hyper[1] * phi @ p
    g = w @ w.T
    for _ in range(sweeps):
        before = b.copy()
        for k in range(b.shape[1]):
            others = [j for j in range(b.shape[1]) if j != k]
            field = h[:, k] - b[:, others] @ g[others, k]
            b[:, k] = np.where(field == 0, b[:, k], np.sign(field))
        if np.array_equal(b, before):
            break
    return b


def solve(phi, y, lap, hyper, b, r, w, *, iterations=10, sweeps=10):
    """The whole loop from the given start, until no bit flips."""
    trace, flips = [], []
    for _ in range(iterations):
        before = b
        p = projection(phi, lap, hyper, b)
        r = rotation(y, b, w)
        w = regression(y, hyper, b, r)
        b = codes(phi, y, hyper, b, p, r, w, sweeps)
        trace.append(objective(phi, y, lap, hyper, b, p, r, w))
        flips.append(int((b != before).sum()))
        if not flips[-1]:
            break
    return Solved(b, projection(phi, lap, hyper, b), trace, flips)


def encode(x, mean, scale, anchors, sigma_squared, p):
    """Boolean codes of raw features."""
    return rbf((x - mean) / scale, anchors, sigma_squared) @ p > 0


def hamming(a, b):
    return (a[:, None, :] != b[None, :, :]).sum(-1)


def average_precision(relevant_in_order, cutoff=None):
    """Sum of precisions at the relevant among the first places, by all that is relevant."""
    relevant = np.asarray(relevant_in_order, float)
    precision = np.cumsum(relevant) / np.arange(1, len(relevant) + 1)
    return (precision * relevant)[:cutoff].sum() / relevant.sum()


def order_average_precision(d, relevant, *, worst, cutoff=None):
    """Of one order: among equal distances, relevant last or first."""
    relevant = np.asarray(relevant)
    return average_precision(relevant[np.lexsort((relevant if worst else ~relevant, d))], cutoff)


def stable_average_precision(d, relevant, cutoff):
    """The released form: ties in database order, divided by the relevant found."""
    found = np.asarray(relevant, float)[np.argsort(d, kind="stable")][:cutoff]
    precision = np.cumsum(found) / np.arange(1, len(found) + 1)
    return (precision * found).sum() / max(found.sum(), 1)


def tie_aware_average_precision(d, relevant, cutoff=None):
    """Place by place: each is relevant with its tie's share, and expects its tie's share of those before it."""
    d, relevant = np.asarray(d), np.asarray(relevant)
    total, items_before, relevant_before = 0.0, 0, 0
    for value in np.unique(d):
        n, r = int((d == value).sum()), int(relevant[d == value].sum())
        for i in range(1, n + 1):
            place = items_before + i
            if cutoff is not None and place > cutoff:
                break
            among = (i - 1) * (r - 1) / (n - 1) if n > 1 else 0.0
            total += r / n * (relevant_before + 1 + among) / place
        items_before, relevant_before = items_before + n, relevant_before + r
    return total / relevant.sum()


def average_precision_of_found(items, relevant, cutoff):
    """Of histograms, divided by what is found: mean, least and largest value over all orders of ties.

    A loop over all numbers of relevant items that the cut tie may give, with SciPy's probabilities.
    """
    before = np.zeros(3)
    items_before = relevant_before = 0
    for n, r in zip(items.tolist(), relevant.tolist(), strict=True):
        ranks = items_before + np.arange(1, n + 1)
        j = np.arange(1, r + 1)
        k = min(n, cutoff - items_before)
        if k < n:
            break
        share = (r - 1) / (n - 1) if n > 1 else 0.0
        before += (
            (r / n * (relevant_before + 1 + share * np.arange(n)) / ranks).sum() if n else 0.0,
            ((relevant_before + j) / (items_before + n - r + j)).sum(),
            ((relevant_before + j) / (items_before + j)).sum(),
        )
        items_before, relevant_before = items_before + n, relevant_before + r
    else:
        return before / max(relevant_before, 1)
    numbers = np.arange(max(0, k - (n - r)), min(k, r) + 1)
    values = np.zeros((len(numbers), 3))
    inverse = np.concatenate([[0], np.cumsum(1 / ranks[:k])])
    shares = np.concatenate([[0], np.cumsum(np.arange(k) / ranks[:k])])
    for row, x in enumerate(numbers):
        j = np.arange(1, x + 1)
        slope = (x - 1) / (k - 1) if k > 1 else 0.0
        spread = x / k * ((relevant_before + 1) * inverse[k] + slope * shares[k]) if k else 0.0
        last = ((relevant_before + j) / (items_before + k - x + j)).sum()
        first = ((relevant_before + j) / (items_before + j)).sum()
        values[row] = (before + np.array([spread, last, first])) / max(relevant_before + x, 1)
    return (
        hypergeom(n, r, k).pmf(numbers) @ values[:, 0],
        values[:, 1].min(),
        values[:, 2].max(),
    )
