"""Compile the programs of the next batch while this one runs."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import jax
import jax.numpy as jnp

from zsh_jax.core.precision import chosen_products


@contextmanager
def ahead(work: Callable[[], object] | None) -> Iterator[None]:
    """Do work in a second thread during the block, and wait for it at the end.

    A device that runs a batch leaves Python idle, and XLA compiles without Python. The work may fail: whoever needs
    its result does it again in the first thread, and reports the error there.

    Args:
        work: compiles; in the precision of the calling thread, which JAX keeps for each thread. None for nothing.

    Yields:
        Nothing.
    """
    if work is None:
        yield
        return
    x64, products = jnp.result_type(float) == jnp.float64, chosen_products()
    thread = threading.Thread(target=_quietly, args=(work, x64, products), name="compile ahead", daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _quietly(work: Callable[[], object], x64: bool, products: str | None) -> None:
    with jax.enable_x64(x64), jax.default_matmul_precision(products), suppress(Exception):
        work()
