"""What the machine can do: the rate of a plain product, of a plain memory pass, and of a plain popcount pass.

A floor is the time that a row's products or bytes alone would take at these rates, measured in turns with the row.
"""

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, UInt32

from benchmarks.timing import Times

PRODUCT, MEMORY = "product", "memory"
QUERIES_AT_ONCE = 16  # distances that fit a core's cache


class Work(NamedTuple):
    """The least that a row has to do; small factorisations are left out.

    Attributes:
        flops: floating-point operations of its products.
        bytes: read and written.
    """

    flops: float = 0.0
    bytes: float = 0.0


class Floor(NamedTuple):
    """The shortest time that the machine allows.

    Attributes:
        seconds: the time.
        bound: what takes it: "product", "memory" or "popcount".
    """

    seconds: float
    bound: str


class Probes(NamedTuple):
    """The plain passes, and what each of them does.

    Attributes:
        functions: by the name of the bound; to be timed in turns with a row.
        work: of one call of each, floating-point operations or bytes.
    """

    functions: Mapping[str, Callable[[], Array]]
    work: Mapping[str, float]

    def rates(self, times: Times) -> dict[str, float]:
        """FLOP/s of the product and bytes/s of the memory pass."""
        return {name: self.work[name] / times.median(name) for name in self.functions}

    def floor(self, work: Work, times: Times) -> Floor:
        """The larger of the two times that the work would take at the rates of the plain passes."""
        rates = self.rates(times)
        return max(Floor(work.flops / rates[PRODUCT], PRODUCT), Floor(work.bytes / rates[MEMORY], MEMORY))


@cache
def probes(*, small: bool = False) -> Probes:
    """A square product in full float32 precision, and one addition to each number of an array in place.

    Args:
        small: sizes for a quick check of the programs, too small for a true rate.

    Returns:
        The two passes.
    """
    on_cpu = jax.default_backend() == "cpu"
    side, length = (2048, 2**26) if on_cpu else (8192, 2**29)
    if small:
        side, length = 64, 2**12
    square = jnp.ones((side, side), jnp.float32)
    held = [jnp.ones(length, jnp.float32)]

    def memory_pass() -> Array:
        held[0] = _add_one(held[0])
        return held[0]

    return Probes(
        {PRODUCT: partial(_product, square, square), MEMORY: memory_pass},
        {PRODUCT: 2.0 * side**3, MEMORY: 2.0 * 4 * length},
    )


@jax.jit
def _product(a: Float[Array, "n n"], b: Float[Array, "n n"]) -> Float[Array, "n n"]:
    return jnp.matmul(a, b, precision=lax.Precision.HIGHEST)


@partial(jax.jit, donate_argnums=0)
def _add_one(x: Float[Array, " n"]) -> Float[Array, " n"]:
    return x + 1


@jax.jit
def _popcounts(queries: UInt32[Array, "q words"], database: UInt32[Array, "words n"]) -> Array:
    def total(query: UInt32[Array, " words"]) -> Array:
        differing = lax.population_count(query[:, None] ^ database)
        return jnp.sum(differing, dtype=jnp.uint32)

    return lax.map(total, queries, batch_size=min(QUERIES_AT_ONCE, queries.shape[0]))


def popcount_pass(queries: np.ndarray, database: np.ndarray) -> Callable[[], Array]:
    """The sum of all Hamming distances of each query: an exclusive or, a popcount and an addition a pair of words.

    Args:
        queries: packed codes, (q, bytes).
        database: packed codes, (n, bytes).

    Returns:
        A function to be timed, which returns one sum a query.
    """
    return partial(_popcounts, jnp.asarray(_words(queries)), jnp.asarray(_words(database).T))


def _words(packed: np.ndarray) -> np.ndarray:
    padded = np.pad(packed, ((0, 0), (0, -packed.shape[1] % 4)))
    return np.ascontiguousarray(padded).view(np.uint32)
