"""The compiled program that trains many cells at once."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray, UInt8

from zsh_jax.baselines.families import HashMap
from zsh_jax.baselines.hash_functions import Kernel
from zsh_jax.core.classes import encode_class
from zsh_jax.core.coupled import coupled_objective, init_coupled, solve_coupled
from zsh_jax.core.loop import Solution
from zsh_jax.core.objective import Objective, objective
from zsh_jax.core.packing import pack_codes
from zsh_jax.core.problem import Hyperparameters, init_state
from zsh_jax.core.relaxed import solve_relaxed
from zsh_jax.core.solver import solve
from zsh_jax.core.steps.rotation import random_rotation
from zsh_jax.sweep.axes import Program
from zsh_jax.sweep.prepare import Prepared


class Trained(NamedTuple):
    """What is kept of a solve: how to encode images and classes, and how it got there.

    Attributes:
        hash_map: from preprocessed or RBF features to projections, whose signs are the code; None for a
            bound, which has no codes.
        class_codes: code of each class from its semantic vector alone, packed; None for a method that has none.
        objective: J of the state that was returned; NaN for a method without it, as are the two below.
        start_objectives: that of each start.
        terms: J and its terms after each iteration.
        flips: bits changed in each iteration.
        iterations: iterations done.
        status: a `Status`.
    """

    hash_map: HashMap | None
    class_codes: UInt8[Array, "*cells c bytes"] | None
    objective: Float[Array, "*cells"]
    start_objectives: Float[Array, "*cells restarts"]
    terms: Objective
    flips: Int[Array, "*cells max_iterations"]
    iterations: Int[Array, "*cells"]
    status: Int[Array, "*cells"]


class Traced(NamedTuple):
    """The weights of a sweep as arrays.

    Attributes:
        shared: alpha, beta, gamma and delta, on which the P-step's factorisation depends; its lam is not read.
        lam: ridge of the regression.
        tolerance: of the solver.
        learning_rate: of the relaxed solver.
        multiple: of the published value of what a baseline may tune.
    """

    shared: Hyperparameters
    lam: Float[Array, "*lams"]
    tolerance: Float[Array, "*lams"]
    learning_rate: Float[Array, "*lams"]
    multiple: Float[Array, "*lams"]


@partial(jax.jit, static_argnames="program")
def train(prepared: Prepared, weights: Traced, *, program: Program) -> Trained:
    """Solve every data split with every set of weights, as one program.

    The P-step's factorisation depends on alpha, beta and gamma. They have an axis of their own, outside that of
    lam, so that it is made once for each of their values.

    Args:
        prepared: data splits, stacked on a leading axis.
        weights: `shared` (ratios,) each, the others (lams,) each.
        program: the static axes.

    Returns:
        Leaves with leading axes (splits, ratios, lams).
    """

    def one_cell(split: Prepared, weights: Traced) -> Trained:
        hyper = weights.shared._replace(lam=weights.lam)
        keys = split.start[None]
        if program.restarts > 1:
            fold = jax.vmap(jax.random.fold_in, (None, 0))
            keys = jnp.concatenate([keys, fold(split.start, jnp.arange(1, program.restarts))])
        solutions, values = jax.vmap(lambda key: _solve(split, hyper, weights, key, program))(keys)
        best = jnp.argmin(jnp.where(jnp.isfinite(values), values, jnp.inf))
        solution: Solution = jax.tree.map(lambda leaf: leaf[best], solutions)
        return Trained(
            hash_map=Kernel(solution.state.projection),
            class_codes=pack_codes(encode_class(solution, split.vectors)),
            objective=values[best],
            start_objectives=values,
            terms=solution.terms,
            flips=solution.flips,
            iterations=solution.iterations,
            status=solution.status,
        )

    return over_cells(one_cell)(prepared, weights)


def over_cells(one_cell: Callable[[Prepared, Traced], Trained]) -> Callable[[Prepared, Traced], Trained]:
    """Vmap over data splits, then over shared weights, then over the others.

    Args:
        one_cell: trains one cell.

    Returns:
        Trains the cells of a batch; its results have leading axes (splits, ratios, lams).
    """
    shared_alone = Traced(Hyperparameters(None, 0, 0, 0, 0), None, None, None, None)  # type: ignore[arg-type]
    over_lams = jax.vmap(one_cell, in_axes=(None, Traced(None, 0, 0, 0, 0)))  # type: ignore[arg-type]
    over_ratios = jax.vmap(over_lams, in_axes=(None, shared_alone))
    return jax.vmap(over_ratios, in_axes=(0, None))


def _solve(
    split: Prepared, hyper: Hyperparameters, weights: Traced, key: PRNGKeyArray, program: Program
) -> tuple[Solution, Float[Array, ""]]:
    """One start of one cell, and the J that it ends at."""
    problem = split.problem
    if program.rotation == "coupled":
        solution = solve_coupled(
            problem,
            hyper,
            init_coupled(problem, key, bits=program.bits),
            max_iterations=program.max_iterations,
            tolerance=weights.tolerance,
        )
        return solution, coupled_objective(problem, hyper, solution.state).total
    start = init_state(problem, key, bits=program.bits)
    if program.rotation == "random":
        # Of a stream of its own, so that the codes start as they do without.
        size, dtype = start.rotation.shape[0], start.rotation.dtype
        start = start._replace(rotation=random_rotation(split.rotation, size=size, dtype=dtype))
    rotation = "procrustes" if program.rotation == "procrustes" else "none"
    if program.codes == "relaxed":
        solution = solve_relaxed(
            problem,
            hyper,
            start,
            rotation=rotation,
            max_iterations=program.max_iterations,
            gradient_steps=program.gradient_steps,
            learning_rate=weights.learning_rate,
        )
    else:
        growth = program.alpha_growth
        solution = solve(
            problem,
            hyper,
            start,
            rotation=rotation,
            max_iterations=program.max_iterations,
            max_sweeps=program.max_sweeps,
            tolerance=weights.tolerance,
            alpha_schedule=None if growth == 1 else optax.exponential_decay(1.0, 1, growth),
        )
    return solution, objective(problem, hyper, solution.state).total
