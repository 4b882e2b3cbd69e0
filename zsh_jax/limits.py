"""Limits of the process that libraries do not survive.

JAX, OpenBLAS and array_record start pools of threads, and reserve a stack and a heap for each. Where address space or
threads run out, they hang or abort, and no exception says so. So the limits are read before any of them is loaded.
"""

import os
import threading
from contextlib import suppress

from zsh_jax.byte_size import byte_size
from zsh_jax.errors import InputError

LIBRARIES = 3 << 30  # measured: 2.7 GiB on two cores, of which 1.0 GiB is ever in memory
A_CORE = 160 << 20  # its threads in each pool, with their stacks and heaps
THREADS = 64  # of all pools, and a few more for each core


def check_limits(extra: int = 0) -> None:
    """See to it that the process may reserve the address space and start the threads that libraries take.

    Args:
        extra: bytes that are wanted besides, for arrays.

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
                f"the limit on address space is {byte_size(allowed)} and libraries hang below {byte_size(needed)}; "
                f"fix: ulimit {option} unlimited, and limit memory by --config.memory_gib or a cgroup"
            )


def _check_threads(count: int) -> None:
    """Start that many threads at once, and let them end."""
    release = threading.Event()
    started: list[threading.Thread] = []
    try:
        for _ in range(count):
            thread = threading.Thread(target=release.wait, daemon=True)
            thread.start()
            started.append(thread)
    except (RuntimeError, MemoryError):
        raise InputError(
            f"the process could start {len(started)} threads and libraries hang below {count}; fix: raise ulimit -u, "
            f"or the pids limit of the container"
        ) from None
    finally:
        release.set()
        for thread in started:
            with suppress(RuntimeError):
                thread.join()
