"""How many codes of a database are distinct, where it lies over several devices."""

from functools import partial

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Int, UInt32

from zsh_jax.core.metrics.equal_codes import an_equal_row
from zsh_jax.core.sharding import DATA, by_share

GROUPS = 8  # at a time


def distinct_over_devices(rows: UInt32[Array, "n words"], members: Bool[Array, "n g"]) -> Int[Array, " g"]:
    """Number of distinct rows in each group.

    A row counts on the first device that has it: the shares go round, and each device marks its rows that a device
    before it has too. It has two shares at a time; each is compared with each.

    Args:
        rows: (n, words).
        members: whether each row is in each group.

    Returns:
        (g,), exact.
    """
    counts: Array = by_share(_new_rows, (rows, members), gives="sums")
    return counts


def _new_rows(rows: UInt32[Array, "r words"], members: Bool[Array, "r g"]) -> Int[Array, " g"]:
    size, devices, place = rows.shape[0], lax.axis_size(DATA), lax.axis_index(DATA)
    some = partial(lax.map, batch_size=min(GROUPS, members.shape[1]))

    def turn(
        number: Int[Array, ""], carry: tuple[Bool[Array, "g r"], UInt32[Array, "r words"], Bool[Array, "r g"]]
    ) -> tuple[Bool[Array, "g r"], UInt32[Array, "r words"], Bool[Array, "r g"]]:
        again, *passing = carry
        others, theirs = (
            lax.ppermute(one, DATA, [(i, (i + 1) % devices) for i in range(devices)]) for one in passing
        )
        same = an_equal_row(jnp.concatenate([rows, others]))

        def has_it(member: Bool[Array, " r"]) -> Bool[Array, " r"]:
            return jnp.zeros(2 * size, bool).at[same[size:]].max(member)[same[:size]]

        before = (place - number - 1) % devices < place
        return again | (before & some(has_it, theirs.T)), others, theirs

    nothing = jnp.zeros(members.T.shape, bool)
    again, *_ = lax.fori_loop(0, devices - 1, turn, (nothing, rows, members))
    same = an_equal_row(rows)

    def count(args: tuple[Bool[Array, " r"], Bool[Array, " r"]]) -> Int[Array, ""]:
        member, was_before = args
        first = jnp.zeros(size, bool).at[same].max(member)  # one of the equal rows, if any is a member
        return (first & ~was_before).sum(dtype=jnp.int32)

    return some(count, (members.T, again))
