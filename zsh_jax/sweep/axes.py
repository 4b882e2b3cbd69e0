"""The axes of a sweep, grouped by what a new value costs: a new data split, a new program, or neither.

All methods share the axes of the data split, `method` and `bits`. The other axes are a method's own: the fields of its
weights and of its options, see `zsh_jax.methods.protocol`.
"""

from dataclasses import asdict, dataclass, fields
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from zsh_jax.core.graph import EdgeWeights
from zsh_jax.core.preprocessing import KINDS
from zsh_jax.errors import InputError
from zsh_jax.inputs.class_vectors import SEMANTICS
from zsh_jax.methods.protocol import Method, Reads
from zsh_jax.methods.ranges import own_takes
from zsh_jax.methods.table import METHODS
from zsh_jax.takes import SEED, Takes, check, number, one_of, text, whole

GRAPHS = ("knn", "anchors")
EDGE_WEIGHTS = get_args(EdgeWeights)
LAPLACIANS = ("plain", "normalised")

TAKES: dict[str, Takes] = {
    "unseen": Takes(
        "names of classes joined by +, such as 'cat' or 'cat+dog' (a + within a name is read as a blank), or 'none'",
        lambda value: text(1_000_000).test(value) and all(name.strip() for name in value.split("+")),
    ),
    "seed": whole(0, SEED),
    "training_samples": whole(0),
    "seen_classes": whole(0),
    "validation": whole(0),
    "queries": whole(0),
    "semantics": one_of(*SEMANTICS),
    "preprocessing": one_of(*KINDS),
    "pca_dimensions": whole(0),
    "anchors": whole(1),
    "bandwidth": number(),
    "graph": one_of(*GRAPHS),
    "neighbours": whole(1),
    "edge_weights": one_of(*EDGE_WEIGHTS),
    "laplacian": one_of(*LAPLACIANS),
    "method": one_of(*METHODS),
    "bits": whole(0, 8192),
}
"""What each shared axis takes."""

READ_BY: dict[str, Reads] = {
    "semantics": Reads.CLASS_VECTORS,
    "preprocessing": Reads.FEATURES,
    "pca_dimensions": Reads.FEATURES,
    "anchors": Reads.RBF,
    "bandwidth": Reads.RBF,
    "graph": Reads.GRAPH,
    "neighbours": Reads.GRAPH,
    "edge_weights": Reads.GRAPH,
    "laplacian": Reads.GRAPH,
}
"""The axes of a data split that only some methods read, and what these methods read."""


def own_axes(method: Method) -> tuple[str, ...]:
    """The own axes of a method: its weights, then its options."""
    return (*method.weights._fields, *(field.name for field in fields(method.options)))


def own_defaults(method: Method) -> dict[str, Any]:
    """The published value of each own axis of a method."""
    return dict(_own_defaults(method))


@cache
def _own_defaults(method: Method) -> dict[str, Any]:
    return method.weights()._asdict() | asdict(method.options())


def reads_axis(method: Method, axis: str) -> bool:
    """Whether an axis of a data split can change what a method learns."""
    return axis not in READ_BY or bool(method.reads & needed_for(READ_BY[axis]))


def needed_for(read: Reads) -> frozenset[Reads]:
    """What is computed from an input: RBF features and the graph from the preprocessed features."""
    if read is Reads.FEATURES:
        return frozenset({Reads.FEATURES, Reads.RBF, Reads.GRAPH})
    return frozenset({read})


def check_value(key: str, axis: str, value: object, method: str = "") -> None:
    """Refuse a value that an axis cannot have.

    Args:
        key: key of the axis in the configuration, such as `sweep.bits` or `variants.mine.bits`.
        axis: a shared axis, or an own axis of the method.
        value: one value.
        method: owner of the axis; "" for a shared axis.

    Raises:
        InputError: the value has the wrong type or is out of range.
    """
    takes = own_takes(method)[axis] if method else TAKES[axis]
    check(takes, key, value, f"fix: --config.{key}='(...)'")


@dataclass(frozen=True)
class DataSplit:
    """Axes that define a training problem: images, semantics, features and graph.

    Attributes:
        unseen: names of the unseen classes, joined by "+"; "none" for queries of the seen classes.
        seed: of the split, the anchors and the start, each with its own random stream.
        training_samples: number drawn from the seen classes; 0 for all that the data set states, until it is loaded.
        seen_classes: number of seen classes to train on, drawn by the seed; 0 for all.
        validation: number of seen classes that replace the unseen ones, drawn by the seed; images of the unseen classes
            are then excluded everywhere. 0 for the protocol itself.
        queries: number drawn from the unseen classes; 0 as for training samples.
        semantics: "word_vectors", "attributes", "minilm" (a bundled table), "sentences", "towers" or "one-hot"; or
            a control: "random" orthogonal vectors, or the data set's own, "shuffled" over the classes; both drawn by
            the seed.
        preprocessing: "standardise", "unit" (length), "pca" (whitening) or "none", fitted on the training samples.
        pca_dimensions: directions that "pca" keeps; 0 for all.
        anchors: number drawn from the training samples.
        bandwidth: sigma^2 in multiples of the published rule.
        graph: "knn", or "anchors" for neighbours through shared anchors.
        neighbours: of each training sample in the graph.
        edge_weights: of the kNN graph, "heat" or "binary".
        laplacian: "plain" or "normalised"; the Laplacian of the anchor graph is both.
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
        """Reject invalid values."""
        for field in fields(self):
            check_value(f"sweep.{field.name}", field.name, getattr(self, field.name))
        if not self.training_samples:
            return  # checked when the number is known
        if self.pca_dimensions >= self.training_samples:
            raise InputError(
                f"sweep.pca_dimensions: {self.pca_dimensions} principal directions are too many for "
                f"{self.training_samples} training samples; fix: lower --config.sweep.pca_dimensions"
            )
        if self.anchors > self.training_samples:
            raise InputError(
                f"sweep.anchors: {self.anchors} anchors cannot be drawn from {self.training_samples} training samples; "
                f"fix: lower --config.sweep.anchors, or raise --config.sweep.training_samples"
            )
        among, what = (
            (self.training_samples, "training samples") if self.graph == "knn" else (self.anchors, "anchors")
        )
        if self.neighbours >= among:
            raise InputError(
                f"sweep.neighbours: {self.neighbours} neighbours are too many for {among} {what}; fix: lower "
                "--config.sweep.neighbours"
            )

    @property
    def shape(self) -> tuple[int, int, int, str, bool, int]:
        """The values that determine the shapes of arrays; splits that share them share compiled programs."""
        pca = self.preprocessing == "pca"
        dimensions = self.pca_dimensions if pca else 0
        return self.training_samples, self.queries, self.anchors, self.semantics, pca, dimensions


@dataclass(frozen=True)
class Program:
    """Axes that define a compiled program, independent of the data split.

    Attributes:
        method: a key of `METHODS`.
        bits: code length; 0 for an unhashed bound.
        options: of the method.
    """

    method: str
    bits: int
    options: Any

    def __post_init__(self) -> None:
        """Reject invalid values."""
        check_value("sweep.method", "method", self.method)
        check_value("sweep.bits", "bits", self.bits)
        has_codes = METHODS[self.method].has_codes
        if (self.bits > 0) != has_codes:
            has = "has codes, which takes 1 or more" if has_codes else "has no codes, which takes 0"
            raise InputError(
                f"sweep.bits: {self.method} {has}, not {self.bits}; fix: --config.sweep.bits='(...)'"
            )

    @property
    def of(self) -> Method:
        """The method itself."""
        return METHODS[self.method]


@dataclass(frozen=True)
class Cell:
    """One cell of a sweep: one value for every axis, and its variant.

    Attributes:
        split: axes that define the training problem.
        program: axes that define the compiled program.
        weights: of the method; traced numbers in a compiled program.
        variant: "" if the sweep has no variants.
    """

    split: DataSplit
    program: Program
    weights: Any
    variant: str = ""

    def axes(self) -> dict[str, Any]:
        """The value of every axis of the cell's method, in the order of the results."""
        method = self.program.of
        split = {axis: value for axis, value in asdict(self.split).items() if reads_axis(method, axis)}
        values = {"method": self.program.method, "bits": self.program.bits} | split
        values |= self.weights._asdict() | asdict(self.program.options)
        first = ("method", "semantics", "unseen", "bits", "seed", *own_axes(method))
        return {
            axis: values[axis]
            for axis in (*first, *(axis for axis in values if axis not in first))
            if axis in values
        }


SPLIT_AXES = tuple(field.name for field in fields(DataSplit))
SHARED_AXES = (*SPLIT_AXES, "method", "bits")
"""The axes that a configuration sets once for all methods."""


def axis_types() -> dict[str, type]:
    """The type of every axis of every method: str, int, float or bool."""
    found: dict[str, type] = {"method": str, "bits": int}
    found |= {name: _plain(kind) for name, kind in get_type_hints(DataSplit).items() if name in SPLIT_AXES}
    for method in METHODS.values():
        found |= dict.fromkeys(method.weights._fields, float)
        hints = get_type_hints(method.options)
        found |= {field.name: _plain(hints[field.name]) for field in fields(method.options)}
    return found


def _plain(kind: Any) -> type:
    return str if get_origin(kind) is Literal else kind
