"""The gradient method of KSH (Liu et al. 2012) on the smooth surrogate of one bit.

It descends in the weights a, but follows the projected samples K a: their step is K K' times the pull on them.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from zsh_jax.core.precision import full_precision

_DOUBLINGS = 50  # maximum number of doublings of the inverse step length

Product = Callable[[Float[Array, "q *r"]], Float[Array, "q *r"]]
"""The product of a symmetric q x q matrix with the argument."""


class _Descent(NamedTuple):
    # K a in the first row, and in the second c with a = start - K'c. So an iteration needs one product with K K'.
    before: Float[Array, "2 q"]
    now: Float[Array, "2 q"]
    momentum_before: Float[Array, ""]
    momentum: Float[Array, ""]
    inverse_step: Float[Array, ""]
    cost: Float[Array, ""]
    iterations: Int[Array, ""]
    running: Bool[Array, ""]


@full_precision
def smooth_descent(
    features: Float[Array, "q k"],
    inner: Float[Array, "q q"] | None,
    residual: Product,
    start: Float[Array, " k"],
    tolerance: Float[Array, ""] | float,
    *,
    iterations: int,
) -> Float[Array, " k"]:
    """Nesterov's accelerated gradient with backtracking on the surrogate.

    Args:
        features: K.
        inner: from `inner_products`.
        residual: product with R.
        start: a.
        tolerance: it stops once the surrogate, divided by q, changes by at most this.
        iterations: maximum number; static.

    Returns:
        The last a.
    """

    def spread(values: Float[Array, " q"]) -> Float[Array, " q"]:
        return features @ (values @ features) if inner is None else values @ inner

    def surrogate(point: Float[Array, "2 q"]) -> Float[Array, ""]:
        smooth = jnp.tanh(point[0] / 2)
        return -smooth @ residual(smooth)

    def iterate(state: _Descent) -> _Descent:
        ahead = state.now + (state.momentum_before - 1) / state.momentum * (state.now - state.before)
        smooth = jnp.tanh(ahead[0] / 2)
        pulled = residual(smooth)
        value = -smooth @ pulled
        pull = -pulled * (1 - smooth**2)  # the gradient is K' times it
        moved = spread(pull)
        slope = jnp.maximum(pull @ moved, 0)  # |gradient|^2
        direction = jnp.stack([moved, -pull])

        def too_long(carry: tuple[Float[Array, ""], Float[Array, ""], Int[Array, ""]]) -> Bool[Array, ""]:
            inverse_step, reached, doublings = carry
            # At the step -g / b the quadratic bound is value - |g|^2 / (2 b).
            return ~(reached <= value - slope / (2 * inverse_step)) & (doublings < _DOUBLINGS)

        def halve(
            carry: tuple[Float[Array, ""], Float[Array, ""], Int[Array, ""]],
        ) -> tuple[Float[Array, ""], Float[Array, ""], Int[Array, ""]]:
            inverse_step, _, doublings = carry
            return 2 * inverse_step, surrogate(ahead - direction / (2 * inverse_step)), doublings + 1

        first = (
            state.inverse_step,
            surrogate(ahead - direction / state.inverse_step),
            jnp.array(0, jnp.int32),
        )
        inverse_step, cost, doublings = lax.while_loop(too_long, halve, first)
        found = doublings < _DOUBLINGS
        moves = jnp.abs(cost - state.cost) > tolerance * features.shape[0]
        count = state.iterations + 1
        return _Descent(
            before=jnp.where(found, state.now, state.before),
            now=jnp.where(found, ahead - direction / inverse_step, state.now),
            momentum_before=state.momentum,
            momentum=(1 + jnp.sqrt(1 + 4 * state.momentum**2)) / 2,
            inverse_step=inverse_step,
            cost=cost,
            iterations=count,
            running=found & moves & (count < iterations),
        )

    one = jnp.ones((), start.dtype)
    here = features @ start
    point = jnp.stack([here, jnp.zeros_like(here)])
    first = _Descent(
        point, point, 0 * one, one, one, surrogate(point), jnp.array(0, jnp.int32), jnp.array(iterations > 0)
    )
    end = lax.while_loop(lambda state: state.running, iterate, first)
    return start - end.now[1] @ features


@full_precision
def inner_products(features: Float[Array, "q k"]) -> Float[Array, "q q"] | None:
    """K K', or None if a product with it costs more than one with K' and one with K."""
    q, k = features.shape
    return features @ features.T if q <= 2 * k else None
