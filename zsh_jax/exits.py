"""How every command ends: one line on the standard error for what went wrong, and an exit status."""

import io
import os
import sys
from collections.abc import Callable

from zsh_jax.errors import InputError, WorkdirGone
from zsh_jax.interrupts import FIRST, interruptible
from zsh_jax.limits import check_limits

DISK, INPUT, NOT_FINITE, INTERRUPTED, PIPE = 1, 2, 3, 130, 141


def end_as_status(program: str, work: Callable[[], int], *, kept: str) -> int:
    """Run a command.

    Args:
        program: its name, which begins each line.
        work: the command; returns an exit status. It imports what it needs itself, so that a signal is answered
            while libraries are loaded.
        kept: what is told of an interruption or a full disk: what is kept, and how to resume.

    Returns:
        What `work` returns: 0, or 3 where a solve was not finite; 1 where the disk failed; 2 for bad input; 130 after
        Ctrl-C; 141 where nobody reads the output; 143 after SIGTERM.
    """
    _never_unprintable()
    interrupted = f"{program}: interrupted; {kept}"
    seen: list[int] = []
    try:
        check_limits()
        with interruptible(interrupted) as seen:
            return work()
    except BaseException as error:
        if seen or isinstance(error, KeyboardInterrupt):
            # Whatever came out: a library that is interrupted while it is loaded says that it cannot be loaded.
            print(interrupted, file=sys.stderr)
            return FIRST + seen[0] if seen else INTERRUPTED
        return _failed(program, error, kept)


def _never_unprintable() -> None:
    """A name or sign that the locale's encoding lacks is printed as an escape; it would else end the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _failed(program: str, error: BaseException, kept: str) -> int:
    if isinstance(error, InputError):
        print(f"{program}: {error}", file=sys.stderr)
        return INPUT
    if isinstance(error, BrokenPipeError):
        # What is left is written when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE
    if isinstance(error, SystemExit) and isinstance(error.__context__, BrokenPipeError):
        return (
            PIPE  # of rich, which has turned the output off and would end with 1, the status of a failed disk
        )
    if isinstance(error, OSError):
        said = " ".join(str(error).split()) or type(error).__name__
        print(f"{program}: {said}" + ("" if isinstance(error, WorkdirGone) else f"; {kept}"), file=sys.stderr)
        return DISK
    raise error
