"""Every call into `zsh_jax`, so that a change of its interface is an edit of this file alone.

Names that changed are tried in turn: `--compare` runs these adapters on older commits too.
"""

from collections.abc import Sequence
from functools import partial
from inspect import signature
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, UInt8

import zsh_jax as zsh
from benchmarks.sizes import Sizes
from benchmarks.synthetic import Retrieval, Training
from zsh_jax.training.prepare import GraphOptions, Preparation, Prepared, Taught, prepare
from zsh_jax.training.streams import streams

CUTOFFS = (100, 1000)  # of precision at N, as a sweep has them
BLOCK = 16  # queries at a time, as in a sweep
METHOD = zsh.METHODS["zsh"]


class Step(NamedTuple):
    """What one step reads: the problem, the weights, the state before it, and what the P-step factorised.

    `solver` is the same as the solver of newer commits has it, with Phi P; None on older ones.
    """

    problem: Any
    hyper: Any
    state: Any
    factor: Any
    fitted: Any = None
    solver: Any = None


def prepared(data: Training, sizes: Sizes, key: PRNGKeyArray) -> Prepared:
    """Everything that the cells of one data split share, as a sweep prepares it."""
    labels, vectors = jnp.asarray(data.labels), jnp.asarray(data.vectors)
    taught = Taught(labels, vectors[labels], vectors)
    graph = GraphOptions(neighbours=sizes.neighbours)
    how = Preparation(anchors=sizes.anchors, graph=graph)
    return prepare(jnp.asarray(data.features), taught, streams(key), 1.0, how=how, reads=METHOD.reads)


def anchors(data: Training, sizes: Sizes, key: PRNGKeyArray) -> Float[np.ndarray, "k d"]:
    """Raw features of the anchors that `prepared` and `fit` draw with this key."""
    drawn = zsh.draw_anchors(streams(key).anchors, jnp.asarray(data.features), count=sizes.anchors)
    return np.asarray(drawn)


def standardised(data: Training, chosen: Float[np.ndarray, "k d"]) -> tuple[Array, Array]:
    """Training features and the given anchors, standardised by the training features."""
    before = zsh.fit_preprocessing(jnp.asarray(data.features))
    x, moved = (zsh.apply_preprocessing(before, jnp.asarray(rows)) for rows in (data.features, chosen))
    return x, moved


bandwidth = zsh.choose_bandwidth
rbf_features = zsh.rbf_features
knn_graph = zsh.knn_graph
laplacian_quadratic = zsh.laplacian_quadratic


def start_codes(problem: Any, key: PRNGKeyArray, bits: int) -> Float[np.ndarray, "n l"]:
    """The codes from which the method starts with this key."""
    return np.asarray(zsh.init_state(problem, key, bits=bits).codes)


def fit(data: Training, sizes: Sizes, key: PRNGKeyArray, *, alpha: float) -> tuple[Any, Any]:
    """One whole training from raw features: the hash function and its trace."""
    return zsh.fit_with_trace(
        key,
        data.features,
        data.vectors,
        data.labels,
        bits=sizes.bits,
        method="zsh",
        anchors=sizes.anchors,
        neighbours=sizes.neighbours,
        alpha=alpha,
        max_iterations=sizes.passes,
    )


def start_of_fit(key: PRNGKeyArray) -> PRNGKeyArray:
    """The method's key within `fit`."""
    return streams(key).start


@partial(jax.jit, static_argnames=("bits", "passes"))
def fit_cells(
    data: Any,
    keys: PRNGKeyArray,
    alphas: Float[Array, " alphas"],
    *,
    bits: int,
    passes: int,
) -> tuple[Float[Array, "alphas seeds m l"], Int[Array, "alphas seeds"]]:
    """Train a cell for each alpha and key on the same data, as one program.

    Returns:
        Projections and numbers of passes.
    """
    options = METHOD.options(max_iterations=passes)

    def of_cell(alpha: Float[Array, ""], key: PRNGKeyArray) -> tuple[Array, Array]:
        fitted = METHOD.fit(key, data, METHOD.weights(alpha=alpha), options, bits=bits)
        return fitted.head.projection, fitted.trace.iterations

    # Alpha is on the outside, as in a sweep: each value is factorised once.
    return jax.vmap(lambda alpha: jax.vmap(partial(of_cell, alpha))(keys))(alphas)


def step_after_regression(problem: Any, key: PRNGKeyArray, bits: int, *, alpha: float) -> Step:
    """The state in the middle of the first pass: P, R and W are fitted to the codes of the start."""
    hyper = zsh.Hyperparameters(alpha=alpha)
    factor, start = zsh.projection_factor(problem, hyper), zsh.init_state(problem, key, bits=bits)
    state = _regressed(problem, hyper, zsh.projection_step(problem, hyper, start, factor))
    return Step(problem, hyper, state, factor, solver=_as_in_the_solver(problem, hyper, start))


def _regressed(problem: Any, hyper: Any, state: Any) -> Any:
    return zsh.regression_step(problem, hyper, zsh.rotation_step(problem, hyper, state))


def _as_in_the_solver(problem: Any, hyper: Any, start: Any) -> Step | None:
    try:
        from zsh_jax.core.semantic_basis import problem_in_basis, state_in_basis
        from zsh_jax.core.whitening import fit_whitened, whiten
    except ImportError:
        return None
    whitened = whiten(problem, hyper)
    problem, start = problem_in_basis(problem), state_in_basis(problem, start)
    projection, fitted = fit_whitened(whitened, start.codes)
    state = _regressed(problem, hyper, start._replace(projection=projection))
    return Step(problem, hyper, state, whitened, fitted)


def projection_step(step: Step) -> Any:
    """The P-step, with its factor at hand; the solver's gives Phi P too."""
    if step.solver is None:
        return zsh.projection_step(step.problem, step.hyper, step.state, step.factor)
    return _fit_whitened(step.solver.factor, step.solver.state.codes)


@jax.jit
def _fit_whitened(whitened: Any, codes: Float[Array, "n l"]) -> Any:
    from zsh_jax.core.whitening import fit_whitened

    return fit_whitened(whitened, codes)


def rotation_step(step: Step) -> Any:
    """The R-step."""
    own = step.solver or step
    return zsh.rotation_step(own.problem, own.hyper, own.state)


def regression_step(step: Step) -> Any:
    """The W-step."""
    own = step.solver or step
    return zsh.regression_step(own.problem, own.hyper, own.state)


def codes_step(step: Step) -> Any:
    """The B-step, until no bit flips."""
    if step.solver is None:
        return zsh.codes_step(step.problem, step.hyper, step.state)
    own = step.solver
    return zsh.codes_step(own.problem, own.hyper, own.state, own.fitted)


def hash_functions(data: Training, sizes: Sizes, key: PRNGKeyArray) -> list[Any]:
    """Hash functions of all code lengths with the same preprocessing and anchors, and random projections."""
    x = jnp.asarray(data.features)
    before = zsh.fit_preprocessing(x)
    x = zsh.apply_preprocessing(before, x)
    drawn = zsh.draw_anchors(streams(key).anchors, x, count=sizes.anchors)
    rbf = zsh.RBF(drawn, zsh.choose_bandwidth(x, drawn))
    projections = [
        jax.random.normal(jax.random.fold_in(key, bits), (sizes.anchors + 1, bits)) for bits in sizes.lengths
    ]
    return [zsh.HashFunction(before, rbf, zsh.Linear(projection)) for projection in projections]


def bits_of(function: Any) -> int:
    """Code length of a hash function."""
    return zsh.code_length(function)


def encode_all(functions: Sequence[Any], x: Float[Array, "n d"]) -> list[UInt8[Array, "n bytes"]]:
    """Packed codes of all samples under hash functions with one feature map, which is applied once."""
    try:
        from zsh_jax.core.hashing import mapped_rbf
    except ImportError:
        return [zsh.encode(function, x) for function in functions]
    if len(functions) == 1:
        return [zsh.encode(functions[0], x)]
    x = jnp.asarray(x)
    phi = mapped_rbf(functions[0].preprocessing, functions[0].feature_map, x)
    return [zsh.encode(function, x, phi) for function in functions]


def roles(data: Retrieval) -> Any:
    """Roles of the samples: the queries first, then the database; the queries' class alone is unseen."""
    try:
        from zsh_jax.sweep.roles import Roles
    except ImportError:
        from zsh_jax.sweep.evaluate import Roles  # type: ignore[attr-defined]
    queries, database = len(data.queries), len(data.database)
    return Roles(
        queries=jnp.arange(queries)[None],
        database=jnp.arange(queries, queries + database)[None],
        seen_queries=jnp.zeros((1, 0), jnp.int32),
        unseen=(jnp.arange(len(data.names)) == data.query_labels[0])[None],
        resamples=jax.random.key(0)[None],
    )


def evaluation(data: Retrieval, bits: int) -> Any:
    """A function that evaluates one cell with all its metrics, by name."""
    from zsh_jax.sweep.evaluate import evaluate_cells

    codes = jnp.asarray(np.concatenate([data.queries, data.database])[None, None])
    labels = jnp.asarray(np.concatenate([data.query_labels, data.database_labels]))
    names = jnp.asarray(data.names[None, None])
    static: dict[str, Any] = {"bits": bits, "cutoffs": CUTOFFS, "block": BLOCK}
    taken = signature(evaluate_cells).parameters
    static = {name: value for name, value in static.items() if name in taken}
    if "chances" not in taken:
        return partial(evaluate_cells, codes, names, labels, roles(data), **static)
    from zsh_jax.sweep.chance import chance_levels

    def evaluated() -> Any:
        chances = chance_levels(labels, roles(data), cutoffs=CUTOFFS)
        return evaluate_cells(codes, names, labels, roles(data), chances, **static)

    return evaluated


def worst_average_precision(scores: Any) -> float:
    """MAP of one evaluated cell, where the relevant items come last among equal distances.

    The stable ranking is that order where they are stored last, within its first 10,000 ranks.
    """
    name = "mean_average_precision"
    found = scores.get(f"{name}_worst", scores.get(f"{name}_stable"))
    return float(found[0, 0])
