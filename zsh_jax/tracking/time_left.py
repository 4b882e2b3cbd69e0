"""Estimate the remaining time of a sweep from the run times of its finished cells."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from statistics import fmean, median
from typing import Any, NamedTuple

from zsh_jax.sweep.axes import Program
from zsh_jax.sweep.plan import Batch

RUN = ("seconds", "encode_seconds", "evaluate_seconds")  # of a cell, without compilation


class Work(NamedTuple):
    """The work of one batch.

    Attributes:
        kind: cells of one kind take the same time.
        programs: batches with one value share their compiled programs.
        method: of the cells.
        bits: of the cells.
        splits: the data splits; prepared again if the batch before has others.
        prepared: number of data splits.
        cells: number of results.
    """

    kind: Hashable
    programs: Hashable
    method: str
    bits: int
    splits: Hashable
    prepared: int
    cells: int


def work_of(batches: Iterable[Batch], wanted: Callable[[Batch], int]) -> list[Work]:
    """The work of the batches that will run.

    Args:
        batches: of the plan, in their order.
        wanted: number of unfinished cells of a batch.
    """
    made = []
    for batch in batches:
        if cells := wanted(batch):
            program: Program = batch.program
            kind = (program, batch.splits[0].shape)
            programs = (*kind, len(batch.splits), len(batch.shared), len(batch.others))
            made.append(
                Work(kind, programs, program.method, program.bits, batch.splits, len(batch.splits), cells)
            )
    return made


class TimeLeft:
    """Measured times of finished batches, and the remaining work."""

    def __init__(self, work: Sequence[Work]) -> None:
        self._todo = list(work)
        self._cost: dict[Hashable, list[float]] = {}  # seconds of a cell, by kind
        self._known: dict[Hashable, Work] = {}
        self._prepare: list[float] = []  # seconds of a data split
        self._first: list[float] = []  # seconds beyond the run itself, of batches that compile
        self._later: list[float] = []  # the same, of batches that do not
        self._compiled: set[Hashable] = set()
        self._splits: Hashable = None

    def ended(self, metrics: Sequence[Mapping[str, Any]], seconds: float) -> None:
        """Record the time of a batch, or of a part of one.

        Args:
            metrics: of its cells.
            seconds: wall-clock time since the end of the batch before.
        """
        if not self._todo or not metrics:
            return
        work = self._todo[0]
        costs = [sum(float(one.get(name, 0.0)) for name in RUN) for one in metrics]
        self._cost.setdefault(work.kind, []).extend(costs)
        self._known.setdefault(work.kind, work)
        beside = seconds - sum(costs)
        if work.splits != self._splits:
            self._splits = work.splits
            self._prepare.append(float(metrics[0].get("prepare_seconds", 0.0)))
            beside -= self._prepare[-1] * work.prepared
        (self._later if work.programs in self._compiled else self._first).append(max(beside, 0.0))
        self._compiled.add(work.programs)
        self._take_off(len(metrics))

    def left(self) -> float | None:
        """Estimated remaining seconds; None before the first measurement."""
        if not self._cost:
            return None if self._todo else 0.0
        # The first batch also compiles the preparation and starts the device: later batches are better estimates.
        compiling = median(self._first[1:] or self._first)
        later = fmean(self._later) if self._later else 0.0
        compiled, splits, total = set(self._compiled), self._splits, 0.0
        for work in self._todo:
            total += work.cells * self._cost_of(work)
            total += later if work.programs in compiled else compiling
            total += fmean(self._prepare) * work.prepared if work.splits != splits else 0.0
            compiled.add(work.programs)
            splits = work.splits
        return total

    def _cost_of(self, work: Work) -> float:
        """Seconds of a cell of this kind; if none has run, of the most similar kind, scaled by bits."""
        if work.kind in self._cost:
            return fmean(self._cost[work.kind])
        known = list(self._known.values())
        same = [one for one in known if one.method == work.method]
        same = same or [one for one in known if bool(one.bits) == bool(work.bits)] or known
        nearest = min(same, key=lambda one: abs(one.bits - work.bits))
        # A bound has no bits, and says nothing of how the time of codes grows with theirs.
        scale = work.bits / nearest.bits if work.bits and nearest.bits else 1.0
        return fmean(self._cost[nearest.kind]) * scale

    def _take_off(self, cells: int) -> None:
        while cells and self._todo:
            first = self._todo[0]
            if first.cells > cells:
                self._todo[0] = first._replace(cells=first.cells - cells)
                return
            cells -= first.cells
            del self._todo[0]
