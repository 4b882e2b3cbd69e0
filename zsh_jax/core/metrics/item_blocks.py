"""Add up counts over blocks of a database, so that memory does not grow with it."""

from collections.abc import Callable

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Int, Shaped, UInt8

from zsh_jax.core.sharding import are_rows

CountBlock = Callable[
    [UInt8[Array, "block bytes"], Shaped[Array, "block *words"], Bool[Array, " block"]], Int[Array, "q bins"]
]
"""Counts of a block: from its codes, its labels, and which of its rows are items."""


def sum_over_blocks(
    count: CountBlock,
    codes: UInt8[Array, "n bytes"],
    labels: Shaped[Array, "n *words"],
    is_item: Bool[Array, " n"] | None,
    *,
    block: int,
    shape: tuple[int, int],
) -> Int[Array, "q bins"]:
    """Sum the counts of all blocks; rows that fill the last block up are no items.

    Args:
        count: of a block.
        codes: packed codes of the database, (n, bytes).
        labels: of `label_words`, (n,) or (n, words).
        is_item: whether to count each row, (n,); None for all.
        block: rows of a block.
        shape: of the counts, (q, bins).

    Returns:
        The sums.
    """

    def blocks(rows: Shaped[Array, "n *s"]) -> Shaped[Array, "blocks block *s"]:
        padding = ((0, -len(rows) % block), *((0, 0) for _ in rows.shape[1:]))
        return jnp.pad(rows, padding).reshape(-1, block, *rows.shape[1:])

    def add(
        counts: Int[Array, "q bins"],
        part: tuple[UInt8[Array, "block bytes"], Shaped[Array, "block *words"], Bool[Array, " block"]],
    ) -> tuple[Int[Array, "q bins"], None]:
        return counts + count(*part), None

    is_item = are_rows(codes) if is_item is None else is_item
    parts = (blocks(codes), blocks(labels), blocks(is_item))
    return lax.scan(add, jnp.zeros(shape, jnp.int32), parts)[0]
