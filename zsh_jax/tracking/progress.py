"""Progress and remaining time of a sweep: a bar on a terminal, a line a batch in a log."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from zsh_jax.progress_bar import duration
from zsh_jax.sweep.result import CellResult
from zsh_jax.tracking.time_left import TimeLeft, Work


@contextmanager
def progress(
    console: Console, work: Sequence[Work], *, clock: Callable[[], float] = time.monotonic
) -> Iterator[Callable[[Sequence[CellResult]], None]]:
    """Show progress while the context is open.

    Args:
        console: where to print.
        work: from `work_of`.
        clock: seconds.

    Yields:
        A function to call with the results of each finished batch.
    """
    total = sum(one.cells for one in work)
    estimate = TimeLeft(work)
    start = last = clock()
    done = 0

    def take_in(results: Sequence[CellResult]) -> None:
        nonlocal last, done
        now = clock()
        estimate.ended([result.metrics for result in results], now - last)
        last = now
        done += len(results)

    if console.is_terminal:
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("cells,"))
        times = (TimeElapsedColumn(), TextColumn("elapsed, {task.fields[left]}"))
        with Progress(*columns, *times, console=console) as bar:
            task = bar.add_task("", total=total, left=in_words(None))

            def advance(results: Sequence[CellResult]) -> None:
                take_in(results)
                bar.update(task, advance=len(results), left=in_words(estimate.left()))

            yield advance
        return

    def line(results: Sequence[CellResult]) -> None:
        take_in(results)
        gone, left = duration(last - start), in_words(estimate.left())
        console.print(f"{done}/{total} cells, {gone} elapsed, {left}", highlight=False)

    yield line


def in_words(seconds: float | None) -> str:
    """The remaining time as text."""
    return "estimating time left" if seconds is None else f"about {duration(seconds)} left"
