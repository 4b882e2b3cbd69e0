"""Random codes, drawn a chunk of samples at a time: the draw of many samples takes no more memory than a chunk."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jax.typing import DTypeLike
from jaxtyping import Array, Float, PRNGKeyArray, Shaped, UInt8

CHUNK = 1 << 16  # samples
FIRST = 1 << 30  # folded into the key of the second chunk, counting up: far from the numbers of starts


def random_signs(
    key: PRNGKeyArray, *, samples: int, bits: int, dtype: DTypeLike = jnp.float32
) -> Float[Array, "n l"]:
    """Independent fair signs in {-1, +1}.

    Args:
        key: of the draw.
        samples: n.
        bits: l.
        dtype: of the result.

    Returns:
        (n, l).
    """
    return _in_chunks(lambda own, n: jax.random.rademacher(own, (n, bits), dtype=dtype), key, samples)


@partial(jax.jit, static_argnames=("samples", "bits"))
def random_packed_signs(key: PRNGKeyArray, *, samples: int, bits: int) -> UInt8[Array, "n bytes"]:
    """`random_signs` in the format of `pack_codes`.

    Args:
        key: of the draw.
        samples: n; static.
        bits: l; static.

    Returns:
        (n, ceil(l / 8)).
    """

    def draw(own: PRNGKeyArray, n: int) -> UInt8[Array, "n bytes"]:
        return jnp.packbits(jax.random.rademacher(own, (n, bits), dtype=jnp.int8) > 0, axis=-1)

    return _in_chunks(draw, key, samples)


def _in_chunks(
    draw: Callable[[PRNGKeyArray, int], Shaped[Array, "_ k"]], key: PRNGKeyArray, samples: int
) -> Shaped[Array, "n k"]:
    if samples <= CHUNK:
        return draw(key, samples)
    chunks = -(-samples // CHUNK)
    others = jax.vmap(jax.random.fold_in, (None, 0))(key, FIRST + jnp.arange(chunks - 1))
    keys = jnp.concatenate([key[None], others])
    return lax.map(lambda own: draw(own, CHUNK), keys).reshape(chunks * CHUNK, -1)[:samples]
