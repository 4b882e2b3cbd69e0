"""Join the processes of one sweep before JAX uses a device, and end when one of them is lost."""

import ctypes
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
from ml_collections import ConfigDict

from zsh_jax.errors import InputError
from zsh_jax.exits import INPUT, LOST
from zsh_jax.sweep.processes import Processes

ENDED = (
    "JAX has ended this process for the reason above: most likely another process of the sweep was lost; finished "
    "cells are saved; rerun the same command in all processes to resume"
)
LEAVING = 1.0  # seconds for the thread that runs the sweep to say itself that a process is lost


@contextmanager
def joined(config: ConfigDict) -> Iterator[Processes | None]:
    """Take part in the processes that run one sweep together.

    JAX allows this once in a process, before anything has used a device. After an error nothing waits for the other
    processes: `zsh_jax.interrupts.leave` ends this one, by which they know.

    Args:
        config: of the sweep.

    Yields:
        The processes; None for one process alone.

    Raises:
        InputError: if they cannot find each other. If they do not in time, the process ends with the same line.
    """
    several = config.distributed
    if not several.auto and several.coordinator is None:
        yield None
        return
    if not several.auto:
        _check_address(several)
    late = f"distributed: the processes did not find each other; {_fix(several)}"
    with _aborted(late, INPUT):
        _initialize(several)
        jax.devices()  # the processes exchange them: while all are there, since one that has ended would be waited for
    from jax._src.distributed import global_state  # the client has no public name

    # Not `jax.process_index`, which a TPU may number otherwise: process 0 is the one with the service of `Processes`.
    processes = Processes(global_state.client, global_state.process_id, global_state.num_processes)
    with _aborted(ENDED, LOST):
        try:
            yield processes
        except BaseException as error:
            processes.leave(error)
            raise
        jax.distributed.shutdown()  # waits for the others


def _check_address(several: ConfigDict) -> None:
    """Find what JAX would wait for until its time is over, or die of."""
    host, _, port = several.coordinator.rpartition(":")
    try:
        socket.getaddrinfo(host.strip("[]"), int(port))
    except OSError as error:
        raise InputError(
            f"distributed.coordinator: there is no host {host!r} ({error.strerror or error}); fix: "
            "--config.distributed.coordinator=HOST:PORT of process 0"
        ) from None
    if several.process != 0:
        return
    try:
        socket.create_server(("", int(port)), reuse_port=False).close()
    except OSError as error:
        raise InputError(
            f"distributed.coordinator: port {port} cannot be used ({error.strerror}); fix: give all processes another "
            "port in --config.distributed.coordinator"
        ) from None


def _initialize(several: ConfigDict) -> None:
    jax.config.update("jax_enable_preemption_service", False)  # it would take SIGTERM from Python
    options: dict[str, Any] = {
        "initialization_timeout": several.start_seconds,
        "heartbeat_timeout_seconds": several.lost_seconds,
        "shutdown_timeout_seconds": several.lost_seconds,
    }
    if not several.auto:
        options |= {
            "coordinator_address": several.coordinator,
            "num_processes": several.processes,
            "process_id": several.process,
            "cluster_detection_method": "deactivate",
        }
    try:
        jax.distributed.initialize(**options)
    except (RuntimeError, ValueError, OSError) as error:
        said = " ".join(str(error).split())
        raise InputError(f"distributed: the processes cannot join ({said}); {_fix(several)}") from None


def _fix(several: ConfigDict) -> str:
    if several.auto:
        return (
            "fix: start all of them by srun, mpirun or on a TPU, or give --config.distributed.coordinator, .processes "
            "and .process"
        )
    return (
        f"fix: start all {several.processes} within {several.start_seconds} seconds, and check that they reach "
        f"{several.coordinator}, the host of process 0"
    )


@contextmanager
def _aborted(line: str, status: int) -> Iterator[None]:
    """End with a line and a status of our own where JAX aborts the process.

    JAX does so in C++ if a process does not come in time, if process 0 is gone, or if another has sent no heartbeat for
    too long; Python raises nothing. A signal handler of Python's would run after the process has ended, this one runs
    within `abort`.

    Args:
        line: printed below JAX's own.
        status: of the exit.

    Yields:
        Nothing.
    """

    def ended(_: int) -> None:
        time.sleep(LEAVING)
        os.write(2, f"zsh_jax: {line}\n".encode())
        os._exit(status)

    if threading.current_thread() is not threading.main_thread() or os.name != "posix":
        yield
        return
    handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(ended)
    install = ctypes.CDLL(None).signal
    install.argtypes, install.restype = (ctypes.c_int, ctypes.c_void_p), ctypes.c_void_p
    before = install(signal.SIGABRT, ctypes.cast(handler, ctypes.c_void_p))
    yield
    install(signal.SIGABRT, before)
