"""ZSH, the published form: Yang et al., "Zero-Shot Hashing via Transferring Supervised Knowledge", ACM MM 2016.

The steps and the solver are in `zsh_jax.core`; this file makes them a method.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from zsh_jax.core.blocks.solver import Running, Solved, Start, solve_in_blocks
from zsh_jax.core.blocks.stream import Mapped
from zsh_jax.core.classes import Dictionary, class_dictionary
from zsh_jax.core.feature_maps import RBF
from zsh_jax.core.heads import Linear
from zsh_jax.core.loop import Solution
from zsh_jax.core.objective import objective
from zsh_jax.core.problem import Hyperparameters, Problem, State, init_state
from zsh_jax.core.random_signs import random_packed_signs
from zsh_jax.core.solver import solve
from zsh_jax.core.steps.rotation import random_rotation
from zsh_jax.methods.protocol import Fitted, Method, Reads, Shapes, TrainingData
from zsh_jax.methods.starts import ROTATION, best_of, best_start, start_keys, trace_of
from zsh_jax.takes import number, whole

Rotation = Literal["procrustes", "none", "random"]
Locality = Literal["projection", "semantics", "none"]


class Weights(NamedTuple):
    """Weights of the objective, see `Hyperparameters`.

    Attributes:
        lam: ridge on the regression W.
        alpha: weight of the quantisation term.
        beta: ridge on the projection P.
        gamma: weight of the locality term; read where `locality` is "projection".
        delta: weight of the locality term on the semantics; read where `locality` is "semantics".
        tolerance: see `solve`.
    """

    lam: Float[Array, "*sweep"] | float = 1e-2
    alpha: Float[Array, "*sweep"] | float = 1e-5
    beta: Float[Array, "*sweep"] | float = 1e-4
    gamma: Float[Array, "*sweep"] | float = 1e-6
    delta: Float[Array, "*sweep"] | float = 1e-6
    tolerance: Float[Array, "*sweep"] | float = 0.0


@dataclass(frozen=True)
class Options:
    """Options of the method.

    Attributes:
        rotation: "procrustes" as published, "none", or "random" (drawn and kept). The codes are the same.
        locality: "projection" as published, "semantics" as in the authors' released code, or "none".
        restarts: number of starts; the result with the lowest J is kept.
        alpha_growth: factor by which alpha grows from one iteration to the next.
        max_iterations: see `solve`.
        max_sweeps: see `solve`.
    """

    rotation: Rotation = "procrustes"
    locality: Locality = "projection"
    restarts: int = 1
    alpha_growth: float = 1.0
    max_iterations: int = 10
    max_sweeps: int = 10


@partial(jax.jit, static_argnames=("options", "bits"))
def fit(key: PRNGKeyArray, data: TrainingData, weights: Weights, options: Options, *, bits: int) -> Fitted:
    """Solve the published objective (algorithm 1).

    Args:
        key: of the start.
        data: RBF features, semantics and the graph are read.
        weights: of the terms.
        options: of the method; static.
        bits: code length l; static.

    Returns:
        Projection P, the dictionary that gives classes their codes, and the trace.
    """
    problem = data.problem
    hyper = hyperparameters(weights, options.locality)

    def solve_from(start: PRNGKeyArray) -> tuple[Solution[State], Float[Array, ""]]:
        growth = options.alpha_growth
        solution = solve(
            problem,
            hyper,
            start_state(problem, start, key, options.rotation, bits=bits),
            rotation=solver_rotation(options.rotation),
            max_iterations=options.max_iterations,
            max_sweeps=options.max_sweeps,
            tolerance=weights.tolerance,
            alpha_schedule=None if growth == 1 else optax.exponential_decay(1.0, 1, growth),
        )
        return solution, objective(problem, hyper, solution.state).total

    state, trace = best_start(solve_from, key, restarts=options.restarts)
    return Fitted(Linear(state.projection), class_dictionary(state), trace)


def fit_in_blocks(
    key: PRNGKeyArray,
    mapped: Mapped,
    data: TrainingData,
    weights: Weights,
    options: Options,
    *,
    bits: int,
    running: Running | None = None,
) -> Fitted:
    """`fit` with memory for one block of RBF features; the starts run one after the other.

    Args:
        key: of the start.
        mapped: training samples.
        data: the products of the data, without samples.
        weights: of the terms.
        options: of the method.
        bits: code length l.
        running: how the solver runs.

    Returns:
        As `fit`.
    """
    stream, dtype = mapped.stream, data.gram.dtype
    problem = data.problem._replace(semantics=stream.targets)
    hyper = hyperparameters(weights, options.locality)
    hyper = jax.tree.map(lambda weight: jnp.asarray(weight, dtype), hyper)
    size, growth = stream.targets.shape[1], options.alpha_growth
    rotation = jnp.eye(size, dtype=dtype)
    if options.rotation == "random":
        rotation = random_rotation(jax.random.fold_in(key, ROTATION), size=size, dtype=dtype)
    schedule = None if growth == 1 else optax.exponential_decay(1.0, 1, growth)
    how = Running() if running is None else running
    found: list[Solved] = []
    for which, start in enumerate(start_keys(key, restarts=options.restarts)):
        codes = how.call(random_packed_signs, start, samples=stream.samples, bits=bits)
        solved = solve_in_blocks(
            mapped,
            problem,
            hyper,
            Start(codes, rotation),
            bits=bits,
            rotation=solver_rotation(options.rotation),
            max_iterations=options.max_iterations,
            max_sweeps=options.max_sweeps,
            tolerance=weights.tolerance,
            alpha_schedule=schedule,
            running=how,
            number=which,
        )
        found.append(solved)
    values = jnp.stack([solved.objective for solved in found])
    which_best = best_of(values)
    best: Solved = jax.tree.map(lambda *each: jnp.stack(each)[which_best], *found)
    state = best.solution.state
    return Fitted(
        Linear(state.projection),
        Dictionary(state.dictionary, best.codes),
        trace_of(best.solution, best.objective, values),
    )


def hyperparameters(weights: Any, locality: Locality) -> Hyperparameters:
    """The weights of the objective; unused locality terms get weight zero.

    Args:
        weights: of a method with this objective: `lam`, `alpha`, `beta`, `gamma`, `delta`.
        locality: the locality term in use.

    Returns:
        The hyperparameters.
    """
    gamma = weights.gamma if locality == "projection" else 0.0
    delta = weights.delta if locality == "semantics" else 0.0
    return Hyperparameters(weights.lam, weights.alpha, weights.beta, gamma, delta)


def start_state(
    problem: Problem, start: PRNGKeyArray, key: PRNGKeyArray, rotation: Rotation, *, bits: int
) -> State:
    """Random codes and the initial rotation.

    Args:
        problem: the training data.
        start: key of the codes.
        key: of the method; a random rotation has its own stream, the same for all starts.
        rotation: see `Options`.
        bits: code length l.

    Returns:
        The start.
    """
    state = init_state(problem, start, bits=bits)
    if rotation != "random":
        return state
    size, dtype = state.rotation.shape[0], state.rotation.dtype
    return state._replace(rotation=random_rotation(jax.random.fold_in(key, ROTATION), size=size, dtype=dtype))


def solver_rotation(rotation: Rotation) -> Literal["procrustes", "none"]:
    """The solver's option: it keeps a random rotation."""
    return "procrustes" if rotation == "procrustes" else "none"


def result_floats(shapes: Shapes, options: Any) -> int:
    """Numbers of the results of each start, and of the whitened features with the Cholesky factor and its inverse."""
    n, m, bits, e = shapes.samples, shapes.rbf, shapes.bits, shapes.semantics
    return options.restarts * (2 * n * bits + bits * m + 2 * e * (e + bits)) + n * m + 2 * m**2


def solver_floats(shapes: Shapes, options: Options) -> int:
    """Those of `result_floats`; if alpha grows, a factor for each iteration in place of the whitened features."""
    floats = result_floats(shapes, options)
    if options.alpha_growth == 1:
        return floats
    return floats - shapes.samples * shapes.rbf + (options.max_iterations - 2) * shapes.rbf**2


def pass_floats(shapes: Shapes, options: Any) -> int:
    """Numbers of one pass: arrays of samples by bits, of which the CPU holds those of one cell."""
    del options
    return 7 * shapes.samples * shapes.bits + 2 * shapes.bits * shapes.rbf


def without_graph(weights: Any, options: Any) -> frozenset[Reads]:
    """The graph, if the locality terms have weight zero: it is then not read."""
    hyper = hyperparameters(weights, options.locality)
    return frozenset() if float(hyper.gamma) or float(hyper.delta) else frozenset({Reads.GRAPH})


READS = frozenset({Reads.RBF, Reads.CLASS_VECTORS, Reads.GRAPH})
SHARED = ("alpha", "beta", "gamma", "delta")
RANGES = {
    "gamma": number(zero=True),
    "delta": number(zero=True),
    "tolerance": number(zero=True),
    "restarts": whole(1, 10_000),
}
METHOD = Method(
    name="zsh",
    paper="Yang et al., Zero-shot hashing via transferring supervised knowledge, ACM MM 2016",
    reads=READS,
    fit=fit,
    feature_map=RBF,
    weights=Weights,
    options=Options,
    ranges=RANGES,
    shared=SHARED,
    unread=without_graph,
    floats=solver_floats,
    floats_once=pass_floats,
    fit_in_blocks=fit_in_blocks,
)
