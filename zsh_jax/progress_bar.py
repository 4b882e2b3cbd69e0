"""Progress of long work with the time left, on standard error: results go to standard output."""

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

from zsh_jax.byte_size import byte_size

BAR = 24  # characters
FIRST, EVERY = 1.0, 0.2  # seconds until a terminal shows the line, and between two rewrites
FIRST_LINE, EVERY_LINE = 10.0, 30.0  # the same for lines in a file


class Advance(Protocol):
    """What `counting` yields."""

    def __call__(self, amount: int, *, free: bool = False) -> None:
        """Add an amount of work that is done; the rate leaves out what was free, such as a cached block."""


@contextmanager
def counting(
    what: str,
    total: int,
    *,
    unit: str = "bytes",
    stream: TextIO | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Advance]:
    """Show the progress of one piece of work while the context is open.

    A terminal has one line that is rewritten, and erased at the end. Otherwise a line is added now and then. Work that
    ends soon shows nothing.

    Args:
        what: is done, such as "reading features".
        total: amount of work.
        unit: of the amount, such as "rows"; "bytes" are shown as KiB, MiB, ...
        stream: where to write; standard error if None.
        clock: seconds.

    Yields:
        A function to call with each amount of work that is done.
    """
    out = sys.stderr if stream is None else stream
    on_terminal = out.isatty()
    start = clock()
    due = start + (FIRST if on_terminal else FIRST_LINE)
    done = given = shown = 0

    def advance(amount: int, *, free: bool = False) -> None:
        nonlocal done, due, given, shown
        done += amount
        given += amount if free else 0
        now = clock()
        if now < due:
            return
        due = now + (EVERY if on_terminal else EVERY_LINE)
        state = _state(done, total, (done - given) / max(now - start, 1e-9), unit)
        if not on_terminal:
            print(f"{what}: {state}", file=out, flush=True)
            return
        full = round(BAR * min(done / max(total, 1), 1))
        line = f"{what} [{'#' * full}{'.' * (BAR - full)}] {state}"[: shutil.get_terminal_size().columns - 1]
        out.write(f"\r{line.ljust(shown)}")
        out.flush()
        shown = len(line)

    try:
        yield advance
    finally:
        if shown:
            out.write(f"\r{' ' * shown}\r")
            out.flush()


def _state(done: int, total: int, rate: float, unit: str) -> str:
    speed = f"{byte_size(rate)}/s" if unit == "bytes" else f"{rate:,.0f} {unit}/s"
    left = duration(max(total - done, 0) / rate) if rate else "unknown time"
    return f"{done / max(total, 1):.0%}, {speed}, about {left} left"


def duration(seconds: float) -> str:
    """Seconds, minutes or hours as text: "75 s", "12 min", "3 h 20 min"."""
    if seconds < 119.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
