"""Compile ahead of time, so that what is timed is the run alone and what is compiled is compiled once."""

import time
from typing import Any

import jax


class Compiled:
    """Compiled programs by function, shapes and static arguments, and how long each run takes."""

    def __init__(self) -> None:
        self._programs: dict[Any, Any] = {}

    def run(self, function: Any, *args: Any, **static: Any) -> tuple[Any, float]:
        """Run a jitted function, compiling it first where these shapes and static arguments are new.

        Args:
            function: jitted.
            *args: traced arguments; pytrees of arrays.
            **static: static arguments.

        Returns:
            What the function returns, ready, and the seconds that it ran, compilation left out.
        """
        leaves, structure = jax.tree.flatten(args)
        shapes = tuple((leaf.shape, leaf.dtype) for leaf in leaves)
        key = (function, structure, shapes, tuple(sorted(static.items())))
        if key not in self._programs:
            self._programs[key] = function.lower(*args, **static).compile()
        start = time.perf_counter()
        result = jax.block_until_ready(self._programs[key](*args))
        return result, time.perf_counter() - start

    def __len__(self) -> int:
        """Programs compiled so far."""
        return len(self._programs)
