"""Toy data and the list of methods, shared by the tests of the baselines: few shapes, small programs."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import oracle

from zsh_jax import HashFunction, encode, unpack_codes
from zsh_jax.baselines import (
    cca_itq,
    cosdish,
    fsdh,
    itq,
    ksh,
    lsh,
    pcah,
    sdh,
    semantic_ridge,
    sgh,
)
from zsh_jax.baselines.data import TrainingData
from zsh_jax.baselines.hash_functions import Linear, LinearHashFunction, encode_linear

BITS = 8


class Method(NamedTuple):
    """A method, two settings of its options, and static arguments that keep it small."""

    module: Any
    options: tuple[Any, ...]
    static: dict[str, int]
    ordered: bool  # whether its randomness is dealt out sample by sample


METHODS = {
    "lsh": Method(lsh, (lsh.LSHOptions(),), {}, False),
    "pcah": Method(pcah, (pcah.PCAHOptions(),), {}, False),
    "itq": Method(itq, (itq.ITQOptions(),), {"iterations": 5}, False),
    "cca_itq": Method(
        cca_itq, (cca_itq.CCAITQOptions(), cca_itq.CCAITQOptions(0.3)), {"iterations": 5}, False
    ),
    "sgh": Method(sgh, (sgh.SGHOptions(), sgh.SGHOptions(0.1)), {}, False),
    "ksh": Method(ksh, (ksh.KSHOptions(), ksh.KSHOptions(1e9)), {"labelled": 60, "iterations": 20}, True),
    "sdh": Method(sdh, (sdh.SDHOptions(), sdh.SDHOptions(0.1, 1e-2, 0.5)), {}, True),
    "fsdh": Method(fsdh, (fsdh.FSDHOptions(), fsdh.FSDHOptions(0.1, 0.3, 0.5)), {}, True),
    "cosdish": Method(
        cosdish, (cosdish.COSDISHOptions(), cosdish.COSDISHOptions(5.0)), {"iterations": 3}, True
    ),
    "semantic_ridge": Method(
        semantic_ridge,
        (semantic_ridge.SemanticRidgeOptions(), semantic_ridge.SemanticRidgeOptions(9.0)),
        {},
        False,
    ),
}


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
    )


def several_labels(data, seed=0):
    """The same samples with some labels more."""
    more = np.random.default_rng(seed).random(data.classes.shape) < 0.15
    more[:, -1] = False
    return data._replace(classes=np.maximum(data.classes, more))


def training(data, dtype=float) -> TrainingData:
    return TrainingData(
        *(jnp.asarray(array, dtype) for array in (data.x, data.phi, data.classes, data.semantics))
    )


def packed(data, found, raw):
    """Codes of raw features under what a method returned."""
    raw = jnp.asarray(raw, found.projection.dtype)
    own = [jnp.asarray(a, raw.dtype) for a in (data.mean, data.scale, data.anchors, data.bandwidth)]
    if isinstance(found, Linear):
        return encode_linear(LinearHashFunction(own[0], own[1], *found), raw)
    return encode(HashFunction(*own, found.projection), raw)


def codes_of(data, found, raw):
    """The same in {-1, +1}, NumPy."""
    return np.asarray(unpack_codes(packed(data, found, raw), bits=found.projection.shape[1]))
