"""Toy data for the tests of the methods: few shapes, small programs."""

from dataclasses import fields, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import oracle

from zsh_jax import METHODS, RBF, HashFunction, Preprocessing, encode, unpack_codes
from zsh_jax.methods.protocol import Fitted, TrainingData
from zsh_jax.training.fit import assemble
from zsh_jax.training.prepare import Prepared

BITS = 8
SMALL = {"passes": 5, "draws": 3, "labelled": 60, "max_iterations": 10, "gradient_steps": 5}
SMALL |= {"epochs": 40, "batch_size": 40}


class Toy(NamedTuple):
    """Five Gaussian classes in twelve dimensions; the last is never trained on. NumPy, float64."""

    raw: np.ndarray
    labels: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    anchors: np.ndarray
    bandwidth: float
    x: np.ndarray
    phi: np.ndarray
    classes: np.ndarray
    semantics: np.ndarray
    vectors: np.ndarray


def toy(seed=0, *, n=120, d=12, anchors=20, classes=5, e=7):
    rng = np.random.default_rng(seed)
    centres = 2 * np.random.default_rng(99).normal(size=(classes, d))
    labels = rng.integers(0, classes - 1, n)
    raw = 3 + centres[labels] + rng.normal(size=(n, d))
    mean, scale = raw.mean(0), raw.std(0)
    x = (raw - mean) / scale
    points = x[rng.choice(n, anchors, replace=False)]
    sigma_squared = oracle.bandwidth(x, points)
    vectors = np.random.default_rng(98).normal(size=(classes, e))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Toy(
        raw,
        labels,
        mean,
        scale,
        points,
        sigma_squared,
        x,
        oracle.rbf(x, points, sigma_squared),
        np.eye(classes)[labels],
        vectors[labels],
        vectors,
    )


def several_labels(data, seed=0):
    """The same samples with some labels more."""
    more = np.random.default_rng(seed).random(data.classes.shape) < 0.15
    more[:, -1] = False
    return data._replace(classes=np.maximum(data.classes, more))


def training(data, dtype=float) -> TrainingData:
    """All that any method reads, the graph made by the oracle."""
    laplacian = oracle.laplacian(*oracle.knn(data.x, 5))
    one_label = (data.classes.sum(1) == 1).all()
    arrays = {
        "x": data.x,
        "phi": data.phi,
        "classes": data.classes,
        "semantics": data.semantics,
        "gram": data.phi.T @ data.phi,
        "locality": data.phi.T @ laplacian @ data.phi,
        "semantic_locality": data.semantics.T @ laplacian @ data.semantics,
    }
    used = data.classes.any(0)
    arrays["vectors"] = np.where(used[:, None], data.vectors, 0)
    given = {name: jnp.asarray(array, dtype) for name, array in arrays.items()}
    return TrainingData(**given, labels=jnp.asarray(data.labels) if one_label else None)


def small(name):
    """The options of a method, set so that it takes a moment."""
    options = METHODS[name].options()
    return replace(options, **{one.name: SMALL[one.name] for one in fields(options) if one.name in SMALL})


def bits_of(name):
    """Code length of a method in these tests; a bound has none."""
    return BITS if METHODS[name].has_codes else 0


def prepared(data, dtype=float) -> Prepared:
    mean, scale, points, width, vectors = (
        jnp.asarray(array, dtype)
        for array in (data.mean, data.scale, data.anchors, data.bandwidth, data.vectors)
    )
    return Prepared(
        training(data, dtype),
        vectors,
        Preprocessing(mean, scale, None, None),
        RBF(points, width),
        jax.random.key(0),
    )


def function_of(name, data, fitted) -> HashFunction:
    """The hash function of what a method returned."""
    leaves = jax.tree.leaves(fitted.head)
    return assemble(METHODS[name], prepared(data, leaves[0].dtype if leaves else float), fitted)


def codes_of(name, data, fitted: Fitted, raw):
    """Codes of raw features in {-1, +1}, NumPy."""
    function = function_of(name, data, fitted)
    raw = jnp.asarray(raw, function.preprocessing.mean.dtype)
    return np.asarray(unpack_codes(encode(function, raw), bits=fitted.head.bits))
