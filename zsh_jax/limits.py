"""Check the limits of the process before libraries are loaded.

JAX, OpenBLAS and array_record start pools of threads, with a stack and a heap each. If address space or threads run
out, they hang or abort without an exception.
"""

import os
import threading
from contextlib import suppress

from zsh_jax.byte_size import byte_size
from zsh_jax.errors import InputError

LIBRARIES = 3 << 30  # measured: 2.7 GiB on two cores, of which at most 1.0 GiB is resident
A_CORE = 160 << 20  # stacks and heaps of the threads of one core
THREADS = 64  # of all pools; plus a few for each core


def check_limits(extra: int = 0) -> None:
    """Check that the process may reserve the address space and start the threads that libraries need.

    Args:
        extra: bytes for arrays.

    Raises:
        InputError: if a limit is too low.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    _check_address_space(LIBRARIES + cores * A_CORE + extra)
    _check_threads(THREADS + 8 * cores)


def _check_address_space(needed: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    for limit, option in ((resource.RLIMIT_AS, "-v"), (resource.RLIMIT_DATA, "-d")):
        allowed = resource.getrlimit(limit)[0]
        if allowed not in (resource.RLIM_INFINITY, -1) and allowed < needed:
            raise InputError(
                f"the limit on address space is {byte_size(allowed)}, but libraries hang below {byte_size(needed)}; "
                f"fix: ulimit {option} unlimited, and limit memory by --config.memory_gib or a cgroup"
            )


def _check_threads(count: int) -> None:
    """Start `count` threads at once, and end them."""
    release = threading.Event()
    started: list[threading.Thread] = []
    try:
        for _ in range(count):
            thread = threading.Thread(target=release.wait, daemon=True)
            thread.start()
            started.append(thread)
    except (RuntimeError, MemoryError):
        raise InputError(
            f"the process can start {len(started)} threads, but libraries hang below {count}; fix: raise ulimit -u, "
            f"or the pids limit of the container"
        ) from None
    finally:
        release.set()
        for thread in started:
            with suppress(RuntimeError):
                thread.join()
