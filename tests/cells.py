"""Made-up results of cells, as the sweep engine yields them."""

import numpy as np

from zsh_jax import RBF, FeaturesAndRBF, HashFunction, Joint, Linear, Preprocessing
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


def joint_hash_function(bits=9, dtype=np.float32):
    """Random arrays that fit each other: 6 features, 4 anchors, 5 semantic values, 3 directions of appearance."""
    rng = np.random.default_rng(2)

    def drawn(*size, factor=1.0):
        return (factor * rng.normal(size=size)).astype(dtype)

    return HashFunction(
        Preprocessing(drawn(6), np.abs(drawn(6)) + dtype(0.5), None, None),
        FeaturesAndRBF(drawn(4, 6), dtype(6)),
        Joint(drawn(5, 5), drawn(6, 3), drawn(3), drawn(8, bits), drawn(bits, factor=0.1)),
        Linear(drawn(5, bits), drawn(bits)),
    )


def hash_function(seed=0, *, features=6, anchors=5, bits=12, dtype=np.float32):
    """Its bandwidth is a NumPy scalar, as a row of a stacked array is."""
    rng = np.random.default_rng(seed)
    mean, scale = rng.normal(size=features), rng.uniform(0.5, 2, features)
    points, projection = rng.normal(size=(anchors, features)), rng.normal(size=(anchors + 1, bits))
    return HashFunction(
        Preprocessing(mean.astype(dtype), scale.astype(dtype), None, None),
        RBF(points.astype(dtype), dtype(3.5)),
        Linear(projection.astype(dtype)),
    )
