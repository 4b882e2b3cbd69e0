"""Small random problems shared by the tests of the core: few shapes, so that compiled programs are reused."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import oracle

from zsh_jax import Graph, Hyperparameters, Problem, State, make_problem

PUBLISHED = (1e-2, 1e-5, 1e-4, 1e-6)


class Given(NamedTuple):
    """A problem as the oracle wants it, in NumPy float64."""

    phi: np.ndarray
    semantics: np.ndarray
    laplacian: np.ndarray
    neighbours: np.ndarray
    weights: np.ndarray
    labels: np.ndarray


def given(seed=0, *, n=120, m=17, e=9, classes=5, several=False):
    """Clusters in 6 dimensions, their RBF features and graph, and unit semantic vectors of their classes."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    x = rng.normal(size=(classes, 6))[labels] + 0.7 * rng.normal(size=(n, 6))
    anchors = x[rng.choice(n, m - 1, replace=False)]
    phi = oracle.rbf(x, anchors, oracle.bandwidth(x, anchors))
    neighbours, weights = oracle.knn(x, 5)
    vectors = rng.normal(size=(classes, e))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    hot = np.eye(classes)[labels]
    if several:
        hot = np.maximum(hot, rng.random((n, classes)) < 0.3)
    y = hot @ vectors
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    return Given(phi, y, oracle.laplacian(neighbours, weights), neighbours, weights, labels)


def problem_of(data, dtype=float) -> Problem:
    graph = Graph(jnp.asarray(data.neighbours, jnp.int32), jnp.asarray(data.weights, dtype))
    return make_problem(jnp.asarray(data.phi, dtype), jnp.asarray(data.semantics, dtype), graph)


def hyper_of(values=PUBLISHED, dtype=float) -> Hyperparameters:
    return Hyperparameters(*(jnp.asarray(value, dtype) for value in values))


def start_of(data, bits, seed=0, rotation=None, dtype=float) -> State:
    """Random codes; R the identity or the one given; W and P far from any optimum."""
    rng = np.random.default_rng([seed, bits])
    n, e = data.semantics.shape
    codes = rng.choice([-1.0, 1.0], (n, bits))
    r = np.eye(e) if rotation is None else rotation
    w = rng.normal(size=(bits, e))
    p = rng.normal(size=(data.phi.shape[1], bits))
    return State(*(jnp.asarray(array, dtype) for array in (codes, p, r, w, w @ r.T)))


def numpy_of(state):
    """B, P, R, W in float64."""
    return tuple(np.asarray(array, np.float64) for array in state[:4])


def value_of(data, hyper, state):
    """J of a state, by the oracle."""
    return oracle.objective(data.phi, data.semantics, data.laplacian, hyper, *numpy_of(state))


def random_rotation(seed, e):
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(e, e)))
    return q * np.sign(np.diag(r))
