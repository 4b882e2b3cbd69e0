"""ZSH with relaxed codes: the published objective without sign constraint, see `zsh_jax.core.relaxed`."""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
from jaxtyping import Array, Float, PRNGKeyArray

from zsh_jax.core.classes import class_dictionary
from zsh_jax.core.feature_maps import RBF
from zsh_jax.core.heads import Linear
from zsh_jax.core.loop import Solution
from zsh_jax.core.objective import objective
from zsh_jax.core.problem import State
from zsh_jax.core.relaxed import solve_relaxed
from zsh_jax.methods import zsh
from zsh_jax.methods.protocol import Fitted, Method, Shapes, TrainingData
from zsh_jax.methods.starts import best_start


class Weights(NamedTuple):
    """Weights of the published objective, see `zsh_jax.methods.zsh`, and of the gradient steps.

    Attributes:
        lam: ridge on the regression W.
        alpha: weight of the quantisation term.
        beta: ridge on the projection P.
        gamma: weight of the locality term; read where `locality` is "projection".
        delta: weight of the locality term on the semantics; read where `locality` is "semantics".
        learning_rate: see `solve_relaxed`.
    """

    lam: Float[Array, "*sweep"] | float = 1e-2
    alpha: Float[Array, "*sweep"] | float = 1e-5
    beta: Float[Array, "*sweep"] | float = 1e-4
    gamma: Float[Array, "*sweep"] | float = 1e-6
    delta: Float[Array, "*sweep"] | float = 1e-6
    learning_rate: Float[Array, "*sweep"] | float = 0.1


@dataclass(frozen=True)
class Options:
    """Options of the method.

    Attributes:
        rotation: as for `zsh_jax.methods.zsh`.
        locality: as for `zsh_jax.methods.zsh`.
        restarts: number of starts; the result with the lowest J is kept.
        max_iterations: see `solve_relaxed`.
        gradient_steps: see `solve_relaxed`.
    """

    rotation: zsh.Rotation = "procrustes"
    locality: zsh.Locality = "projection"
    restarts: int = 1
    max_iterations: int = 10
    gradient_steps: int = 20


@partial(jax.jit, static_argnames=("options", "bits"))
def fit(key: PRNGKeyArray, data: TrainingData, weights: Weights, options: Options, *, bits: int) -> Fitted:
    """Solve with continuous codes, and take their signs.

    Args:
        key: of the start.
        data: RBF features, semantics and the graph are read.
        weights: of the terms, and the learning rate.
        options: of the method; static.
        bits: code length l; static.

    Returns:
        Projection P, the dictionary that gives class codes, and the trace.
    """
    problem = data.problem
    hyper = zsh.hyperparameters(weights, options.locality)

    def solve_from(start: PRNGKeyArray) -> tuple[Solution[State], Float[Array, ""]]:
        solution = solve_relaxed(
            problem,
            hyper,
            zsh.start_state(problem, start, key, options.rotation, bits=bits),
            rotation=zsh.solver_rotation(options.rotation),
            max_iterations=options.max_iterations,
            gradient_steps=options.gradient_steps,
            learning_rate=weights.learning_rate,
        )
        return solution, objective(problem, hyper, solution.state).total

    state, trace = best_start(solve_from, key, restarts=options.restarts)
    return Fitted(Linear(state.projection), class_dictionary(state), trace)


def pass_floats(shapes: Shapes, options: Options) -> int:
    """Numbers of one pass: those of `zsh`, the logits, their gradient, and Adam's two moments."""
    return zsh.pass_floats(shapes, options) + 4 * shapes.samples * shapes.bits


METHOD = Method(
    name="zsh_relaxed",
    paper="Yang et al. 2016 with codes relaxed as in Cao et al., HashNet, ICCV 2017",
    reads=zsh.READS,
    fit=fit,
    feature_map=RBF,
    weights=Weights,
    options=Options,
    ranges={name: zsh.RANGES[name] for name in ("gamma", "delta", "restarts")},
    shared=zsh.SHARED,
    unread=zsh.without_graph,
    floats=zsh.result_floats,
    floats_once=pass_floats,
)
