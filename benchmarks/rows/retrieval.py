"""Encoding all samples, and evaluating one cell."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import package, synthetic
from benchmarks.floors import Work, popcount_pass
from benchmarks.reference import retrieval
from benchmarks.row import Result, Settings, in_both, measure


def encoder(functions: list[Any], dtype: type[np.floating]) -> retrieval.Encoder:
    """The same hash functions in NumPy; they share all but their projections."""
    first = functions[0]
    return retrieval.Encoder(
        mean=np.asarray(first.preprocessing.mean, dtype),
        scale=np.asarray(first.preprocessing.scale, dtype),
        anchors=np.asarray(first.feature_map.anchors, dtype),
        bandwidth=float(first.feature_map.bandwidth),
        projections=[np.asarray(one.head.projection, dtype) for one in functions],
    )


def encode(settings: Settings) -> list[Result]:
    """Codes of all samples, at one length and at several that share anchors."""
    sizes = settings.sizes
    functions = package.hash_functions(synthetic.training(sizes), sizes, jax.random.key(0))
    raw = synthetic.samples(sizes)
    x = jnp.asarray(raw)

    def row(name: str, chosen: list[Any]) -> Result:
        def reference(dtype: type[np.floating]) -> Any:
            return partial(retrieval.encode, encoder(chosen, dtype), np.asarray(raw, dtype))

        n, d, k = len(raw), sizes.features, sizes.anchors
        bits = sum(package.bits_of(one) for one in chosen)
        work = Work(flops=2 * n * d * k + 2 * n * (k + 1) * bits, bytes=4 * n * d)
        call = partial(package.encode_all, chosen, x)
        return measure(f"encode {n:,} samples, {name}", settings, call, in_both(reference), work=work)

    middle = functions[len(functions) // 2]
    rows = [row(f"{package.bits_of(middle)} bits", [middle])]
    return [*rows, row(f"{len(functions)} lengths", functions)]


def evaluate(settings: Settings) -> list[Result]:
    """All metrics of a cell, at each code length."""
    return [_evaluated(settings, bits) for bits in settings.sizes.lengths]


def _evaluated(settings: Settings, bits: int) -> Result:
    data = synthetic.retrieval(settings.sizes, bits)
    arrays = (data.queries, data.query_labels, data.database, data.database_labels)

    def reference(dtype: type[np.floating]) -> Any:
        return partial(retrieval.average_precisions, *arrays, dtype=dtype)

    return measure(
        f"evaluate {len(data.queries):,} x {len(data.database):,}, {bits} bits",
        settings,
        package.evaluation(data, bits),
        in_both(reference),
        pass_over=popcount_pass(data.queries, data.database),
    )
