"""Discrete cyclic coordinate descent on codes."""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from zsh_jax.core.sharding import by_share

SAMPLES = 1024
"""Samples at a time on the CPU: their codes and targets stay in a core's cache, and each part rests when it is done."""
BITS = 16
"""Bits at a time on accelerators: their fields are one product, so that a sweep has few dependent steps."""


def descend(
    codes: Float[Array, "n l"],
    target: Float[Array, "n l"],
    coupling: Float[Array, "l l"],
    *,
    max_sweeps: int,
    tie: Float[Array, ""] | float = 0.0,
    samples: int | None = None,
    bits: int | None = None,
) -> Float[Array, "n l"]:
    """Minimise -2 tr(B' H) + tr(B G B') over signs, bit by bit, until no bit flips (Shen et al. 2015, eq. 10).

    b_k = sign(h_k - sum_{j != k} G_jk b_j); a zero keeps the old bit. The samples are independent of each other. The
    order of the updates does not depend on `samples` and `bits`, which only say how the work is cut.

    Args:
        codes: B at the start, in {-1, +1}.
        target: H.
        coupling: G, symmetric.
        max_sweeps: maximum number of sweeps; static.
        tie: magnitude that counts as zero; above the level of rounding, so that undetermined bits keep their value.
        samples: samples at a time; static. None for 1,024 on the CPU, and all elsewhere.
        bits: bits whose fields are computed by one product; static. None for 1 on the CPU, and 16 elsewhere.

    Returns:
        B, in {-1, +1}, (n, l).
    """
    own = partial(_descend, max_sweeps=max_sweeps, samples=samples, bits=bits)
    return by_share(own, (codes, target), (coupling, jnp.asarray(tie, target.dtype)))


def _descend(
    codes: Float[Array, "n l"],
    target: Float[Array, "n l"],
    coupling: Float[Array, "l l"],
    tie: Float[Array, ""],
    *,
    max_sweeps: int,
    samples: int | None,
    bits: int | None,
) -> Float[Array, "n l"]:
    """`descend` on the samples of one device."""
    n, length = codes.shape
    on_cpu = jax.default_backend() == "cpu"
    part = min(n, samples or (SAMPLES if on_cpu else n))
    block = min(length, bits or (1 if on_cpu else BITS))
    # Codes, targets and couplings of zero have fields of zero, and stay as they are.
    parts = -(-n // part)
    part = -(-n // parts)
    blank = ((0, parts * part - n), (0, -length % block))
    codes, target = (jnp.pad(one, blank) for one in (codes, target))
    coupling = jnp.pad(coupling, (blank[1], blank[1]))
    rest = partial(_rest, coupling=coupling, tie=tie, max_sweeps=max_sweeps, block=block)
    if parts == 1:
        return rest((codes, target))[:, :length]
    cut = tuple(one.reshape(parts, part, -1) for one in (codes, target))
    return lax.map(rest, cut).reshape(parts * part, -1)[:n, :length]


def _rest(
    start: tuple[Float[Array, "n l"], Float[Array, "n l"]],
    *,
    coupling: Float[Array, "l l"],
    tie: Float[Array, ""],
    max_sweeps: int,
    block: int,
) -> Float[Array, "n l"]:
    """Sweep until no bit flips."""
    # Samples on the last axis, so that each update reads contiguous memory.
    codes, target = (one.T for one in start)

    def goes_on(carry: tuple[Float[Array, "l n"], Bool[Array, ""], Int[Array, ""]]) -> Bool[Array, ""]:
        _, flipped, sweeps = carry
        return flipped & (sweeps < max_sweeps)

    def sweep(
        carry: tuple[Float[Array, "l n"], Bool[Array, ""], Int[Array, ""]],
    ) -> tuple[Float[Array, "l n"], Bool[Array, ""], Int[Array, ""]]:
        codes, _, sweeps = carry
        update = partial(_update_block, target=target, coupling=coupling, tie=tie, block=block)
        swept = lax.fori_loop(0, codes.shape[0] // block, update, codes)
        return swept, jnp.any(swept != codes), sweeps + 1

    codes, _, _ = lax.while_loop(goes_on, sweep, (codes, jnp.array(True), jnp.array(0)))
    return codes.T


def _update_block(
    i: Int[Array, ""],
    codes: Float[Array, "l n"],
    *,
    target: Float[Array, "l n"],
    coupling: Float[Array, "l l"],
    tie: Float[Array, ""],
    block: int,
) -> Float[Array, "l n"]:
    """Update the bits of a block once, in order: their fields by one product, corrected as bits before them change."""
    first = i * block
    rows = lax.dynamic_slice_in_dim(coupling, first, block)
    old = lax.dynamic_slice_in_dim(codes, first, block)
    own = lax.dynamic_slice_in_dim(rows, first, block, axis=1)
    fields = lax.dynamic_slice_in_dim(target, first, block) - (
        rows @ codes - jnp.diagonal(own)[:, None] * old
    )
    new: list[Float[Array, " n"]] = []
    for k in range(block):
        field = fields[k]
        for j, updated in enumerate(new):
            field = field - own[k, j] * (updated - old[j])
        new.append(jnp.where(jnp.abs(field) <= tie, old[k], jnp.sign(field)))
    return lax.dynamic_update_slice_in_dim(codes, jnp.stack(new), first, axis=0)
