"""The method protocol: the one interface that the sweep and `zsh_jax.fit` use for every method.

A method is a file in this folder that ends with `METHOD = Method(...)`, and a row of `zsh_jax.methods.table`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Shaped

from zsh_jax.core.feature_maps import FeatureMap, Identity
from zsh_jax.core.heads import ClassHead, Head
from zsh_jax.core.objective import Objective
from zsh_jax.core.problem import Problem
from zsh_jax.core.rabitq import RaBitQ
from zsh_jax.takes import Takes


class Reads(Enum):
    """Possible inputs of a method."""

    FEATURES = "preprocessed features"
    RBF = "RBF features"
    LABELS = "labels"
    CLASS_VECTORS = "class vectors"
    GRAPH = "neighbour graph"


class TrainingData(NamedTuple):
    """The training samples of one split, without unseen classes.

    A method gets the inputs that it declares; the others may be None.

    Attributes:
        x: preprocessed features.
        phi: RBF features, with a constant last column.
        classes: multi-hot over all classes of the data set; the columns of unseen classes are zero.
        semantics: semantic targets Y, rows of unit length.
        labels: class of each sample; None if samples may have several labels.
        gram: Phi' Phi.
        locality: Phi' L Phi, see `Problem`; None without a graph.
        semantic_locality: Y' L Y; None without a graph.
        basis: orthonormal rows that span the semantics, see `Problem`; None if there are as many classes as dimensions.
        vectors: class vectors; the rows of classes without training samples are zero.
    """

    x: Float[Array, "n p"] = None  # type: ignore[assignment]
    phi: Float[Array, "n m"] = None  # type: ignore[assignment]
    classes: Float[Array, "n c"] = None  # type: ignore[assignment]
    semantics: Float[Array, "n e"] = None  # type: ignore[assignment]
    labels: Int[Array, " n"] | None = None
    gram: Float[Array, "m m"] = None  # type: ignore[assignment]
    locality: Float[Array, "m m"] | None = None
    semantic_locality: Float[Array, "e e"] | None = None
    basis: Float[Array, "r e"] | None = None
    vectors: Float[Array, "c e"] = None  # type: ignore[assignment]

    @property
    def problem(self) -> Problem:
        """The problem of the published objective; without a graph its locality term is zero."""
        locality = jnp.zeros_like(self.gram) if self.locality is None else self.locality
        return Problem(self.phi, self.semantics, self.gram, locality, self.semantic_locality, self.basis)


OF_SAMPLES = ("x", "phi", "classes", "semantics", "labels")
"""The fields of `TrainingData` with a row for each sample."""


class Trace(NamedTuple):
    """The trace of a solver with an objective.

    Attributes:
        objective: J of the returned state.
        start_objectives: final J of each start.
        terms: J and its terms after each iteration; NaN after the last one.
        flips: bits changed in each iteration; -1 after the last one.
        iterations: number of iterations.
        status: a `Status`.
    """

    objective: Float[Array, ""]
    start_objectives: Float[Array, " restarts"]
    terms: Objective
    flips: Int[Array, " max_iterations"]
    iterations: Int[Array, ""]
    status: Int[Array, ""]


class Fitted(NamedTuple):
    """The result of a method.

    Attributes:
        head: of the hash function.
        class_head: for class vectors; None if the method has none.
        trace: None if the method has no objective.
        settings: that the method chose from the data, by name; None for none.
    """

    head: Head
    class_head: ClassHead | None = None
    trace: Trace | None = None
    settings: Mapping[str, Shaped[Array, ""]] | None = None


class NoWeights(NamedTuple):
    """A method without weights."""


@dataclass(frozen=True)
class NoOptions:
    """A method without options."""


class Shapes(NamedTuple):
    """Sizes of a training problem, for estimates of memory.

    Attributes:
        samples: n, training samples.
        features: p, length of a preprocessed feature vector.
        rbf: m, length of an RBF feature vector.
        semantics: e, length of a class vector.
        everything: samples of the data set, trained on or not.
        bits: code length l.
    """

    samples: int
    features: int
    rbf: int
    semantics: int
    everything: int
    bits: int


def closed_form_floats(shapes: Shapes, options: Any) -> int:
    """Numbers held while one Gram matrix is factorised: the matrix, its eigenvectors and two copies."""
    del options
    return 6 * shapes.samples * shapes.bits + 4 * max(shapes.features, shapes.rbf) ** 2


Fit = Callable[..., Fitted]
"""(key, data, weights, options, *, bits) -> Fitted."""


@dataclass(frozen=True, eq=False)  # compared by identity, so it can be a key and a static argument
class Method:
    """A method.

    Attributes:
        name: its name in configurations and results.
        paper: its source.
        reads: its inputs.
        fit: from (key, data, weights, options, *, bits) to a `Fitted`; pure, vmappable over key and weights.
        feature_map: input of its head, made from anchors and bandwidth if it reads RBF features.
        weights: a NamedTuple of numbers with the paper's values. Each field is an axis of a sweep, and is traced.
        options: a frozen dataclass with the paper's choices. Each field is an axis of a sweep, and is static.
        ranges: accepted values of a weight or an option, if its type does not determine them.
        shared: the weights on which a factorisation depends; the values of all other weights share it.
        has_codes: whether it hashes; a bound does not, and has 0 bits.
        most_bits: from the length of a preprocessed feature vector to the longest code; None for no limit.
        unread: from weights and options to the elements of `reads` that are then not read.
        floats: numbers that the fit holds for each cell of a batch, see `closed_form_floats`.
        floats_once: numbers that it holds once, for the cell that it is working on.
        fit_in_blocks: `fit` on training samples in blocks, from (key, mapped, data, weights, options, *, bits, running)
            to a `Fitted`, not compiled as a whole; None if the method needs all samples at once.
        quantiser: from its head and its preprocessed training features to RaBitQ's quantiser with the same codes; None
            if its codes are not the signs of a random frame.
    """

    name: str
    paper: str
    reads: frozenset[Reads]
    fit: Fit
    feature_map: Callable[..., FeatureMap] = Identity
    weights: type[Any] = NoWeights
    options: type[Any] = NoOptions
    ranges: Mapping[str, Takes] = field(default_factory=lambda: MappingProxyType({}))
    shared: tuple[str, ...] = ()
    has_codes: bool = True
    most_bits: Callable[[int], int] | None = None
    unread: Callable[[Any, Any], frozenset[Reads]] = lambda weights, options: frozenset()
    floats: Callable[[Shapes, Any], int] = closed_form_floats
    floats_once: Callable[[Shapes, Any], int] = lambda shapes, options: 0
    fit_in_blocks: Callable[..., Fitted] | None = None
    quantiser: Callable[[Any, Float[Array, "n p"]], RaBitQ] | None = None
