"""The axes of a sweep: what may vary from cell to cell, sorted by what it costs to vary it.

A new axis is a new field of one of the three classes below, and nothing else: the configuration, the grid, the
grouping and the results all read the fields.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any

from zsh_jax.core.solver import ROTATIONS
from zsh_jax.errors import InputError

METHODS = ("zsh",)


def _require(holds: bool, axis: str, value: object, rule: str) -> None:
    if not holds:
        raise InputError(f"sweep.{axis}: {rule}, not {value!r}; mend it with --config.sweep.{axis}='(...)'")


def _require_count(axis: str, value: object, least: int) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    _require(whole and value >= least, axis, value, f"takes whole numbers from {least}")  # type: ignore[operator]


def _require_number(axis: str, value: object, *, positive: bool) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    in_range = number and (value > 0 if positive else value >= 0) and value < float("inf")  # type: ignore[operator]
    _require(in_range, axis, value, f"takes {'positive' if positive else 'non-negative'} numbers")


@dataclass(frozen=True)
class DataSplit:
    """Axes that make another training problem: images, semantics, features and graph are prepared anew.

    Attributes:
        unseen: names of the unseen classes, joined by "+".
        seed: of the split, the anchors and the start, each from a stream of its own.
        training_samples: drawn from the seen classes.
        queries: drawn from the unseen classes.
        semantics: "word_vectors", "attributes" or "one-hot".
        anchors: drawn from the training samples.
        neighbours: of each training sample in the graph.
    """

    unseen: str
    seed: int
    training_samples: int
    queries: int
    semantics: str
    anchors: int
    neighbours: int

    def __post_init__(self) -> None:
        """Reject values that no run can take."""
        _require(isinstance(self.unseen, str), "unseen", self.unseen, "takes class names, joined by +")
        _require(self.semantics in SEMANTICS, "semantics", self.semantics, f"takes {', '.join(SEMANTICS)}")
        _require_count("seed", self.seed, 0)
        for axis in ("training_samples", "queries", "anchors", "neighbours"):
            _require_count(axis, getattr(self, axis), 1)
        if self.anchors > self.training_samples:
            raise InputError(
                f"{self.anchors} anchors cannot be drawn from {self.training_samples} training samples; "
                f"lower --config.sweep.anchors or raise --config.sweep.training_samples"
            )
        if self.neighbours >= self.training_samples:
            raise InputError(
                f"{self.neighbours} neighbours cannot be found among {self.training_samples} training samples; "
                f"lower --config.sweep.neighbours"
            )

    @property
    def shape(self) -> tuple[int, int, int, str]:
        """What the shapes of the arrays follow from; splits that share it share compiled programs."""
        return self.training_samples, self.queries, self.anchors, self.semantics


SEMANTICS = ("word_vectors", "attributes", "one-hot")


@dataclass(frozen=True)
class Program:
    """Axes that make another compiled program.

    Attributes:
        method: "zsh".
        bits: code length.
        rotation: see `zsh_jax.solve`.
        max_iterations: see `zsh_jax.solve`.
        max_sweeps: see `zsh_jax.solve`.
    """

    method: str
    bits: int
    rotation: str
    max_iterations: int
    max_sweeps: int

    def __post_init__(self) -> None:
        """Reject values that no run can take."""
        _require(self.method in METHODS, "method", self.method, f"takes {', '.join(METHODS)}")
        _require(self.rotation in ROTATIONS, "rotation", self.rotation, f"takes {', '.join(ROTATIONS)}")
        for axis in ("bits", "max_iterations", "max_sweeps"):
            _require_count(axis, getattr(self, axis), 1)


@dataclass(frozen=True)
class Weights:
    """Axes that are plain numbers to a compiled program: cells that differ in these alone are vmapped.

    Attributes:
        lam: see `zsh_jax.Hyperparameters`.
        alpha: see `zsh_jax.Hyperparameters`.
        beta: see `zsh_jax.Hyperparameters`.
        gamma: see `zsh_jax.Hyperparameters`.
        tolerance: see `zsh_jax.solve`.
    """

    lam: float
    alpha: float
    beta: float
    gamma: float
    tolerance: float

    def __post_init__(self) -> None:
        """Reject values that no run can take."""
        for axis in ("lam", "alpha", "beta"):
            _require_number(axis, getattr(self, axis), positive=True)
        for axis in ("gamma", "tolerance"):
            _require_number(axis, getattr(self, axis), positive=False)


@dataclass(frozen=True)
class Cell:
    """One cell of a sweep: one value for every axis."""

    split: DataSplit
    program: Program
    weights: Weights

    def axes(self) -> dict[str, Any]:
        """Every axis and its value, flat, in the order in which results state them."""
        values = asdict(self.split) | asdict(self.program) | asdict(self.weights)
        first = ("method", "semantics", "unseen", "bits", "seed", "lam", "alpha", "beta", "gamma", "rotation")
        return {axis: values[axis] for axis in (*first, *(axis for axis in values if axis not in first))}


AXES: dict[str, type] = {
    field.name: group for group in (DataSplit, Program, Weights) for field in fields(group)
}
