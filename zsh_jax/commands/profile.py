"""`--config.profile`: a trace of the first batch, for Perfetto and XProf."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import jax

from zsh_jax.sweep.result import CellResult

FOLDER = "profile"


def traced(
    batches: Iterable[list[CellResult]], workdir: str, say: Callable[[str], object]
) -> Iterator[list[CellResult]]:
    """Trace the computation of the first batch; the others run as they would.

    The trace has the phases of `zsh_jax.sweep.phases` and the operations of the device, but no calls of Python, which
    would fill it. A trace that fails prints a line on standard error and changes nothing else.

    Args:
        batches: of the engine.
        workdir: of the sweep; the trace is a folder below `<workdir>/profile/plugins/profile`.
        say: prints a line with its place.

    Yields:
        The batches.
    """
    batches = iter(batches)
    folder = Path(workdir) / FOLDER
    options = jax.profiler.ProfileOptions()
    options.python_tracer_level = 0
    try:
        jax.profiler.start_trace(folder, profiler_options=options)
    except Exception as error:  # such as a trace that the caller has begun
        _failed(error)
        yield from batches
        return
    try:
        first = next(batches, None)
    except BaseException:
        with suppress(Exception):
            jax.profiler.stop_trace()
        raise
    try:
        jax.profiler.stop_trace()
    except Exception as error:
        _failed(error)
    else:
        say(f"trace of the first batch: {folder}")
    if first is not None:
        yield first
        yield from batches


def _failed(error: Exception) -> None:
    said = " ".join(str(error).split()) or type(error).__name__
    print(f"zsh_jax: no trace was written ({said}); the results are safe", file=sys.stderr)
