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
from zsh_jax.takes import SEED, Takes, check, number, one_of, text, whole

BOUNDS = ("cosine_features", "cosine_predictions")
METHODS = ("zsh", *BASELINES, *BOUNDS)
SEMANTICS = ("word_vectors", "attributes", "minilm", "sentences", "one-hot", "random", "shuffled")
GRAPHS = ("knn", "anchors")
EDGE_WEIGHTS = get_args(EdgeWeights)
LAPLACIANS = ("plain", "normalised")
ROTATIONS = ("procrustes", "none", "random", "coupled")
LOCALITIES = ("projection", "semantics", "none")
CODES = ("discrete", "relaxed")


WEIGHT, WEIGHT_OR_ZERO = number(), number(zero=True)
ITERATIONS = whole(1, 100_000)
TAKES: dict[str, Takes] = {
    "unseen": Takes(
        "names of classes joined by +, such as 'cat' or 'cat+dog' (a + within a name is read as a blank)",
        lambda value: text(1_000_000).test(value) and all(name.strip() for name in value.split("+")),
    ),
    "seed": whole(0, SEED),
    "training_samples": whole(1),
    "seen_classes": whole(0),
    "validation": whole(0),
    "queries": whole(1),
    "semantics": one_of(*SEMANTICS),
    "preprocessing": one_of(*KINDS),
    "pca_dimensions": whole(0),
    "anchors": whole(1),
    "bandwidth": WEIGHT,
    "graph": one_of(*GRAPHS),
    "neighbours": whole(1),
    "edge_weights": one_of(*EDGE_WEIGHTS),
    "laplacian": one_of(*LAPLACIANS),
    "method": one_of(*METHODS),
    "bits": whole(0, 8192),
    "rotation": one_of(*ROTATIONS),
    "locality": one_of(*LOCALITIES),
    "codes": one_of(*CODES),
    "restarts": whole(1, 10_000),
    "alpha_growth": WEIGHT,
    "max_iterations": ITERATIONS,
    "max_sweeps": ITERATIONS,
    "gradient_steps": ITERATIONS,
    "lam": WEIGHT,
    "alpha": WEIGHT,
    "beta": WEIGHT,
    "gamma": WEIGHT_OR_ZERO,
    "delta": WEIGHT_OR_ZERO,
    "tolerance": WEIGHT_OR_ZERO,
    "learning_rate": WEIGHT,
    "multiple": WEIGHT,
}
"""What each axis takes, whatever the others are."""


def _check_each(axes: "DataSplit | Program | Weights") -> None:
    for field in fields(axes):
        check_value(f"sweep.{field.name}", field.name, getattr(axes, field.name))


def check_value(key: str, axis: str, value: object) -> None:
    """Refuse a value that an axis cannot have.

    Args:
        key: where it stands, such as `sweep.bits` or `variants.mine.bits`.
        axis: one of `AXES`.
        value: one value of it.

    Raises:
        InputError: it is of the wrong kind, or out of range.
    """
    check(TAKES[axis], key, value, f"fix: --config.{key}='(...)'")


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
        _check_each(self)
        if self.pca_dimensions >= self.training_samples:
            raise InputError(
                f"sweep.pca_dimensions: {self.pca_dimensions} principal directions cannot be found from "
                f"{self.training_samples} training samples; lower --config.sweep.pca_dimensions"
            )
        if self.anchors > self.training_samples:
            raise InputError(
                f"sweep.anchors: {self.anchors} anchors cannot be drawn from {self.training_samples} training samples; "
                f"lower --config.sweep.anchors or raise --config.sweep.training_samples"
            )
        among, what = (
            (self.training_samples, "training samples") if self.graph == "knn" else (self.anchors, "anchors")
        )
        if self.neighbours >= among:
            raise InputError(
                f"sweep.neighbours: {self.neighbours} neighbours cannot be found among {among} {what}; lower "
                "--config.sweep.neighbours"
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
        _check_each(self)
        if (self.bits == 0) != (self.method in BOUNDS):
            has = "has codes, which takes 1 or more" if self.bits == 0 else "has no codes, which takes 0"
            raise InputError(
                f"sweep.bits: {self.method} {has}, not {self.bits}; fix: --config.sweep.bits='(...)'"
            )
        if self.rotation == "coupled" and self.codes == "relaxed":
            raise InputError(
                "sweep.rotation: coupled has no relaxed codes, its B-step is a closed form; fix: sweep one without "
                "the other"
            )
        if self.alpha_growth != 1 and (self.rotation == "coupled" or self.codes == "relaxed"):
            raise InputError(
                "sweep.alpha_growth: is for discrete codes in the published form; fix: --config.sweep.alpha_growth=1"
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
        _check_each(self)


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
