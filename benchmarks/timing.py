"""Median times of several functions that run in turns, so that a busy machine slows all of them alike."""

import gc
import statistics
import time
from collections.abc import Callable, Container, Mapping
from typing import Any, NamedTuple

import jax


class Budget(NamedTuple):
    """How often to run.

    Attributes:
        rounds: number of rounds.
        seconds: no round starts after this time, except the first.
    """

    rounds: int = 5
    seconds: float = 60.0


class Times(NamedTuple):
    """Times of functions that ran in turns.

    Attributes:
        seconds: by name, one of each round.
    """

    seconds: Mapping[str, list[float]]

    @property
    def rounds(self) -> int:
        """Number of rounds."""
        return len(next(iter(self.seconds.values())))

    def median(self, name: str) -> float:
        """Median time in seconds."""
        return statistics.median(self.seconds[name])


def in_turns(
    functions: Mapping[str, Callable[[], Any]], budget: Budget, *, ready: Container[str] = ()
) -> Times:
    """Run each function once a round; the first call of a function, which compiles, is not timed.

    Args:
        functions: by name; those that return JAX arrays are timed until the arrays are ready.
        budget: of the rounds.
        ready: names of functions without anything to compile, whose first call is timed.

    Returns:
        The times.
    """
    start = time.perf_counter()
    for name, function in functions.items():
        if name not in ready:
            _seconds(function)
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    gc.collect()
    gc.disable()  # one function's garbage is not another's time
    try:
        for turn in range(budget.rounds):
            if turn and time.perf_counter() - start > budget.seconds:
                break
            for name, function in functions.items():
                seconds[name].append(_seconds(function))
    finally:
        gc.enable()
    return Times(seconds)


def _seconds(function: Callable[[], Any]) -> float:
    start = time.perf_counter()
    jax.block_until_ready(function())
    return time.perf_counter() - start
