"""The iterations of the published form over training samples in blocks; see `zsh_jax.core.solver`.

A pass starts from sums over the samples: P, R and W are fitted to them. Then the B-step goes through the blocks, and
adds up the sums of the new codes for the next pass. So each pass computes the RBF features once.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int, UInt8

from zsh_jax.core.blocks.stream import BLOCK, Mapped, block_at, blocks_of, only_new, phi_of, targets_of
from zsh_jax.core.descent import descend
from zsh_jax.core.factorisation import solve_lower
from zsh_jax.core.loop import Status
from zsh_jax.core.objective import Objective, objective_of_fits
from zsh_jax.core.packing import pack_codes, unpack_codes
from zsh_jax.core.precision import full_precision
from zsh_jax.core.problem import Hyperparameters, Problem, State
from zsh_jax.core.steps.projection import projection_factor
from zsh_jax.core.steps.regression import fit_dictionary
from zsh_jax.core.steps.rotation import procrustes

SUMMING = -1
"""Number of the pass before the first: it only adds up the sums of the codes at the start."""


class Fixed(NamedTuple):
    """What is fixed during a solve, beside the samples.

    Attributes:
        problem: products of the data; `semantics` are the distinct targets, in the basis; `phi` is None.
        hyper: scalar weights.
        alphas: alpha of each iteration; None if it is constant.
        inverse: L^-1 of the P-step's factor, if alpha is constant.
        tolerance: see `solve`.
    """

    problem: Problem
    hyper: Hyperparameters
    alphas: Float[Array, " max_iterations"] | None
    inverse: Float[Array, "m m"] | None
    tolerance: Float[Array, ""] | float


class Sums(NamedTuple):
    """What the P, R and W steps read of the codes.

    Attributes:
        features: Phi' B.
        codes: B' B.
        semantics: B' Y.
    """

    features: Float[Array, "m l"]
    codes: Float[Array, "l l"]
    semantics: Float[Array, "l e"]


class Position(NamedTuple):
    """Where a solve stands, between two blocks of a pass. With it, the solve continues to the same result.

    Attributes:
        codes: packed.
        state: P, R, W and V of this pass; its codes are None.
        sums: of the codes: of the blocks of this pass; before its first block, of all.
        semantic_fit: |Y R - B W|^2 of the blocks of this pass.
        projection_fit: |B - Phi P|^2 of them.
        changed: bits that changed in them.
        block: the next one.
        terms: J and its terms after each iteration; NaN where there was none.
        flips: bits that changed in each iteration; -1 where there was none.
        iterations: number of finished iterations; `SUMMING` in the pass before the first.
        status: a `Status`.
        running: whether the solve goes on.
    """

    codes: UInt8[Array, "n bytes"]
    state: State
    sums: Sums
    semantic_fit: Float[Array, ""]
    projection_fit: Float[Array, ""]
    changed: Int[Array, ""]
    block: Int[Array, ""]
    terms: Objective
    flips: Int[Array, " max_iterations"]
    iterations: Int[Array, ""]
    status: Int[Array, ""]
    running: Bool[Array, ""]


@partial(jax.jit, static_argnames=("bits", "max_iterations"))
def first_position(
    problem: Problem,
    codes: UInt8[Array, "n bytes"],
    rotation: Float[Array, "e e"],
    *,
    bits: int,
    max_iterations: int,
) -> Position:
    """The position before the first pass.

    Args:
        problem: products of the data.
        codes: at the start, packed.
        rotation: R at the start.
        bits: code length l; static.
        max_iterations: maximum number of passes; static.

    Returns:
        The position. Its P, W and V are zero: so the pass that sums changes no bit.
    """
    m, e, dtype = problem.gram.shape[0], rotation.shape[0], problem.gram.dtype
    zero, none = jnp.zeros((bits, e), dtype), jnp.full(max_iterations, jnp.nan, dtype)
    state = State(None, jnp.zeros((m, bits), dtype), rotation, zero, zero)  # type: ignore[arg-type]
    return Position(
        codes=codes,
        state=state,
        sums=Sums(state.projection, jnp.zeros((bits, bits), dtype), zero),
        semantic_fit=jnp.zeros((), dtype),
        projection_fit=jnp.zeros((), dtype),
        changed=jnp.array(0, jnp.int32),
        block=jnp.array(0, jnp.int32),
        terms=Objective(*[none] * len(Objective._fields)),
        flips=jnp.full(max_iterations, -1, jnp.int32),
        iterations=jnp.array(SUMMING, jnp.int32),
        status=jnp.array(Status.ITERATION_LIMIT, jnp.int32),
        running=jnp.array(True),
    )


@partial(jax.jit, static_argnames=("rotates", "max_sweeps", "block"))
@full_precision
def advance(
    mapped: Mapped,
    fixed: Fixed,
    position: Position,
    count: Int[Array, ""],
    *,
    rotates: bool = True,
    max_sweeps: int = 10,
    block: int = BLOCK,
) -> Position:
    """Go through the next blocks of a pass, not beyond its end.

    Args:
        mapped: training samples.
        fixed: what else is fixed.
        position: from `first_position` or this function; still running.
        count: maximum number of blocks; it does not change the result.
        rotates: whether R is fitted; static.
        max_sweeps: of each B-step; static.
        block: samples of a block; static. Memory: a few times block x m.

    Returns:
        The next position.
    """
    samples = mapped.stream.samples
    blocks = blocks_of(samples, block)
    starts = (position.block == 0) & (position.iterations > SUMMING)
    position = lax.cond(starts, partial(_start_pass, fixed, rotates=rotates), lambda same: same, position)
    last = jnp.minimum(position.block + count, blocks)
    through = partial(_through_block, mapped, fixed, max_sweeps=max_sweeps, block=block)
    position = lax.fori_loop(position.block, last, lambda index, one: through(one, index), position)
    return lax.cond(last == blocks, partial(_end_pass, fixed, samples), lambda same: same, position)


def inverse_factor(problem: Problem, hyper: Hyperparameters) -> Float[Array, "m m"]:
    """L^-1 for the Cholesky factor L of the P-step: P = L^-T L^-1 Phi'B by two products."""
    factor = projection_factor(problem, hyper)
    return solve_lower(factor, jnp.eye(factor.shape[0], dtype=factor.dtype))


def fit_projection_to(fixed: Fixed, sums: Sums, iteration: Int[Array, ""]) -> Float[Array, "m l"]:
    """The P of an iteration, from sums of the codes."""
    inverse = fixed.inverse
    if inverse is None:
        inverse = inverse_factor(fixed.problem, _weights(fixed, iteration))
    return inverse.T @ (inverse @ sums.features)


def _weights(fixed: Fixed, iteration: Int[Array, ""]) -> Hyperparameters:
    if fixed.alphas is None:
        return fixed.hyper
    return fixed.hyper._replace(alpha=fixed.alphas[jnp.maximum(iteration, 0)])


def _start_pass(fixed: Fixed, position: Position, *, rotates: bool) -> Position:
    """P, R and W steps; then the sums start again."""
    state, sums = position.state, position.sums
    projection = fit_projection_to(fixed, sums, position.iterations)
    rotation = procrustes(sums.semantics.T, state.regression) if rotates else state.rotation
    dictionary = fit_dictionary(sums.codes, sums.semantics, fixed.hyper.lam)
    zero = jnp.zeros_like(position.semantic_fit)
    return position._replace(
        state=State(state.codes, projection, rotation, dictionary @ rotation, dictionary),
        sums=jax.tree.map(jnp.zeros_like, sums),
        semantic_fit=zero,
        projection_fit=zero,
        changed=jnp.zeros_like(position.changed),
    )


def _through_block(
    mapped: Mapped,
    fixed: Fixed,
    position: Position,
    index: Int[Array, ""],
    *,
    max_sweeps: int,
    block: int,
) -> Position:
    """The B-step of one block, and its part of the sums."""
    stream, state, sums = mapped.stream, position.state, position.sums
    alpha = _weights(fixed, position.iterations).alpha
    of = block_at(index, stream.samples, block)
    phi = phi_of(mapped, of)
    y, fitted = targets_of(stream, of, fixed.problem.semantics), phi @ state.projection

    first, size = of.places[0], of.places.shape[0]
    packed = lax.dynamic_slice_in_dim(position.codes, first, size)
    before = unpack_codes(packed, bits=state.dictionary.shape[0]).astype(phi.dtype)
    target = y @ state.dictionary.T + alpha * fitted
    after = descend(before, target, state.dictionary @ state.dictionary.T, max_sweeps=max_sweeps)
    after = jnp.where(of.new[:, None], after, before)

    semantic = only_new(of, y - after @ (state.regression @ state.rotation.T))
    codes = only_new(of, after)
    new = Sums(phi.T @ codes, codes.T @ codes, codes.T @ y)
    return position._replace(
        codes=lax.dynamic_update_slice_in_dim(position.codes, pack_codes(after), first, axis=0),
        sums=jax.tree.map(jnp.add, sums, new),
        semantic_fit=position.semantic_fit + jnp.sum(semantic**2),
        projection_fit=position.projection_fit + jnp.sum(only_new(of, after - fitted) ** 2),
        changed=position.changed + jnp.sum((after > 0) != (before > 0), dtype=jnp.int32),
        block=index + 1,
    )


def _end_pass(fixed: Fixed, samples: int, position: Position) -> Position:
    """J and the traces, and whether to go on; see `zsh_jax.core.loop`."""
    step, until_rest = position.iterations, fixed.alphas is None
    is_first = step == SUMMING
    fits = position.semantic_fit, position.projection_fit
    now = objective_of_fits(fixed.problem, _weights(fixed, step), position.state, *fits)
    previous = position.terms.total[jnp.maximum(step - 1, 0)]
    slow = previous - now.total < fixed.tolerance * jnp.abs(previous)
    slow &= (step > 0) & (fixed.tolerance > 0)
    converged = ((position.changed == 0) & until_rest) | slow
    finite = jnp.isfinite(now.total)
    status = jnp.where(
        finite, jnp.where(converged, Status.CONVERGED, Status.ITERATION_LIMIT), Status.NON_FINITE
    )
    limit = position.flips.shape[0]
    running = (finite & ~converged | (not until_rest)) & (step + 1 < limit)
    at = jnp.where(is_first, limit, step)  # out of bounds: not recorded

    # The first rotation step reads B'Y / n, the regression of independent codes.
    state = position.state
    start = position.sums.semantics / samples
    return position._replace(
        state=state._replace(
            regression=jnp.where(is_first, start, state.regression),
            dictionary=jnp.where(is_first, start, state.dictionary),
        ),
        block=jnp.zeros_like(position.block),
        terms=jax.tree.map(lambda trace, one: trace.at[at].set(one, mode="drop"), position.terms, now),
        flips=position.flips.at[at].set(position.changed, mode="drop"),
        iterations=step + 1,
        status=jnp.where(is_first, position.status, status).astype(jnp.int32),
        running=is_first | running,
    )
