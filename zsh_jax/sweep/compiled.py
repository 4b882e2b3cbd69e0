"""Compile programs ahead of time, once each, so that run times exclude compilation."""

import ctypes
import gc
import threading
import time
from collections.abc import Container, Hashable
from contextlib import suppress
from typing import Any, NamedTuple

import jax
from jax.profiler import TraceAnnotation
from jax.sharding import Mesh

from zsh_jax.sweep.mesh import Lies, data_axis, spread
from zsh_jax.sweep.processes import Processes, told

COMPILE = "zsh_jax: compile"  # in a trace
MOST_HELD = 80  # programs; each has some 200 memory maps and up to 10 MiB
MOST_DROPPED = 8  # programs, before JAX's own caches are cleared too


class _Program(NamedTuple):
    """One compiled program."""

    call: jax.stages.Compiled
    shapes: Any  # of its outputs
    beside: int  # bytes of its outputs and its work space


class Compiled:
    """Compiled programs by function, shapes and static arguments; measures the time of each run."""

    def __init__(
        self, mesh: Mesh | None = None, processes: Processes | None = None, *, keeps: bool = False
    ) -> None:
        """Make an empty store.

        Args:
            mesh: devices over which the splits of a batch are spread; None for one device.
            processes: that share the mesh; None for one.
            keeps: whether programs are kept after their last batch, for another plan.
        """
        self.mesh = mesh
        self._keeps = keeps
        self._processes = processes
        self._programs: dict[Any, _Program] = {}
        self._uses: dict[Any, set[Hashable]] = {}
        self._compiling: dict[Any, threading.Lock] = {}  # held by the thread that compiles a program
        self._dropped = 0
        self._alone: Compiled | None = None

    @property
    def alone(self) -> "Compiled":
        """A store for one device: itself, or another one beside it."""
        if self.mesh is None:
            return self
        if self._alone is None:
            self._alone = Compiled(keeps=self._keeps)
        return self._alone

    def run(
        self,
        function: Any,
        *args: Any,
        use: Hashable = None,
        whole: tuple[int, ...] = (),
        lies: Lies | None = None,
        **static: Any,
    ) -> tuple[Any, float]:
        """Run a jitted function; compile it first if these shapes and static arguments are new.

        Args:
            function: jitted.
            *args: traced arguments; pytrees of arrays.
            use: key of the program for `release`.
            whole: positions of the arguments without a leading axis of data splits.
            lies: which axis of each result has samples, which lie over several devices; None for no axis of any.
            **static: static arguments.

        Returns:
            The function's result, ready, and its run time in seconds without compilation.
        """
        program = self._compiled(function, args, static, use=use, whole=whole, lies=lies)
        start = time.perf_counter()
        result = jax.block_until_ready(program.call(*args))
        return result, time.perf_counter() - start

    def shapes(
        self,
        function: Any,
        *args: Any,
        use: Hashable = None,
        whole: tuple[int, ...] = (),
        lies: Lies | None = None,
        **static: Any,
    ) -> tuple[Any, int]:
        """Compile a jitted function without running it.

        Args:
            function: jitted.
            *args: traced arguments; pytrees of arrays, or of their shapes.
            use: key of the program for `release`.
            whole: as in `run`.
            lies: as in `run`.
            **static: static arguments.

        Returns:
            The shapes of its outputs, which say how they lie over the devices; and the bytes of its outputs and work
            space on each device as the compiler reports them, 0 if it does not report them.
        """
        program = self._compiled(function, args, static, use=use, whole=whole, lies=lies)
        return program.shapes, program.beside

    def agreed(self, takes: int) -> int:
        """The bytes that process 0 has found a batch to take: all processes cut their batches alike."""
        return int(told(self._processes, takes))

    def release(self, needed: Container[Hashable]) -> None:
        """Free programs that are no longer needed, or too many: each has memory maps, and a process has 65,530.

        Args:
            needed: keys of programs that will still be used.
        """
        done = [
            key
            for key, uses in self._uses.items()
            if not self._keeps and not any(use in needed for use in uses)
        ]
        rest = [key for key in self._programs if key not in done]
        # If there are too many, free the newest: chunks of data splits use programs in turn, the oldest next.
        for key in done + rest[MOST_HELD:]:
            del self._programs[key], self._uses[key], self._compiling[key]
            self._dropped += 1
        if self._alone is not None:
            self._alone.release(needed)
        if self._dropped >= MOST_DROPPED:
            jax.clear_caches()  # these hold the programs too
            gc.collect()
            _give_back_memory()
            self._dropped = 0

    def __len__(self) -> int:
        """Number of programs in memory."""
        return len(self._programs)

    def _compiled(
        self,
        function: Any,
        args: Any,
        static: dict[str, Any],
        *,
        use: Hashable,
        whole: tuple[int, ...],
        lies: Lies | None,
    ) -> _Program:
        leaves, structure = jax.tree.flatten(args)
        shapes = tuple((leaf.shape, leaf.dtype, data_axis(leaf)) for leaf in leaves)
        key = (function, structure, shapes, tuple(sorted(static.items())))
        with self._compiling.setdefault(key, threading.Lock()):
            if key not in self._programs:
                if self.mesh is not None:
                    function = spread(function, self.mesh, args, whole=whole, lies=lies, static=static)
                    static = {}
                self._uses[key] = set()
                with TraceAnnotation(COMPILE):
                    self._programs[key] = compile_program(
                        function, args, static, on_mesh=self.mesh is not None
                    )
            self._uses[key].add(use)
            return self._programs[key]


def compile_program(function: Any, args: Any, static: dict[str, Any], *, on_mesh: bool) -> _Program:
    """Compile a jitted function for arguments, or for their shapes.

    Args:
        function: jitted.
        args: traced arguments.
        static: static arguments.
        on_mesh: whether the shapes of its outputs say how they lie over devices.
    """
    lowered = function.lower(*args, **static)
    program = lowered.compile()
    placed = program.output_shardings if on_mesh else None
    return _Program(program, _shapes(lowered.out_info, placed), _beside(program))


def _shapes(leaves: Any, shardings: Any | None) -> Any:
    """Shapes of arrays, and how they lie over the devices of a mesh."""
    if shardings is None:
        return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), leaves)
    return jax.tree.map(
        lambda leaf, sharding: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding),
        leaves,
        shardings,
    )


def _give_back_memory() -> None:
    """Return freed memory to the system: glibc keeps hundreds of MiB that the compiler has freed."""
    with suppress(OSError, AttributeError):  # only glibc has it
        ctypes.CDLL(None).malloc_trim(0)


def _beside(program: jax.stages.Compiled) -> int:
    found: Any = program.memory_analysis()
    if found is None:  # some devices do not report it
        return 0
    return int(found.output_size_in_bytes + found.temp_size_in_bytes - found.alias_size_in_bytes)
