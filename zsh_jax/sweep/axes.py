"""The axes of a sweep: what may vary from cell to cell, sorted by what it costs to vary it.

A new axis is a new field of one of the three classes below, and nothing else: the configuration, the grid, the
grouping and the results all read the fields.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any, get_args

from zsh_jax.baselines.catalogue import BASELINES
from zsh_jax.core.graph import EdgeWeights
from zsh_jax.core.preprocessing import KINDS
from zsh_jax.errors import InputError

BOUNDS = ("cosine_features", "cosine_predictions")
METHODS = ("zsh", *BASELINES, *BOUNDS)
SEMANTICS = ("word_vectors", "attributes", "minilm", "sentences", "one-hot", "random", "shuffled")
GRAPHS = ("knn", "anchors")
EDGE_WEIGHTS = get_args(EdgeWeights)
LAPLACIANS = ("plain", "normalised")
ROTATIONS = ("procrustes", "none", "random", "coupled")
LOCALITIES = ("projection", "semantics", "none")
CODES = ("discrete", "relaxed")


def _require(holds: bool, axis: str, value: object, rule: str) -> None:
    if not holds:
        raise InputError(f"sweep.{axis}: {rule}, not {value!r}; mend it with --config.sweep.{axis}='(...)'")


def _require_one_of(axis: str, value: object, known: tuple[str, ...]) -> None:
    _require(value in known, axis, value, f"takes {', '.join(known)}")


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
        seen_classes: how many of the seen classes are trained on, drawn by the seed; 0 for all.
        validation: how many of the seen classes stand in for the unseen ones, which are then left out of everything,
            drawn by the seed; 0 for the protocol itself.
        queries: drawn from the unseen classes.
        semantics: "word_vectors", "attributes", "minilm" (a bundled table), "sentences" or "one-hot"; or a control:
            "random" orthogonal vectors, or the data set's own, "shuffled" over the classes; both drawn by the seed.
        preprocessing: "standardise", "unit" (length), "pca" (whitening) or "none", fitted on the training samples.
        pca_dimensions: directions that "pca" keeps; 0 for all.
        anchors: drawn from the training samples.
        bandwidth: sigma^2 in multiples of the published rule.
        graph: "knn", or "anchors" for neighbours through shared anchors.
        neighbours: of each training sample in the graph.
        edge_weights: of the knn graph, "heat" or "binary".
        laplacian: "plain" or "normalised"; the anchor graph's is both.
    """

    unseen: str
    seed: int
    training_samples: int
    seen_classes: int
    validation: int
    queries: int
    semantics: str
    preprocessing: str
    pca_dimensions: int
    anchors: int
    bandwidth: float
    graph: str
    neighbours: int
    edge_weights: EdgeWeights
    laplacian: str

    def __post_init__(self) -> None:
        """Reject values that no run can take."""
        _require(isinstance(self.unseen, str), "unseen", self.unseen, "takes class names, joined by +")
        _require_one_of("semantics", self.semantics, SEMANTICS)
        _require_one_of("preprocessing", self.preprocessing, KINDS)
        _require_one_of("graph", self.graph, GRAPHS)
        _require_one_of("edge_weights", self.edge_weights, EDGE_WEIGHTS)
        _require_one_of("laplacian", self.laplacian, LAPLACIANS)
        _require_number("bandwidth", self.bandwidth, positive=True)
        for axis in ("seed", "seen_classes", "validation", "pca_dimensions"):
            _require_count(axis, getattr(self, axis), 0)
        for axis in ("training_samples", "queries", "anchors", "neighbours"):
            _require_count(axis, getattr(self, axis), 1)
        if self.pca_dimensions >= self.training_samples:
            raise InputError(
                f"{self.pca_dimensions} principal directions cannot be found from {self.training_samples} training "
                f"samples; lower --config.sweep.pca_dimensions"
            )
        if self.anchors > self.training_samples:
            raise InputError(
                f"{self.anchors} anchors cannot be drawn from {self.training_samples} training samples; "
                f"lower --config.sweep.anchors or raise --config.sweep.training_samples"
            )
        among, what = (
            (self.training_samples, "training samples") if self.graph == "knn" else (self.anchors, "anchors")
        )
        if self.neighbours >= among:
            raise InputError(
                f"{self.neighbours} neighbours cannot be found among {among} {what}; lower --config.sweep.neighbours"
            )

    @property
    def shape(self) -> tuple[int, int, int, str, bool, int]:
        """What the shapes of the arrays follow from; splits that share it share compiled programs."""
        pca = self.preprocessing == "pca"
        dimensions = self.pca_dimensions if pca else 0
        return self.training_samples, self.queries, self.anchors, self.semantics, pca, dimensions


@dataclass(frozen=True)
class Program:
    """Axes that make another compiled program.

    Attributes:
        method: "zsh"; a baseline, see `zsh_jax.baselines.catalogue`; or a bound that is not hashing, of 0 bits. The
            axes below but bits are of zsh alone.
        bits: code length.
        rotation: "procrustes" as published, "none", "random" (drawn and kept), or "coupled": see `solve_coupled`.
        locality: "projection" as published, by gamma; "semantics" as released, by delta; or "none".
        codes: "discrete", or "relaxed": see `solve_relaxed`.
        restarts: starts, of which the one that ends at the lowest J is kept.
        alpha_growth: factor by which alpha grows from one iteration to the next.
        max_iterations: see `solve`.
        max_sweeps: see `solve`.
        gradient_steps: see `solve_relaxed`.
    """

    method: str
    bits: int
    rotation: str
    locality: str
    codes: str
    restarts: int
    alpha_growth: float
    max_iterations: int
    max_sweeps: int
    gradient_steps: int

    def __post_init__(self) -> None:
        """Reject values that no run can take."""
        _require_one_of("method", self.method, METHODS)
        _require_one_of("rotation", self.rotation, ROTATIONS)
        _require_one_of("locality", self.locality, LOCALITIES)
        _require_one_of("codes", self.codes, CODES)
        _require_number("alpha_growth", self.alpha_growth, positive=True)
        for axis in ("restarts", "max_iterations", "max_sweeps", "gradient_steps"):
            _require_count(axis, getattr(self, axis), 1)
        if self.method in BOUNDS:
            _require(self.bits == 0, "bits", self.bits, f"takes 0 for {self.method}, which has no codes")
        else:
            _require_count("bits", self.bits, 1)
        if self.rotation == "coupled" and self.codes == "relaxed":
            raise InputError(
                "sweep: the coupled rotation has no relaxed codes, its B-step is a closed form; sweep one without the "
                "other"
            )
        if self.alpha_growth != 1 and (self.rotation == "coupled" or self.codes == "relaxed"):
            raise InputError(
                "sweep: alpha_growth is for discrete codes in the published form; give it the one value 1.0 here"
            )


@dataclass(frozen=True)
class Weights:
    """Axes that are plain numbers to a compiled program: cells that differ in these alone are vmapped.

    Attributes:
        lam: see `Hyperparameters`.
        alpha: see `Hyperparameters`.
        beta: see `Hyperparameters`.
        gamma: see `Hyperparameters`; read where `locality` is "projection".
        delta: see `Hyperparameters`; read where `locality` is "semantics".
        tolerance: see `solve`.
        learning_rate: see `solve_relaxed`.
        multiple: of the published value of what a baseline may tune, see `zsh_jax.baselines.catalogue`.
    """

    lam: float
    alpha: float
    beta: float
    gamma: float
    delta: float
    tolerance: float
    learning_rate: float
    multiple: float

    def __post_init__(self) -> None:
        """Reject values that no run can take."""
        for axis in ("lam", "alpha", "beta", "learning_rate", "multiple"):
            _require_number(axis, getattr(self, axis), positive=True)
        for axis in ("gamma", "delta", "tolerance"):
            _require_number(axis, getattr(self, axis), positive=False)


@dataclass(frozen=True)
class Cell:
    """One cell of a sweep: one value for every axis, and the variant whose grid it stands in, if there are any."""

    split: DataSplit
    program: Program
    weights: Weights
    variant: str = ""

    def axes(self) -> dict[str, Any]:
        """Every axis and its value, flat, in the order in which results state them."""
        values = asdict(self.split) | asdict(self.program) | asdict(self.weights)
        first = ("method", "semantics", "unseen", "bits", "seed", "lam", "alpha", "beta", "gamma", "rotation")
        return {axis: values[axis] for axis in (*first, *(axis for axis in values if axis not in first))}


AXES: dict[str, type] = {
    field.name: group for group in (DataSplit, Program, Weights) for field in fields(group)
}
