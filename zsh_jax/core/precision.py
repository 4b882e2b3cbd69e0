"""Matrix products in full precision.

By default, accelerators multiply float32 matrices in bfloat16 or TF32. That is too coarse here: a sign decides every
bit, and squared distances are differences of large numbers. docs/performance.md has measurements.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import jax

P = ParamSpec("P")
R = TypeVar("R")


def chosen_products() -> str | None:
    """The precision that the caller has set by `jax.default_matmul_precision`; None for no choice."""
    chosen: str | None = jax.config.jax_default_matmul_precision  # type: ignore[attr-defined]
    return chosen


def full_precision(function: Callable[P, R]) -> Callable[P, R]:
    """Make every matrix product traced inside a function keep the precision of its inputs.

    Args:
        function: any; may be jitted afterwards.

    Returns:
        The function. A caller who sets `jax.default_matmul_precision` gets that precision instead.
    """

    @wraps(function)
    def in_full_precision(*args: P.args, **kwargs: P.kwargs) -> R:
        if chosen_products() is not None:
            return function(*args, **kwargs)
        with jax.default_matmul_precision("highest"):
            return function(*args, **kwargs)

    return in_full_precision
