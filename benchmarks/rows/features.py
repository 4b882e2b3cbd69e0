"""RBF features, the kNN graph and Phi'L Phi."""

from functools import partial
from typing import Any

import jax
import numpy as np

from benchmarks import package, synthetic
from benchmarks.floors import Work
from benchmarks.reference import features as plain
from benchmarks.row import Result, Settings, in_both, measure


def _standardised(settings: Settings) -> tuple[Any, Any]:
    """Training features and anchors, standardised."""
    data = synthetic.training(settings.sizes)
    raw = package.anchors(data, settings.sizes, jax.random.key(0))
    return package.standardised(data, raw)


def rbf(settings: Settings) -> list[Result]:
    """Phi of the training samples."""
    x, chosen = _standardised(settings)
    sigma_squared = package.bandwidth(x, chosen)

    def reference(dtype: type[np.floating]) -> Any:
        arrays = np.asarray(x, dtype), np.asarray(chosen, dtype)
        return partial(plain.rbf, *arrays, float(sigma_squared))

    (n, d), k = x.shape, len(chosen)
    work = Work(flops=2 * n * k * d, bytes=4 * (n * d + n * k))
    call = partial(package.rbf_features, x, chosen, sigma_squared)
    return [measure("RBF features", settings, call, in_both(reference), work=work)]


def knn(settings: Settings) -> list[Result]:
    """The kNN graph of the training samples."""
    x, _ = _standardised(settings)
    k = settings.sizes.neighbours

    def reference(dtype: type[np.floating]) -> Any:
        return partial(plain.knn, np.asarray(x, dtype), k)

    n, d = x.shape
    call = partial(package.knn_graph, x, k=k)
    return [measure("kNN graph", settings, call, in_both(reference), work=Work(flops=2 * n * n * d))]


def laplacian(settings: Settings) -> list[Result]:
    """Phi'L Phi of the training samples."""
    x, chosen = _standardised(settings)
    phi = package.rbf_features(x, chosen, package.bandwidth(x, chosen))
    graph = package.knn_graph(x, k=settings.sizes.neighbours)

    def reference(dtype: type[np.floating]) -> Any:
        weights = np.asarray(graph.weights, dtype)
        return partial(
            plain.laplacian_quadratic, np.asarray(phi, dtype), np.asarray(graph.neighbours), weights
        )

    (n, m), k = phi.shape, settings.sizes.neighbours
    work = Work(flops=2 * n * m * (m + k))
    call = partial(package.laplacian_quadratic, phi, graph)
    return [measure("Phi'L Phi", settings, call, in_both(reference), work=work)]
