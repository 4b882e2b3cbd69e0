"""The axes of a sweep: what may vary from cell to cell, sorted by what it costs to vary it.

A data split and the code length are axes of every method. The others are a method's own: the fields of its weights and
of its options, see `zsh_jax.methods.protocol`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
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
    "bandwidth": number(),
    "graph": one_of(*GRAPHS),
    "neighbours": whole(1),
    "edge_weights": one_of(*EDGE_WEIGHTS),
    "laplacian": one_of(*LAPLACIANS),
    "method": one_of(*METHODS),
    "bits": whole(0, 8192),
}
"""What each axis takes that all methods share, whatever the others are."""

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
"""The axes of a data split that only some methods read, and what such a method reads."""


def own_axes(method: Method) -> tuple[str, ...]:
    """The axes of a method that are its own: its weights, then its options."""
    return (*method.weights._fields, *(field.name for field in fields(method.options)))


def own_defaults(method: Method) -> dict[str, Any]:
    """The paper's value of each own axis of a method."""
    return method.weights()._asdict() | asdict(method.options())


def reads_axis(method: Method, axis: str) -> bool:
    """Whether an axis of a data split can change what a method learns."""
    return axis not in READ_BY or bool(method.reads & needed_for(READ_BY[axis]))


def needed_for(read: Reads) -> frozenset[Reads]:
    """What is made from something that is read: RBF features and the graph from the preprocessed features."""
    if read is Reads.FEATURES:
        return frozenset({Reads.FEATURES, Reads.RBF, Reads.GRAPH})
    return frozenset({read})


def check_value(key: str, axis: str, value: object, method: str = "") -> None:
    """Refuse a value that an axis cannot have.

    Args:
        key: where it stands, such as `sweep.bits` or `variants.mine.bits`.
        axis: an axis that all methods share, or an own one of the method.
        value: one value of it.
        method: whose axis it is; "" for a shared one.

    Raises:
        InputError: it is of the wrong kind, or out of range.
    """
    takes = own_takes(method)[axis] if method else TAKES[axis]
    check(takes, key, value, f"fix: --config.{key}='(...)'")


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
        for field in fields(self):
            check_value(f"sweep.{field.name}", field.name, getattr(self, field.name))
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
    """What makes another compiled program, whatever the data split.

    Attributes:
        method: a key of `METHODS`.
        bits: code length; 0 for a bound.
        options: of the method.
    """

    method: str
    bits: int
    options: Any

    def __post_init__(self) -> None:
        """Reject values that no run can take."""
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
    """One cell of a sweep: one value for every axis, and the variant whose grid it stands in, if there are any.

    Attributes:
        split: axes that make another training problem.
        program: axes that make another compiled program.
        weights: of the method; plain numbers to a compiled program.
        variant: "" where there are none.
    """

    split: DataSplit
    program: Program
    weights: Any
    variant: str = ""

    def axes(self) -> dict[str, Any]:
        """Every axis that the cell's method has and its value, flat, in the order in which results state them."""
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
"""The axes that stand in a configuration once for all methods."""


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


def methods_of(axes: Mapping[str, Any]) -> Iterator[str]:
    """The methods that the axes of a configuration name, known or not."""
    named = axes.get("method", ())
    yield from named if isinstance(named, tuple | list) else (named,)
