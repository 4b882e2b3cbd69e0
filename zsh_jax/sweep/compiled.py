"""Compile ahead of time, so that what is timed is the run alone and what is compiled is compiled once."""

import ctypes
import gc
import time
from collections.abc import Container, Hashable
from contextlib import suppress
from typing import Any, NamedTuple

import jax

MOST_HELD = 80  # programs; each is some 200 memory maps and up to 10 MiB
MOST_DROPPED = 8  # programs, before JAX's own caches are emptied too


class _Program(NamedTuple):
    """One compiled program."""

    call: jax.stages.Compiled
    shapes: Any  # of what it returns
    beside: int  # bytes of what it returns and of its work space


class Compiled:
    """Compiled programs by function, shapes and static arguments, and how long each run takes."""

    def __init__(self) -> None:
        self._programs: dict[Any, _Program] = {}
        self._uses: dict[Any, set[Hashable]] = {}
        self._dropped = 0

    def run(self, function: Any, *args: Any, use: Hashable = None, **static: Any) -> tuple[Any, float]:
        """Run a jitted function, compiling it first where these shapes and static arguments are new.

        Args:
            function: jitted.
            *args: traced arguments; pytrees of arrays.
            use: what `release` knows the program by.
            **static: static arguments.

        Returns:
            What the function returns, ready, and the seconds that it ran, compilation left out.
        """
        program = self._compiled(function, args, use, static)
        start = time.perf_counter()
        result = jax.block_until_ready(program.call(*args))
        return result, time.perf_counter() - start

    def shapes(self, function: Any, *args: Any, use: Hashable = None, **static: Any) -> tuple[Any, int]:
        """Compile a jitted function, and do not run it.

        Args:
            function: jitted.
            *args: traced arguments; pytrees of arrays, or of their shapes.
            use: what `release` knows the program by.
            **static: static arguments.

        Returns:
            The shapes of what it returns, and the bytes that it takes beside its arguments: what it returns and its
            work space, as the compiler tells; 0 where it does not tell.
        """
        program = self._compiled(function, args, use, static)
        return program.shapes, program.beside

    def release(self, needed: Container[Hashable]) -> None:
        """Let go of the programs that are not needed, or too many: each holds memory maps, and a process has 65,530.

        Args:
            needed: the uses that are still to come.
        """
        done = [key for key, uses in self._uses.items() if not any(use in needed for use in uses)]
        rest = [key for key in self._programs if key not in done]
        # Of too many, the newest go: chunks of data splits use programs in turn, and the oldest are the next.
        for key in done + rest[MOST_HELD:]:
            del self._programs[key], self._uses[key]
            self._dropped += 1
        if self._dropped >= MOST_DROPPED:
            jax.clear_caches()  # they hold the programs too
            gc.collect()
            _give_back_memory()
            self._dropped = 0

    def __len__(self) -> int:
        """Programs that are held."""
        return len(self._programs)

    def _compiled(self, function: Any, args: Any, use: Hashable, static: dict[str, Any]) -> _Program:
        leaves, structure = jax.tree.flatten(args)
        shapes = tuple((leaf.shape, leaf.dtype) for leaf in leaves)
        key = (function, structure, shapes, tuple(sorted(static.items())))
        if key not in self._programs:
            lowered = function.lower(*args, **static)
            returned = jax.tree.map(
                lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), lowered.out_info
            )
            program = lowered.compile()
            self._programs[key] = _Program(program, returned, _beside(program))
            self._uses[key] = set()
        self._uses[key].add(use)
        return self._programs[key]


def _give_back_memory() -> None:
    """To the system, where the C library keeps what was freed: the compiler leaves hundreds of MiB so."""
    with suppress(OSError, AttributeError):  # of glibc alone
        ctypes.CDLL(None).malloc_trim(0)


def _beside(program: jax.stages.Compiled) -> int:
    found: Any = program.memory_analysis()
    if found is None:  # not every device tells
        return 0
    return int(found.output_size_in_bytes + found.temp_size_in_bytes - found.alias_size_in_bytes)
