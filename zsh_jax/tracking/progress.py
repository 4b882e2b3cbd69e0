"""How far a sweep is, and how long it will take: a bar on a terminal, a line a batch in a log."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


@contextmanager
def progress(console: Console, total: int) -> Iterator[Callable[[int], None]]:
    """Show progress while the context is open.

    Args:
        console: where to.
        total: cells to be run.

    Yields:
        A function to call with the number of cells that have just ended.
    """
    if console.is_terminal:
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("cells,"))
        times = (TimeElapsedColumn(), TextColumn("gone,"), TimeRemainingColumn(), TextColumn("left"))
        with Progress(*columns, *times, console=console) as bar:
            task = bar.add_task("", total=total)
            yield lambda cells: bar.advance(task, cells)
        return
    start = time.monotonic()
    done = 0

    def line(cells: int) -> None:
        nonlocal done
        done += cells
        gone = time.monotonic() - start
        left = gone / done * (total - done)
        console.print(f"{done}/{total} cells, {gone:.0f} s gone, about {left:.0f} s left", highlight=False)

    yield line
