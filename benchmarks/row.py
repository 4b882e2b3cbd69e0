"""The result of a row: what was timed, and how its times compare."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.floors import Floor, Work, probes
from benchmarks.sizes import FULL, Sizes
from benchmarks.timing import Budget, in_turns

PACKAGE, DOUBLE, SINGLE = "package", "numpy float64", "numpy float32"


class Cifar(NamedTuple):
    """Where CIFAR-10, its features and word vectors are; see docs/how-to/reproduce.md."""

    data_dir: Path
    features: Path
    vectors: Path


class Settings(NamedTuple):
    """What every row is measured with.

    Attributes:
        sizes: of the data.
        budget: of the rounds of each row.
        reference: whether NumPy is timed too.
        cifar: for the rows of the whole sweep; None leaves them out.
    """

    sizes: Sizes
    budget: Budget
    reference: bool = True
    cifar: Cifar | None = None

    @property
    def is_full(self) -> bool:
        """Whether sizes are those of the goals."""
        return self.sizes == FULL


class Result(NamedTuple):
    """One measured row.

    Attributes:
        name: of the row.
        value: median; seconds, or MiB of memory.
        unit: "s" or "MiB".
        floor: the shortest time that the machine allows, in seconds; None for no floor.
        bound: what takes the floor's time; "" for no floor.
        numpy_float64: median time of the NumPy implementation in seconds; None if it was not timed.
        numpy_float32: the same in float32.
        rounds: that the medians are of.
        note: what else there is to say.
    """

    name: str
    value: float
    unit: str = "s"
    floor: float | None = None
    bound: str = ""
    numpy_float64: float | None = None
    numpy_float32: float | None = None
    rounds: int = 1
    note: str = ""

    @property
    def over_floor(self) -> float | None:
        """The value in multiples of the floor."""
        return None if not self.floor else self.value / self.floor

    @property
    def against_float64(self) -> float | None:
        """How many times as long NumPy takes in float64."""
        return None if self.numpy_float64 is None else self.numpy_float64 / self.value

    @property
    def against_float32(self) -> float | None:
        """How many times as long NumPy takes in float32."""
        return None if self.numpy_float32 is None else self.numpy_float32 / self.value


def measure(
    name: str,
    settings: Settings,
    package: Callable[[], Any],
    references: Mapping[str, Callable[[], Any]],
    *,
    work: Work | None = None,
    pass_over: Callable[[], Any] | None = None,
    scale: float = 1.0,
    compiled: bool = False,
    note: str = "",
) -> Result:
    """Time the package, NumPy and the plain passes in turns.

    Args:
        name: of the row.
        settings: of all rows.
        package: the stage, as the package does it.
        references: the same in NumPy, by `DOUBLE` and `SINGLE`.
        work: the least that the stage has to do; None if `pass_over` is its floor, or it has none.
        pass_over: the popcount pass over the same codes.
        scale: from the work that NumPy is timed on to that of the package.
        compiled: whether the stage has run before.
        note: of the row.

    Returns:
        The row.
    """
    passes = probes(small=not settings.is_full)
    functions = {PACKAGE: package}
    functions |= dict(references) if settings.reference else {}
    functions |= dict(passes.functions) if work else {}
    functions |= {"popcount": pass_over} if pass_over else {}
    ready = {DOUBLE, SINGLE} | ({PACKAGE} if compiled else set())
    times = in_turns(functions, settings.budget, ready=ready)
    floor = Floor(times.median("popcount"), "popcount") if pass_over else None
    floor = passes.floor(work, times) if work else floor
    plain = {one: scale * times.median(one) for one in (DOUBLE, SINGLE) if one in functions}
    return Result(
        name=name,
        value=times.median(PACKAGE),
        floor=floor.seconds if floor else None,
        bound=floor.bound if floor else "",
        numpy_float64=plain.get(DOUBLE),
        numpy_float32=plain.get(SINGLE),
        rounds=times.rounds,
        note=note,
    )


def in_both(make: Callable[[type[np.floating]], Callable[[], Any]]) -> dict[str, Callable[[], Any]]:
    """A NumPy function in float64 and in float32, each with arrays of its own type."""
    return {DOUBLE: make(np.float64), SINGLE: make(np.float32)}
