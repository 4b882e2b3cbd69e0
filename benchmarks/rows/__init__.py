"""The rows of the table, a file for each group. To add a row, write its function and name it in `ROWS`."""

from importlib import import_module
from typing import NamedTuple

import jax

from benchmarks.launches import missing
from benchmarks.row import Result, Settings


class Row(NamedTuple):
    """One entry of the list of rows.

    Attributes:
        name: on the command line, and of the function that measures it.
        module: its file in this folder, imported when the row runs: older commits lack what some files import.
        launches: whether it runs `launch.py`, which needs all dependencies of the package.
        cifar: whether it needs the paths of CIFAR-10.
        accelerator: whether it is left out on the CPU, where it takes many minutes.
    """

    name: str
    module: str
    launches: bool = False
    cifar: bool = False
    accelerator: bool = False

    def measure(self, settings: Settings) -> list[Result]:
        """Measure it; one result or several."""
        results: list[Result] = getattr(import_module(f"benchmarks.rows.{self.module}"), self.name)(settings)
        return results

    def why_not(self, settings: Settings) -> str:
        """Why it cannot be measured here; "" if it can."""
        if self.cifar and settings.cifar is None:
            return "needs --cifar"
        if self.accelerator and settings.is_full and jax.default_backend() == "cpu":
            return "needs an accelerator"
        return missing() if self.launches else ""


ROWS = (
    Row("rbf", "features"),
    Row("knn", "features"),
    Row("laplacian", "features"),
    Row("steps", "training"),
    Row("training", "training"),
    Row("cells", "training"),
    Row("encode", "retrieval"),
    Row("evaluate", "retrieval"),
    Row("stages", "process"),
    Row("start", "process", launches=True),
    Row("thousand", "thousand", accelerator=True),
    Row("sweep", "sweep", launches=True, cifar=True),
)
