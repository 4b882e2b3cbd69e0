"""Each step, one training, and many cells on the same data."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import package, synthetic
from benchmarks.floors import Work
from benchmarks.reference import training as plain
from benchmarks.row import Result, Settings, in_both, measure

ALPHA = 1e-3  # of one training; with the published 1e-5 these clusters are at rest after three passes
ALPHAS = (-6.0, -2.0)  # decades of the row of many cells


def _in(dtype: type, problem: Any) -> plain.Prepared:
    """The problem as NumPy arrays."""
    arrays = (problem.phi, problem.semantics, problem.gram, problem.locality)
    return plain.Prepared(*(np.asarray(array, dtype) for array in arrays))


def steps(settings: Settings) -> list[Result]:
    """P, R, W and B, each from the state in the middle of the first pass."""
    sizes, key = settings.sizes, jax.random.key(0)
    problem = package.prepared(synthetic.training(sizes), sizes, key).data.problem
    step = package.step_after_regression(problem, key, sizes.bits, alpha=ALPHA)
    state, weights = step.state, plain.Weights(alpha=ALPHA)

    def projection(dtype: type[np.floating]) -> Any:
        data = _in(dtype, problem)
        return partial(
            plain.projection_step, data, plain.factor(data, weights), np.asarray(state.codes, dtype)
        )

    def rotation(dtype: type[np.floating]) -> Any:
        return partial(
            plain.rotation_step,
            _in(dtype, problem),
            np.asarray(state.codes, dtype),
            np.asarray(state.regression, dtype),
        )

    def regression(dtype: type[np.floating]) -> Any:
        return partial(
            plain.regression_step,
            _in(dtype, problem),
            weights,
            np.asarray(state.codes, dtype),
            np.asarray(state.rotation, dtype),
        )

    def codes(dtype: type[np.floating]) -> Any:
        arrays = (np.asarray(one, dtype) for one in (state.codes, state.projection, state.dictionary))
        return partial(plain.codes_step, _in(dtype, problem), weights, *arrays)

    (n, m), bits, e = problem.phi.shape, sizes.bits, sizes.semantics
    read = 4 * n * bits  # the codes, once
    cases = (
        ("P-step", package.projection_step, projection, Work(4 * n * m * bits, read)),
        ("R-step", package.rotation_step, rotation, Work(2 * e * bits * (bits + sizes.classes), read)),
        ("W-step", package.regression_step, regression, Work(2 * n * bits * bits, read)),
        ("B-step", package.codes_step, codes, Work(2 * n * bits * bits, 2 * read)),
    )
    return [
        measure(name, settings, partial(call, step), in_both(reference), work=work)
        for name, call, reference, work in cases
    ]


def training(settings: Settings) -> list[Result]:
    """One whole training from raw features, graph included."""
    sizes, key = settings.sizes, jax.random.key(0)
    data = synthetic.training(sizes)
    problem = package.prepared(data, sizes, key).data.problem
    start = package.start_codes(problem, package.start_of_fit(key), sizes.bits)
    chosen = package.anchors(data, sizes, key)
    _, trace = package.fit(data, sizes, key, alpha=ALPHA)
    passes = int(trace.iterations)

    def reference(dtype: type[np.floating]) -> Any:
        x, anchors = np.asarray(data.features, dtype), np.asarray(chosen, dtype)
        targets = np.asarray(data.vectors[data.labels], dtype)

        def whole() -> plain.Solved:
            prepared = plain.prepare(x, anchors, targets, k=sizes.neighbours)
            weights = plain.Weights(alpha=ALPHA)
            return plain.solve(prepared, weights, np.asarray(start, dtype), passes=sizes.passes)

        return whole

    (n, m), d = problem.phi.shape, sizes.features
    before = 2 * n * n * d + 2 * n * m * d + 2 * n * m * m + 2 * n * m * (m + sizes.neighbours)
    work = Work(flops=before + passes * _flops_of_pass(n, m, sizes.bits))
    call = partial(package.fit, data, sizes, key, alpha=ALPHA)
    note = f"{passes} passes"
    return [measure("one training", settings, call, in_both(reference), work=work, compiled=True, note=note)]


def cells(settings: Settings) -> list[Result]:
    """Seeds x alphas as one vmapped program; the NumPy loop takes one cell after the other."""
    sizes, key = settings.sizes, jax.random.key(0)
    data = package.prepared(synthetic.training(sizes), sizes, key).data
    keys = jax.random.split(key, sizes.seeds)
    alphas = np.logspace(*ALPHAS, sizes.alphas)
    call = partial(
        package.fit_cells, data, keys, jnp.asarray(alphas, jnp.float32), bits=sizes.bits, passes=sizes.passes
    )
    passes = np.asarray(call()[1])
    count = passes.size
    # A diagonal of the cells, so that all seeds and all alphas have their part.
    timed = [(cell % sizes.seeds, cell % sizes.alphas) for cell in range(min(sizes.timed_cells, count))]
    scale = count / len(timed)

    def reference(dtype: type[np.floating]) -> Any:
        arrays = _in(dtype, data.problem)
        starts = [np.asarray(package.start_codes(data.problem, one, sizes.bits), dtype) for one in keys]

        def loop() -> list[plain.Solved]:
            return [
                plain.solve(arrays, plain.Weights(alpha=alphas[j]), starts[i], passes=sizes.passes)
                for i, j in timed
            ]

        return loop

    n, m = data.problem.phi.shape
    work = Work(flops=int(passes.sum()) * _flops_of_pass(n, m, sizes.bits))
    note = f"{passes.mean():.1f} passes a cell; NumPy timed on {len(timed)} cells"
    name = f"{count} cells"
    return [
        measure(name, settings, call, in_both(reference), work=work, scale=scale, compiled=True, note=note)
    ]


def _flops_of_pass(n: int, m: int, bits: int) -> int:
    """Of Phi'B and of Phi P, the two products that no form of the pass avoids."""
    return 4 * n * m * bits
