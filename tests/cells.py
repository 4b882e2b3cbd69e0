"""Made-up results of cells, as the sweep engine yields them."""

import numpy as np

from zsh_jax import (
    RBF,
    Dictionary,
    FeaturesAndRBF,
    HashFunction,
    Identity,
    Joint,
    Linear,
    Preprocessing,
)
from zsh_jax.sweep.result import CellResult

TERMS = ("semantic_fit", "regression_ridge", "projection_fit", "projection_ridge", "locality")


def identity(seed=0, bits=16, **changes):
    cell = {
        "method": "zsh",
        "dataset": "shapes",
        "features": "gist",
        "semantics": "attributes",
        "unseen": "striped circle+spotted star",
        "bits": bits,
        "seed": seed,
        "lam": 0.01,
        "alpha": 1e-05,
        "beta": 0.0001,
        "gamma": 0.0,
        "rotation": "procrustes",
        "anchors": 500,
    }
    return cell | changes


def result(seed=0, bits=16, *, iterations=4, failed=False, model=None, **changes):
    """One cell, in the types in which the engine gives them: Python numbers, lists for curves, float32 traces."""
    rng = np.random.default_rng([seed, bits])
    terms = rng.random((len(TERMS), iterations)).astype(np.float32)
    if failed:
        terms[:, -1] = np.nan
    objective = terms.sum(0)
    history = {"objective": objective} | dict(zip(TERMS, terms, strict=True))
    history["flips"] = rng.integers(0, 1000, iterations).astype(np.int32)
    curve = rng.random(bits + 1) if not failed else np.full(bits + 1, np.nan)
    metrics = {
        "mean_average_precision": np.nan if failed else float(np.float32(rng.random())),
        "empty_radius2": 0.0,
        "precision_at": rng.random(2).astype(np.float32).tolist(),
        "precision_curve": curve.astype(np.float32).tolist(),
        "iterations": iterations,
        "status": "non_finite" if failed else "converged",
        "objective": float(objective[-1]),
        "cutoffs": [100, 1000],
        "seconds": 0.125,
    }
    return CellResult(identity(seed, bits, **changes), metrics, history, model)


def hash_function(seed=0, *, features=6, anchors=5, bits=12, vectors=None, dtype=np.float32):
    """Its bandwidth is a NumPy scalar, as a row of a stacked array is.

    With a length of class vectors it has a dictionary for classes too.
    """
    rng = np.random.default_rng(seed)
    mean, scale = rng.normal(size=features), rng.uniform(0.5, 2, features)
    points, projection = rng.normal(size=(anchors, features)), rng.normal(size=(anchors + 1, bits))
    class_head = None
    if vectors is not None:
        codes = np.packbits(rng.random((20, bits)) < 0.5, axis=1)
        class_head = Dictionary(rng.normal(size=(bits, vectors)).astype(dtype), codes)
    return HashFunction(
        Preprocessing(mean.astype(dtype), scale.astype(dtype), None, None),
        RBF(points.astype(dtype), dtype(3.5)),
        Linear(projection.astype(dtype)),
        class_head,
    )


def linear_hash_function(seed=1, *, features=6, bits=9, dtype=np.float32):
    """Of the preprocessed features themselves, with an offset; it gives classes no codes."""
    rng = np.random.default_rng(seed)
    sizes = (features, features, (features, bits), bits)
    mean, scale, projection, offset = (rng.normal(size=size).astype(dtype) for size in sizes)
    preprocessing = Preprocessing(mean, np.abs(scale) + dtype(0.5), None, None)
    return HashFunction(preprocessing, Identity(), Linear(projection, offset))


def joint_hash_function(bits=9, dtype=np.float32):
    """Random arrays that fit each other: 6 features, 4 anchors, 5 semantic values, 3 directions of appearance."""
    rng = np.random.default_rng(2)
    sizes = ((6,), (6,), (4, 6), (), (5, 5), (6, 3), (3,), (3,), (8, bits), (bits,))
    arrays = [rng.normal(size=size) for size in sizes]
    arrays[1], arrays[3] = np.abs(arrays[1]) + 0.5, np.asarray(6.0)  # scale and bandwidth
    arrays[-1] *= 0.1
    mean, scale, points, width, semantic, whitening, centre, typical, frame, offset = (
        np.asarray(array, dtype) for array in arrays
    )
    return HashFunction(
        Preprocessing(mean, scale, None, None),
        FeaturesAndRBF(points, width),
        Joint(semantic, whitening, centre, frame, offset),
        Linear(frame[:5], typical @ frame[5:] - offset),
    )
