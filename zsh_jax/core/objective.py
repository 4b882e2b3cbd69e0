"""The objective of zero-shot hashing."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from zsh_jax.core.precision import full_precision
from zsh_jax.core.problem import Hyperparameters, Problem, State


class Objective(NamedTuple):
    """The value of the objective and of its five terms, each with its weight; `total` is their sum.

    Attributes:
        total: J.
        semantic_fit: |Y R - B W|^2.
        regression_ridge: lam |W|^2.
        projection_fit: alpha |B - Phi P|^2.
        projection_ridge: beta |P|^2.
        locality: gamma tr(P' Phi' L Phi P) as published, and delta tr(R' Y' L Y R) as released. The latter is
            constant, tr(Y' L Y), for every orthogonal R.
    """

    total: Float[Array, "*sweep"]
    semantic_fit: Float[Array, "*sweep"]
    regression_ridge: Float[Array, "*sweep"]
    projection_fit: Float[Array, "*sweep"]
    projection_ridge: Float[Array, "*sweep"]
    locality: Float[Array, "*sweep"]


@jax.jit
@full_precision
def objective(
    problem: Problem, hyper: Hyperparameters, state: State, fitted: Float[Array, "n l"] | None = None
) -> Objective:
    """J of Yang et al. 2016, eq. 8, in the published form.

    Args:
        problem: the training data.
        hyper: scalar weights of the terms.
        state: the unknowns.
        fitted: Phi P, if already computed.

    Returns:
        J and its five terms, scalars.
    """
    codes, projection, rotation, regression, _ = state
    # |Y R - B W| = |Y - B W R'| for orthogonal R, and W R' is small.
    semantic_residual = problem.semantics - codes @ (regression @ rotation.T)
    projection_residual = codes - (problem.phi @ projection if fitted is None else fitted)
    fits = jnp.sum(semantic_residual**2), jnp.sum(projection_residual**2)
    return objective_of_fits(problem, hyper, state, *fits)


@full_precision
def objective_of_fits(
    problem: Problem,
    hyper: Hyperparameters,
    state: State,
    semantic_fit: Float[Array, ""],
    projection_fit: Float[Array, ""],
) -> Objective:
    """J from its two sums over samples.

    Args:
        problem: its products are read, not its samples.
        hyper: scalar weights of the terms.
        state: its codes are not read.
        semantic_fit: |Y R - B W|^2.
        projection_fit: |B - Phi P|^2.

    Returns:
        J and its five terms, scalars.
    """
    projection, rotation, regression = state.projection, state.rotation, state.regression
    locality = hyper.gamma * jnp.sum(projection * (problem.locality @ projection))
    if problem.semantic_locality is not None:
        locality += hyper.delta * jnp.sum(rotation * (problem.semantic_locality @ rotation))
    terms = (
        semantic_fit,
        hyper.lam * jnp.sum(regression**2),
        hyper.alpha * projection_fit,
        hyper.beta * jnp.sum(projection**2),
        locality,
    )
    total = jnp.stack(terms).sum()
    return Objective(total, *terms)
