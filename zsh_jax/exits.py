"""End a command with one line on standard error for an error, and an exit status."""

import io
import os
import sys
from collections.abc import Callable

from zsh_jax.errors import InputError, ProcessLost, WorkdirGone
from zsh_jax.interrupts import FIRST, interruptible
from zsh_jax.limits import check_limits

DISK, INPUT, NOT_FINITE, LOST, INTERRUPTED, PIPE = 1, 2, 3, 4, 130, 141


def end_as_status(program: str, work: Callable[[], int], *, kept: str) -> int:
    """Run a command.

    Args:
        program: its name, the start of each line.
        work: the command; returns an exit status. It imports its libraries itself, so that signals are handled
            meanwhile.
        kept: added to the line on an interruption or a full disk: what is saved, and how to resume.

    Returns:
        The result of `work`: 0, or 3 if a solve was not finite; 1 if the disk failed; 2 for bad input; 4 if another
        process of the same sweep was lost; 130 after Ctrl-C; 141 for a closed output pipe; 143 after SIGTERM.
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
            # Any exception counts: a library that is interrupted during its import raises ImportError.
            print(interrupted, file=sys.stderr)
            return FIRST + seen[0] if seen else INTERRUPTED
        return _failed(program, error, kept)


def _never_unprintable() -> None:
    """Print characters that the locale's encoding lacks as escapes; otherwise they end the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _failed(program: str, error: BaseException, kept: str) -> int:
    if isinstance(error, InputError):
        print(f"{program}: {error}", file=sys.stderr)
        return INPUT
    if isinstance(error, ProcessLost):
        print(f"{program}: {error}; {kept}", file=sys.stderr)
        return LOST
    if isinstance(error, BrokenPipeError):
        # Python flushes the rest of the output at its end.
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
