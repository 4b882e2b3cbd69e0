"""Sums over ranks in closed form, accurate in float32: they make up every average precision."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

_SMALL = 32  # whole numbers up to this are tabulated; the series beyond has errors below 1e-13
_TERMS = 12  # of the series of x - log(1 + x): its terms fall by a ninth or faster


def harmonic_difference(start: Float[Array, "*s"], count: Float[Array, "*s"]) -> Float[Array, "*s"]:
    """H(start + count) - H(start) for the harmonic numbers, to full float32 precision.

    A difference of two tabulated values loses digits for large `start`. Beyond a short table, this uses the asymptotic
    series H(n) = ln(n + 1/2) + g + 1 / (24 (n + 1/2)^2) - ..., with the logarithms as one log1p.

    Args:
        start: whole numbers, not negative.
        count: whole numbers, not negative, of the same shape.

    Returns:
        The sum of 1/i for i from start + 1 to start + count.
    """
    first, last, beyond, rest = _parts(start, count)
    return _tabulated(_INVERSES, first, last) + _difference_beyond(beyond, rest)


def rank_shares(start: Float[Array, "*s"], count: Float[Array, "*s"]) -> Float[Array, "*s"]:
    """The sum of j / (start + j) for j from 1 to count, to full float32 precision.

    It is count - start (H(start + count) - H(start)), which loses digits where start is much larger than count. Here no
    two terms cancel: beyond a short table, with a = start + 1/2 and x = count / a,

        count - start ln(1 + x) = a (x - ln(1 + x)) + ln(1 + x) / 2.

    Args:
        start: whole numbers, not negative: ranks before the first.
        count: whole numbers, not negative, of the same shape.

    Returns:
        The sum of the precisions of `count` relevant items at the ranks after `start` irrelevant ones.
    """
    first, last, beyond, rest = _parts(start, count)
    middle = beyond + 0.5
    x = rest / middle
    shares = (
        middle * _without_logarithm(x) + jnp.log1p(x) / 2 + beyond * (_tail(beyond) - _tail(beyond + rest))
    )
    # Ranks beyond the table count from `start`, not from the end of the table.
    return (
        _tabulated(_SHARES, first, last)
        + shares
        + (beyond - start) * jnp.where(start < beyond, _difference_beyond(beyond, rest), 0)
    )


def _parts(
    start: Float[Array, "*s"], count: Float[Array, "*s"]
) -> tuple[Float[Array, "*s"], Float[Array, "*s"], Float[Array, "*s"], Float[Array, "*s"]]:
    """The ranks start + 1 to start + count, inside the table (its ends) and beyond it (start and count)."""
    stop = start + count
    beyond = jnp.maximum(start, _SMALL)
    return jnp.minimum(start, _SMALL), jnp.minimum(stop, _SMALL), beyond, jnp.maximum(stop, _SMALL) - beyond


def _tabulated(table: np.ndarray, start: Float[Array, "*s"], stop: Float[Array, "*s"]) -> Float[Array, "*s"]:
    place = (_SMALL + 1) * start.astype(jnp.int32) + stop.astype(jnp.int32)
    return jnp.asarray(table.reshape(-1), start.dtype)[place]


def _difference_beyond(start: Float[Array, "*s"], count: Float[Array, "*s"]) -> Float[Array, "*s"]:
    return jnp.log1p(count / (start + 0.5)) - (_tail(start) - _tail(start + count))


def _tail(n: Float[Array, "*s"]) -> Float[Array, "*s"]:
    """H(n) - g - ln(n + 1/2), with an error below 1e-13 beyond the table."""
    square = 1 / (n + 0.5) ** 2
    return square * (1 / 24 - square * (7 / 960 - square * (31 / 8064)))


def _without_logarithm(x: Float[Array, "*s"]) -> Float[Array, "*s"]:
    """The difference x - ln(1 + x) for x >= 0: by the series of the area tangent up to 1, directly beyond.

    With y = x / (2 + x): x - 2 artanh(y) = x y - 2 y^3 (1/3 + y^2 / 5 + y^4 / 7 + ...).
    """
    y = x / (2 + x)
    square = jnp.minimum(y, 1 / 3) ** 2
    series = jnp.zeros_like(x)
    for term in reversed(range(_TERMS)):
        series = series * square + 1 / (2 * term + 3)
    return jnp.where(x > 1, x - jnp.log1p(x), y * (x - 2 * square * series))


def _table(shares: bool) -> np.ndarray:
    """Sums over the ranks start + 1 to stop, in row start and column stop; 0 where stop is not larger."""
    ranks = np.arange(1, _SMALL + 1)
    ends = np.arange(_SMALL + 1)
    inside = (ranks > ends[:, None, None]) & (ranks <= ends[None, :, None])
    place = ranks - ends[:, None, None] if shares else np.ones_like(ranks)
    return (np.where(inside, place, 0) / ranks).sum(-1)


_INVERSES, _SHARES = _table(shares=False), _table(shares=True)
