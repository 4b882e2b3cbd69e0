"""Handle Ctrl-C and SIGTERM: one line, and the exit status of the signal.

Python runs a signal handler between two instructions of the main thread. A compiled program or an import can delay it
for minutes, and a library can swallow the exception of a handler. Therefore a second thread ends the process if the
main thread does not react in time.
"""

import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM)
GRACE = 5.0  # seconds for the main thread to react
WRITING = 10.0  # more seconds for a file that is being written
FIRST = 128  # exit status of a signal: this plus its number

# Held while a file is written: the watcher ends the process between two files, not within one.
unbroken = threading.RLock()


class Interrupted(KeyboardInterrupt):
    """A signal asked the process to end."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@contextmanager
def interruptible(line: str) -> Iterator[list[int]]:
    """Make SIGINT and SIGTERM raise `Interrupted`; if that has no effect, they end the process.

    A second Ctrl-C ends it at once. Outside the main thread, and for a signal that the process ignores, nothing
    changes.

    Args:
        line: printed by the watching thread when it ends the process.

    Yields:
        A list that gets the number of the first signal. A library may raise another exception than `Interrupted`.
    """
    seen: list[int] = []
    wanted = [one for one in SIGNALS if signal.getsignal(one) is not signal.SIG_IGN]
    if threading.current_thread() is not threading.main_thread() or not wanted:
        yield seen
        return

    def handle(number: int, frame: FrameType | None) -> None:
        if not seen:
            seen.append(number)
            raise Interrupted(number)

    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    ending = threading.Lock()
    threading.Thread(target=_watch, args=(reading, line, ending), name="signals", daemon=True).start()
    earlier_fd = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    earlier = {one: signal.signal(one, handle) for one in wanted}
    try:
        with _unspoken():
            yield seen
    finally:
        with ending:  # only one of the two threads ends the process and prints the line
            for one, handler in earlier.items():
                signal.signal(one, handler)
            signal.set_wakeup_fd(earlier_fd)
            os.close(writing)


@contextmanager
def _unspoken() -> Iterator[None]:
    """Silence C code that swallows and prints the exception of a handler, such as `jaxlib` during its import."""
    printed, ignored = sys.excepthook, sys.unraisablehook

    def excepthook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, Interrupted):
            printed(kind, error, trace)

    def unraisablehook(unraisable: "sys.UnraisableHookArgs") -> None:
        if not issubclass(unraisable.exc_type, Interrupted):
            ignored(unraisable)

    sys.excepthook, sys.unraisablehook = excepthook, unraisablehook
    try:
        yield
    finally:
        # A library may have replaced these hooks by its own.
        if sys.excepthook is excepthook:
            sys.excepthook = printed
        if sys.unraisablehook is unraisablehook:
            sys.unraisablehook = ignored


def leave(status: int) -> NoReturn:
    """End the process with an exit status.

    After a signal, and with other processes in a sweep, without exit handlers: these can wait for them or a device.
    """
    if status < FIRST and not _has_others():
        sys.exit(status)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


def _has_others() -> bool:
    distributed = sys.modules.get("jax.distributed")
    return distributed is not None and distributed.is_initialized()


def _watch(reading: int, line: str, ending: threading.Lock) -> None:
    """End the process `GRACE` seconds after a signal, or at a second Ctrl-C, unless the pipe closes first."""
    first = 0
    while True:
        ready, _, _ = select.select([reading], [], [], GRACE if first else None)
        received = os.read(reading, 1) if ready else b""
        if ready and not received:
            break  # the main thread has left `interruptible`
        number = received[0] if received else 0
        if first and number in (0, signal.SIGINT):
            unbroken.acquire(timeout=WRITING)
            with ending:
                if not select.select([reading], [], [], 0)[0] or os.read(reading, 1):
                    os.write(2, f"{line}\n".encode())
                    os._exit(FIRST + first)
            unbroken.release()
            break
        if number in SIGNALS:
            first = first or number
    os.close(reading)
