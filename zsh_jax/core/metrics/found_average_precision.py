"""Average precision of the first N ranks, divided by the number of relevant items found there.

Notation as in `average_precision`, and for the tie that the cut-off divides: its first k = N - N0 ranks count, and x of
its r relevant items are among them. All other ties are wholly inside or outside; their sum of precisions is A, which
does not depend on x. The value of an order is (A + gain) / (R0 + x), and 0 if nothing relevant is found.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from zsh_jax.core.metrics.average_precision import (
    Ties,
    relevant_first,
    relevant_last,
    relevant_spread,
    ties_of,
)
from zsh_jax.core.metrics.harmonic import harmonic_difference, rank_shares

BLOCK = 4  # terms of a sum at a time: a loop of few passes, each of which is one kernel


class OfFound(NamedTuple):
    """Average precision divided by what is found, for each cut-off N.

    Attributes:
        worst: the least value over all orders of items at equal distance.
        expected: the exact mean over these orders.
        best: the largest value over these orders.
        nothing: share of these orders that find nothing relevant; some programs leave such a query out of the mean
            over queries, others count it as 0, as here.
    """

    worst: Float[Array, "*q cutoffs"]
    expected: Float[Array, "*q cutoffs"]
    best: Float[Array, "*q cutoffs"]
    nothing: Float[Array, "*q cutoffs"]


class _Cut(NamedTuple):
    """The tie that the cut-off divides, one a query: n, r, N0, R0, k, and the range of x. All 0 but R0 if none is."""

    items: Float[Array, "*q"]
    relevant: Float[Array, "*q"]
    items_before: Float[Array, "*q"]
    relevant_before: Float[Array, "*q"]
    places: Float[Array, "*q"]
    fewest: Float[Array, "*q"]
    most: Float[Array, "*q"]


def average_precision_of_found(
    items: Int[Array, "*q radii"],
    relevant: Int[Array, "*q radii"],
    *,
    cutoffs: tuple[int, ...],
    dtype: jnp.dtype | type = jnp.float32,
) -> OfFound:
    """Mean of the precisions at the relevant items among the first N ranks: worst, expected and best order of ties.

    Args:
        items: number of database items at each distance 0..l, (..., l + 1).
        relevant: number of relevant ones among them, (..., l + 1).
        cutoffs: numbers of ranks that count, N.
        dtype: of the result.

    Returns:
        Values in [0, 1]; NaN if nothing is relevant. Cost: O(sqrt(N)) terms a query, see `_expected`.
    """
    largest = max(cutoffs, default=1)

    def of(ties: Ties, inside: Bool[Array, "*q radii"], cut: _Cut) -> OfFound:
        expected, nothing = _expected(_within(inside, relevant_spread(ties, ties.items)), cut, largest)
        worst = _worst(_within(inside, relevant_last(ties)), cut, largest)
        return OfFound(worst, expected, _best(_within(inside, relevant_first(ties)), cut), nothing)

    return OfFound(*_at_each(of, items, relevant, cutoffs, dtype, len(OfFound._fields)))


def expected_average_precision_of_found(
    items: Int[Array, "*q radii"],
    relevant: Int[Array, "*q radii"],
    *,
    cutoffs: tuple[int, ...],
    dtype: jnp.dtype | type = jnp.float32,
) -> Float[Array, "*q cutoffs"]:
    """The expected value of `average_precision_of_found` alone: sweeps need no more, and compile less.

    Args:
        items: number of database items at each distance 0..l, (..., l + 1).
        relevant: number of relevant ones among them, (..., l + 1).
        cutoffs: numbers of ranks that count, N.
        dtype: of the result.

    Returns:
        Values in [0, 1]; NaN if nothing is relevant.
    """

    def of(ties: Ties, inside: Bool[Array, "*q radii"], cut: _Cut) -> tuple[Float[Array, "*q"]]:
        before = _within(inside, relevant_spread(ties, ties.items))
        return (_expected(before, cut, max(cutoffs))[0],)

    return _at_each(of, items, relevant, cutoffs, dtype, 1)[0]


def _at_each(  # noqa: PLR0917  the arguments of what calls it
    of: Callable[[Ties, Bool[Array, "*q radii"], _Cut], tuple[Float[Array, "*q"], ...]],
    items: Int[Array, "*q radii"],
    relevant: Int[Array, "*q radii"],
    cutoffs: tuple[int, ...],
    dtype: jnp.dtype | type,
    count: int,
) -> tuple[Float[Array, "*q cutoffs"], ...]:
    """Values for each cut-off; NaN if nothing is relevant. One program does for all; they share its number of terms."""
    if not cutoffs:
        return count * (jnp.zeros((*items.shape[:-1], 0), dtype),)
    ties, ends = ties_of(items, relevant, dtype), jnp.cumsum(items, -1)
    some = ties.relevant.sum(-1) > 0

    def at(cutoff: Int[Array, ""]) -> tuple[Float[Array, "*q"], ...]:
        inside = ends <= cutoff
        values = of(ties, inside, _divided(inside, ties, cutoff.astype(dtype)))
        return tuple(jnp.where(some, value, jnp.nan) for value in values)

    return jax.vmap(at, out_axes=-1)(jnp.array(cutoffs, ends.dtype))


def _within(inside: Bool[Array, "*q radii"], gain: Float[Array, "*q radii"]) -> Float[Array, "*q"]:
    return jnp.where(inside, gain, 0).sum(-1)


def _divided(inside: Bool[Array, "*q radii"], ties: Ties, cutoff: Float[Array, ""]) -> _Cut:
    """The tie that the cut-off divides: the first that is not inside."""
    place = inside.sum(-1, keepdims=True, dtype=jnp.int32)
    there = place < inside.shape[-1]

    def pick(values: Float[Array, "*q radii"]) -> Float[Array, "*q"]:
        picked = jnp.take_along_axis(values, jnp.minimum(place, inside.shape[-1] - 1), -1)
        return jnp.where(there, picked, 0)[..., 0]

    n, r, n0 = (pick(values) for values in (ties.items, ties.relevant, ties.items_before))
    r0 = jnp.where(inside, ties.relevant, 0).sum(-1)
    k = jnp.where(there[..., 0], cutoff - n0, 0)
    return _Cut(n, r, n0, r0, k, jnp.maximum(k - (n - r), 0), jnp.minimum(k, r))


def _expected(
    before: Float[Array, "*q"], cut: _Cut, largest: int
) -> tuple[Float[Array, "*q"], Float[Array, "*q"]]:
    """The mean over all orders, and the share of those that find nothing.

    Given x, the k ranks are themselves a tie of k items, x of them relevant, whose mean `relevant_spread` knows. The
    mean over x of a ratio has no closed form; it is summed over x.
    """
    n0, r0, k = cut.items_before, cut.relevant_before, cut.places
    first, second = harmonic_difference(n0, k), rank_shares(n0, k)

    def of(x: Float[Array, "*q"]) -> Float[Array, "*q"]:
        slope = (x - 1) / jnp.maximum(k - 1, 1)
        gain = x / jnp.maximum(k, 1) * ((r0 + 1) * first + slope * (second - first))
        return (before + gain) / jnp.maximum(r0 + x, 1)

    mean, none = _over_found(of, cut, largest)
    return mean, jnp.where(r0 == 0, none, 0)


def _worst(before: Float[Array, "*q"], cut: _Cut, largest: int) -> Float[Array, "*q"]:
    """The least value: relevant items last in each tie inside, and last among the places in the divided tie.

    How many are found there, x, also changes the divisor. One more, at rank N - x, changes the value by
    g(x) / ((R0 + x) (R0 + x + 1)) with

        g(x) = (R0 + x) (R0 + 1) / (N - x) + sum of i / (N - i), i < x,  -  A,

    which grows with x: the value is least where g turns positive, which bisection finds. If relevant items are last in
    every tie, the fewest are found; that is `worst_average_precision(of_found=True)`, and can be larger.
    """
    r0, last = cut.relevant_before, cut.items_before + cut.places

    def halve(
        _: Int[Array, ""], ends: tuple[Float[Array, "*q"], Float[Array, "*q"]]
    ) -> tuple[Float[Array, "*q"], Float[Array, "*q"]]:
        low, high = ends
        x = jnp.floor((low + high) / 2)
        rest = jnp.maximum(last - x, 1)
        shift = last * harmonic_difference(rest, last - rest) - x
        rises = (r0 + x) * (r0 + 1) / rest + shift >= before
        return jnp.where(rises | (low >= high), low, x + 1), jnp.where(rises & (low < high), x, high)

    steps = math.ceil(math.log2(largest + 1)) + 1
    x, _ = lax.fori_loop(0, steps, halve, (cut.fewest, cut.most))
    gain = r0 * harmonic_difference(last - x, x) + rank_shares(last - x, x)
    return jnp.where(r0 + cut.fewest > 0, (before + gain) / jnp.maximum(r0 + x, 1), 0)


def _best(before: Float[Array, "*q"], cut: _Cut) -> Float[Array, "*q"]:
    """The largest value: relevant items first in each tie inside, and first in the divided tie.

    The precisions there grow with x. A mean to which growing values are added falls first, if at all, and then rises:
    the value is largest where the fewest or the most relevant items are found.
    """
    r0, n0 = cut.relevant_before, cut.items_before

    def of(x: Float[Array, "*q"]) -> Float[Array, "*q"]:
        gain = r0 * harmonic_difference(n0, x) + rank_shares(n0, x)
        return (before + gain) / jnp.maximum(r0 + x, 1)

    return jnp.maximum(of(cut.fewest), of(cut.most))


def _over_found(
    of: Callable[[Float[Array, "*q"]], Float[Array, "*q"]], cut: _Cut, largest: int
) -> tuple[Float[Array, "*q"], Float[Array, "*q"]]:
    """Mean of a function of x, and the probability of x = 0. x is hypergeometric: k draws of n items, r relevant.

    x is further than s from its mean with probability at most 2 exp(-2 s^2 / k) (Hoeffding 1963, theorems 2 and 4);
    with s chosen so that this is below rounding, O(sqrt(N)) terms do. Neighbours have a simple ratio, and the terms
    are products of ratios from the most probable one outwards, so that no digits are lost. `BLOCK` terms of each side
    make one pass over the queries.
    """
    n, r, _, _, k, fewest, most = cut
    reach = math.sqrt(-math.log(float(jnp.finfo(n.dtype).eps) / 2) / 2 * largest)
    terms = (
        min(largest, math.ceil(reach) + 1) + 1
    )  # of each side; the most probable x is within 1 of the mean

    def fall(x: Float[Array, "*q"]) -> Float[Array, "*q"]:
        """P(x - 1) / P(x)."""
        ratio = x * (n - r - k + x) / jnp.maximum((r - x + 1) * (k - x + 1), 1)
        return jnp.where(x > fewest, ratio, 0)

    def rise(x: Float[Array, "*q"]) -> Float[Array, "*q"]:
        """P(x) / P(x - 1)."""
        ratio = (r - x + 1) * (k - x + 1) / jnp.maximum(x * (n - r - k + x), 1)
        return jnp.where(x <= most, ratio, 0)

    def block(_: Int[Array, ""], state: tuple[Float[Array, "*q"], ...]) -> tuple[Float[Array, "*q"], ...]:
        up, above, down, below, total, mean, none = state
        for _term in range(BLOCK):
            total += above + below
            mean += above * of(up) + below * of(down)
            none += jnp.where(up == 0, above, 0) + jnp.where(down == 0, below, 0)
            up, below = up + 1, below * fall(down)
            down, above = down - 1, above * rise(up)
        return up, above, down, below, total, mean, none

    mode = jnp.clip(jnp.floor((k + 1) * (r + 1) / (n + 2)), fewest, most)
    start = (mode, jnp.ones_like(n), mode - 1, fall(mode), *(3 * (jnp.zeros_like(n),)))
    *_, total, mean, none = lax.fori_loop(0, -(-terms // BLOCK), block, start)
    return mean / total, none / total
