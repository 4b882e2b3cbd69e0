"""The coupled form: the rotation is coupled to the sign constraint, without a free regression.

In the published objective R appears with a free W, and J depends on W R' alone: the rotation cannot change the codes.
Here the codes must match the rotated and scaled semantics themselves,

    Jc = |B - s Z R|^2 + alpha |B - Phi P|^2 + beta |P|^2 + gamma tr(P' Phi' L Phi P),

where Z (n x r) is Y, centred, in its leading r = min(e, l) principal directions, and R (r x l) has R R' = I. Then |Z R|
is constant, and each step is exact. This is an extension of Yang et al. 2016, not their method; with Phi P in place of
Z it is ITQ (Gong & Lazebnik 2011).
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from zsh_jax.core.factorisation import eigh, svd
from zsh_jax.core.heads import Linear, centred
from zsh_jax.core.loop import Solution, alternate, with_state
from zsh_jax.core.objective import Objective
from zsh_jax.core.one_by_one import one_by_one_on_cpu
from zsh_jax.core.precision import full_precision
from zsh_jax.core.problem import Hyperparameters, Problem
from zsh_jax.core.semantic_basis import problem_in_basis
from zsh_jax.core.whitening import Whitened, fit_whitened, whiten


class CoupledState(NamedTuple):
    """The unknowns of the coupled form.

    Attributes:
        codes: B, in {-1, +1}.
        projection: P; the hash function is sign(phi(x) P).
        rotation: V R: the leading r principal directions V of the semantics, rotated to the bits. An unseen class with
            vector v has the code sign(s (v - centre) V R).
        scale: s.
        centre: mean of Y; constant.
    """

    codes: Float[Array, "n l"]
    projection: Float[Array, "m l"]
    rotation: Float[Array, "e l"]
    scale: Float[Array, ""]
    centre: Float[Array, " e"]


@full_precision
def principal_semantics(problem: Problem, *, bits: int) -> tuple[Float[Array, "n r"], Float[Array, "e r"]]:
    """Z, the centred semantics in their leading principal directions.

    Args:
        problem: the training data.
        bits: code length l.

    Returns:
        Z (n, r) with r = min(e, l), and the directions V (e, r). Directions without variance are set to zero, so that
        class codes do not depend on rounding.
    """
    centred = problem.semantics - problem.semantics.mean(0)[None]
    values, vectors = eigh(centred.T @ centred)
    rounding = jnp.finfo(values.dtype).eps * len(centred) * values[-1]
    directions = jnp.where(values[None] > rounding, vectors, 0)[:, ::-1][:, :bits]
    return centred @ directions, directions


@partial(jax.jit, static_argnames="bits")
def init_coupled(problem: Problem, key: PRNGKeyArray, *, bits: int) -> CoupledState:
    """Random codes; all other unknowns are fitted before they are read.

    Args:
        problem: the training data, n samples.
        key: of the start; not used for anything else.
        bits: code length l.

    Returns:
        A state with codes (n, l) of independent fair signs.
    """
    n, m = problem.phi.shape
    dtype = problem.phi.dtype
    return CoupledState(
        codes=jax.random.rademacher(key, (n, bits), dtype=dtype),
        projection=jnp.zeros((m, bits), dtype),
        rotation=jnp.zeros((problem.semantics.shape[1], bits), dtype),
        scale=jnp.ones((), dtype),
        centre=problem.semantics.mean(0),
    )


@full_precision
def alignment_step(
    z: Float[Array, "n r"], directions: Float[Array, "e r"], state: CoupledState
) -> CoupledState:
    """R, then s: the rotated semantics nearest to the codes, by Procrustes (Schönemann 1966).

    R = U V' of the singular value decomposition of Z'B, and s = tr(B' Z R) / |Z R|^2, where |Z R| = |Z|.

    Args:
        z: of `principal_semantics`, (n, r).
        directions: of `principal_semantics`, (e, r).
        state: its codes are the target.

    Returns:
        The state with new `rotation` and `scale`; the scale is not negative.
    """
    correlation = z.T @ state.codes
    left, right = svd(correlation)
    turn = left @ right
    scale = jnp.sum(correlation * turn) / jnp.maximum(jnp.sum(z**2), jnp.finfo(z.dtype).tiny)
    return state._replace(rotation=directions @ turn, scale=scale)


@full_precision
def turned_semantics(vectors: Float[Array, "c e"], state: CoupledState) -> Float[Array, "c l"]:
    """Rotated semantic vectors: s (v - centre) V R.

    Args:
        vectors: of samples or classes, rows of unit length, (c, e).
        state: its rotation is used.

    Returns:
        Real values, (c, l); their signs are codes.
    """
    return state.scale * ((vectors - state.centre[None]) @ state.rotation)


@full_precision
def class_head(state: CoupledState) -> Linear:
    """The class head of a solution: sign(s (v - centre) V R) for a class vector v.

    Args:
        state: of a `Solution`.

    Returns:
        A head for class vectors.
    """
    return centred(state.centre, state.scale * state.rotation)


@full_precision
def signs_step(
    problem: Problem,
    hyper: Hyperparameters,
    state: CoupledState,
    fitted: Float[Array, "n l"] | None = None,
) -> CoupledState:
    """B = sign(s Z R + alpha Phi P), in closed form; a zero keeps the old bit.

    Args:
        problem: the training data.
        hyper: scalar weights.
        state: its other unknowns are fixed.
        fitted: Phi P, if already computed.

    Returns:
        The state with new `codes`.
    """
    fitted = problem.phi @ state.projection if fitted is None else fitted
    field = turned_semantics(problem.semantics, state) + hyper.alpha * fitted
    return state._replace(codes=jnp.where(field == 0, state.codes, jnp.sign(field)))


@full_precision
def coupled_objective(
    problem: Problem,
    hyper: Hyperparameters,
    state: CoupledState,
    fitted: Float[Array, "n l"] | None = None,
) -> Objective:
    """Jc and its terms.

    Args:
        problem: the training data.
        hyper: scalar weights; `lam` and `delta` are not read.
        state: the unknowns.
        fitted: Phi P, if already computed.

    Returns:
        `semantic_fit` is |B - s Z R|^2; the regression ridge is 0.
    """
    fitted = problem.phi @ state.projection if fitted is None else fitted
    terms = (
        jnp.sum((state.codes - turned_semantics(problem.semantics, state)) ** 2),
        jnp.zeros((), state.codes.dtype),
        hyper.alpha * jnp.sum((state.codes - fitted) ** 2),
        hyper.beta * jnp.sum(state.projection**2),
        hyper.gamma * jnp.sum(state.projection * (problem.locality @ state.projection)),
    )
    return Objective(jnp.stack(terms).sum(), *terms)


@partial(jax.jit, static_argnames="max_iterations")
def solve_coupled(
    problem: Problem,
    hyper: Hyperparameters,
    state: CoupledState,
    *,
    max_iterations: int = 10,
    tolerance: Float[Array, ""] | float = 0.0,
) -> Solution[CoupledState]:
    """Alternate P, R, s and B steps from `state` until the codes stop changing. Jc never rises.

    Args:
        problem: the training data.
        hyper: scalar weights; `alpha` positive, `lam` and `delta` not read.
        state: the start, from `init_coupled`.
        max_iterations: maximum number of iterations; static.
        tolerance: as for `solve`.

    Returns:
        The solution, its `state` a `CoupledState`.

    Raises:
        ValueError: the limit is not positive.
    """
    if max_iterations < 1:
        raise ValueError(f"max_iterations must be at least 1; got {max_iterations}")
    q = problem.basis
    if q is not None:
        state = state._replace(centre=q @ state.centre, rotation=q @ state.rotation)
    within = problem_in_basis(problem)
    z, directions = principal_semantics(within, bits=state.codes.shape[1])
    given = _Given(within, hyper, whiten(problem, hyper), z, directions, tolerance)
    end = one_by_one_on_cpu(partial(_alternate, max_iterations=max_iterations))(given, state)
    if q is None:
        return end
    centre, rotation = end.state.centre @ q, q.T @ end.state.rotation
    return with_state(end, end.state._replace(centre=centre, rotation=rotation))


class _Given(NamedTuple):
    """What is fixed during a solve."""

    problem: Problem
    hyper: Hyperparameters
    whitened: Whitened
    z: Float[Array, "n r"]
    directions: Float[Array, "e r"]
    tolerance: Float[Array, ""] | float


class _Pass(NamedTuple):
    state: CoupledState
    fitted: Float[Array, "n l"]  # Phi P: the B-step and Jc both read it


@full_precision
def _alternate(given: _Given, state: CoupledState, *, max_iterations: int) -> Solution[CoupledState]:
    problem, hyper = given.problem, given.hyper

    def fit(state: CoupledState) -> _Pass:
        projection, fitted = fit_whitened(given.whitened, state.codes)
        return _Pass(state._replace(projection=projection), fitted)

    def iterate(before: _Pass, step: Int[Array, ""]) -> _Pass:
        del step
        state, fitted = fit(before.state)
        state = alignment_step(given.z, given.directions, state)
        return _Pass(signs_step(problem, hyper, state, fitted), fitted)

    end = alternate(
        _Pass(state, jnp.zeros_like(state.codes)),
        iterate,
        lambda now, step: coupled_objective(problem, hyper, *now),
        lambda now: now.state.codes,
        max_iterations=max_iterations,
        tolerance=given.tolerance,
    )
    return with_state(end, fit(end.state.state).state)
