"""The histograms as a Pallas kernel for GPUs. It has run in interpret mode on a CPU only, never on a GPU.

Tests lower it to Triton's language, which needs no GPU.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton
from jaxtyping import Array, Int, Shaped, UInt8

from zsh_jax.core.packing import code_words

QUERIES, ITEMS, LOOPS = 16, 128, 32
"""Queries and items of a tile, and tiles of items of a program: powers of two, as Triton asks for."""

PARTS = 64
"""Parts of a database at most, each with counts of its own: a larger database has more tiles in a part."""


def count_by_kernel(
    query_codes: UInt8[Array, "q bytes"],
    query_labels: Shaped[Array, "q *words"],
    database_codes: UInt8[Array, "n bytes"],
    database_labels: Shaped[Array, "n *words"],
    *,
    bits: int,
    interpret: bool = False,
) -> Int[Array, "q bins"]:
    """Count keys (2 x distance + relevant), as `count_by_comparison`, in one kernel.

    A program counts one tile of queries against one part of the database. Distances, by XOR and population count, and
    counts stay in registers; the parts are added up afterwards. No atomic addition, so results do not depend on timing.

    Args:
        query_codes: as in `distance_histograms`.
        query_labels: of `label_words`.
        database_codes: as in `distance_histograms`.
        database_labels: of `label_words`.
        bits: code length l.
        interpret: whether to run the kernel as plain JAX operations, on any platform.

    Returns:
        (q, 2 (l + 1)): irrelevant and relevant items at distance 0, then at distance 1, ...
    """
    (queries, _), size = query_codes.shape, database_codes.shape[0]
    bins = 2 * (bits + 1)
    wide = 1 << (bins - 1).bit_length()
    loops = LOOPS
    while size > ITEMS * loops * PARTS:
        loops *= 2
    part = ITEMS * loops
    parts = -(-size // part)
    asked = [_columns(rows, QUERIES) for rows in (code_words(query_codes), query_labels)]
    held = [_columns(rows, part) for rows in (code_words(database_codes), database_labels)]
    padded = asked[0].shape[1]
    counts = pl.pallas_call(
        partial(_count, size=size, loops=loops, is_class=query_labels.ndim == 1),
        out_shape=jax.ShapeDtypeStruct((parts, padded, wide), jnp.int32),
        grid=(padded // QUERIES, parts),
        in_specs=[
            *(pl.BlockSpec((len(columns), QUERIES), lambda i, j: (0, i)) for columns in asked),
            *(pl.BlockSpec((len(columns), part), lambda i, j: (0, j)) for columns in held),
        ],
        out_specs=pl.BlockSpec((None, QUERIES, wide), lambda i, j: (j, i, 0)),
        compiler_params=triton.CompilerParams(num_warps=4),
        interpret=interpret,
    )(*asked, *held)
    return counts.sum(0, dtype=jnp.int32)[:queries, :bins]


def _columns(rows: Shaped[Array, "n *words"], multiple: int) -> Shaped[Array, "words m"]:
    """Words as rows, with zeros up to a multiple of a tile."""
    columns = rows.reshape(len(rows), -1).T
    return jnp.pad(columns, ((0, 0), (0, -columns.shape[1] % multiple)))


def _count(*refs: Any, size: int, loops: int, is_class: bool) -> None:
    """The kernel: codes and labels of queries, then those of items, and the counts that it writes."""
    codes, labels, item_codes, item_labels, counts = refs
    first = pl.program_id(1) * ITEMS * loops
    bins = lax.broadcasted_iota(jnp.int32, counts.shape, 1)

    def tile(number: Int[Array, ""], total: Int[Array, "q wide"]) -> Int[Array, "q wide"]:
        start = number * ITEMS
        distance = jnp.zeros((QUERIES, ITEMS), jnp.int32)
        for word in range(codes.shape[0]):
            differing = codes[word, :][:, None] ^ item_codes[word, pl.ds(start, ITEMS)][None]
            distance += lax.population_count(differing).astype(jnp.int32)
        relevant = jnp.zeros((QUERIES, ITEMS), jnp.bool_)
        for word in range(labels.shape[0]):
            one, other = labels[word, :][:, None], item_labels[word, pl.ds(start, ITEMS)][None]
            relevant |= (one == other) if is_class else ((one & other) != 0)
        place = first + start + lax.broadcasted_iota(jnp.int32, distance.shape, 1)
        key = jnp.where(place < size, 2 * distance + relevant.astype(jnp.int32), -1)  # padding is in no bin

        def add(number: Int[Array, ""], total: Int[Array, "q wide"]) -> Int[Array, "q wide"]:
            found = jnp.sum((key == number).astype(jnp.int32), axis=1, dtype=jnp.int32)
            return total + jnp.where(bins == number, found[:, None], 0)

        return lax.fori_loop(0, counts.shape[1], add, total)

    counts[...] = lax.fori_loop(0, loops, tile, jnp.zeros(counts.shape, jnp.int32))
