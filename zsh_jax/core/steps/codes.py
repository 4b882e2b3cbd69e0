"""B-step: discrete cyclic coordinate descent on the codes."""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from zsh_jax.core.precision import full_precision
from zsh_jax.core.problem import Hyperparameters, Problem, State


def _sweep(
    codes: Float[Array, "l n"],
    target: Float[Array, "l n"],
    coupling: Float[Array, "l l"],
    tie: Float[Array, ""],
) -> Float[Array, "l n"]:
    """Update each bit once, in order, for all samples at once."""

    def update_bit(k: Int[Array, ""], codes: Float[Array, "l n"]) -> Float[Array, "l n"]:
        old = codes[k]
        others = coupling[k] @ codes - coupling[k, k] * old
        field = target[k] - others
        return codes.at[k].set(jnp.where(jnp.abs(field) <= tie, old, jnp.sign(field)))

    return lax.fori_loop(0, codes.shape[0], update_bit, codes)


def descend(
    codes: Float[Array, "n l"],
    target: Float[Array, "n l"],
    coupling: Float[Array, "l l"],
    *,
    max_sweeps: int,
    tie: Float[Array, ""] | float = 0.0,
) -> Float[Array, "n l"]:
    """Minimise -2 tr(B' H) + tr(B G B') over signs, bit by bit, until no bit flips (Shen et al. 2015, eq. 10).

    b_k = sign(h_k - sum_{j != k} G_jk b_j); a zero keeps the old bit.

    Args:
        codes: B at the start, in {-1, +1}.
        target: H.
        coupling: G, symmetric.
        max_sweeps: maximum number of sweeps; static.
        tie: magnitude that counts as zero; above the level of rounding, so that undetermined bits keep their value.

    Returns:
        B, in {-1, +1}, (n, l).
    """
    # Samples on the last axis, so that each update reads contiguous memory.
    target = target.T

    def goes_on(carry: tuple[Float[Array, "l n"], Bool[Array, ""], Int[Array, ""]]) -> Bool[Array, ""]:
        _, flipped, sweeps = carry
        return flipped & (sweeps < max_sweeps)

    def sweep(
        carry: tuple[Float[Array, "l n"], Bool[Array, ""], Int[Array, ""]],
    ) -> tuple[Float[Array, "l n"], Bool[Array, ""], Int[Array, ""]]:
        codes, _, sweeps = carry
        swept = _sweep(codes, target, coupling, jnp.asarray(tie, target.dtype))
        return swept, jnp.any(swept != codes), sweeps + 1

    codes, _, _ = lax.while_loop(goes_on, sweep, (codes.T, jnp.array(True), jnp.array(0)))
    return codes.T


@partial(jax.jit, static_argnames="max_sweeps")
@full_precision
def codes_step(problem: Problem, hyper: Hyperparameters, state: State, *, max_sweeps: int = 10) -> State:
    """Coordinate descent on the codes from their current values (Yang et al. 2016, eq. 14).

    `descend` with H = Y V' + alpha Phi P and G = V V' for V = W R', which are Y R W' + alpha Phi P and W W'. Each
    update of a bit is an exact minimiser with all else fixed, so J never rises.

    Args:
        problem: the training data.
        hyper: scalar weights.
        state: its `codes` are the warm start.
        max_sweeps: maximum number of sweeps over the bits; static.

    Returns:
        The state with new `codes` (n, l).
    """
    dictionary = state.dictionary
    target = problem.semantics @ dictionary.T + hyper.alpha * (problem.phi @ state.projection)
    coupling = dictionary @ dictionary.T
    return state._replace(codes=descend(state.codes, target, coupling, max_sweeps=max_sweeps))
