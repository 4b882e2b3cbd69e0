"""ZSH with a rotation coupled to the sign constraint: this project's form, see `zsh_jax.core.coupled`."""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
from jaxtyping import Array, Float, PRNGKeyArray

from zsh_jax.core.coupled import CoupledState, class_head, coupled_objective, init_coupled, solve_coupled
from zsh_jax.core.feature_maps import RBF
from zsh_jax.core.heads import Linear
from zsh_jax.core.loop import Solution
from zsh_jax.core.problem import Hyperparameters
from zsh_jax.methods import zsh
from zsh_jax.methods.protocol import Fitted, Method, Reads, TrainingData
from zsh_jax.methods.starts import best_start


class Weights(NamedTuple):
    """Weights of the coupled objective.

    Attributes:
        alpha: weight of the quantisation term.
        beta: ridge on the projection P.
        gamma: weight of the locality term.
        tolerance: see `solve`.
    """

    alpha: Float[Array, "*sweep"] | float = 1e-5
    beta: Float[Array, "*sweep"] | float = 1e-4
    gamma: Float[Array, "*sweep"] | float = 1e-6
    tolerance: Float[Array, "*sweep"] | float = 0.0


@dataclass(frozen=True)
class Options:
    """Options of the method.

    Attributes:
        restarts: number of starts; the result with the lowest objective is kept.
        max_iterations: see `solve_coupled`.
    """

    restarts: int = 1
    max_iterations: int = 10


@partial(jax.jit, static_argnames=("options", "bits"))
def fit(key: PRNGKeyArray, data: TrainingData, weights: Weights, options: Options, *, bits: int) -> Fitted:
    """Solve the coupled objective.

    Args:
        key: of the start.
        data: RBF features, semantics and the graph are read.
        weights: of the terms.
        options: of the method; static.
        bits: code length l; static.

    Returns:
        Projection P, the rotated semantics that give class codes, and the trace.
    """
    problem = data.problem
    hyper = Hyperparameters(alpha=weights.alpha, beta=weights.beta, gamma=weights.gamma)

    def solve_from(start: PRNGKeyArray) -> tuple[Solution[CoupledState], Float[Array, ""]]:
        solution = solve_coupled(
            problem,
            hyper,
            init_coupled(problem, start, bits=bits),
            max_iterations=options.max_iterations,
            tolerance=weights.tolerance,
        )
        return solution, coupled_objective(problem, hyper, solution.state).total

    state, trace = best_start(solve_from, key, restarts=options.restarts)
    return Fitted(Linear(state.projection), class_head(state), trace)


METHOD = Method(
    name="zsh_coupled",
    paper="this project, after Yang et al. 2016 and Gong & Lazebnik 2011",
    reads=zsh.READS,
    fit=fit,
    feature_map=RBF,
    weights=Weights,
    options=Options,
    ranges={name: zsh.RANGES[name] for name in ("gamma", "tolerance", "restarts")},
    shared=("alpha", "beta", "gamma"),
    unread=lambda weights, options: frozenset() if weights.gamma else frozenset({Reads.GRAPH}),
    floats=zsh.result_floats,
    floats_once=zsh.pass_floats,
)
