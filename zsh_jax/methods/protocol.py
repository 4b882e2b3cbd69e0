"""What a method is: the one interface through which the sweep and `zsh_jax.fit` see every method.

A method is a file in this folder that ends in `METHOD = Method(...)`, and a row of `zsh_jax.methods.table`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from zsh_jax.core.feature_maps import FeatureMap, Identity
from zsh_jax.core.heads import ClassHead, Head
from zsh_jax.core.objective import Objective
from zsh_jax.core.problem import Problem
from zsh_jax.takes import Takes


class Reads(Enum):
    """What a method may learn from."""

    FEATURES = "preprocessed features"
    RBF = "RBF features"
    LABELS = "labels"
    CLASS_VECTORS = "class vectors"
    GRAPH = "neighbour graph"


class TrainingData(NamedTuple):
    """The training samples of one split. No method sees an unseen class.

    A method gets what it says that it reads; the rest may be None.

    Attributes:
        x: preprocessed features.
        phi: RBF features, their last column constant.
        classes: multi-hot over all classes of the data set; the columns of unseen classes are zero.
        semantics: semantic targets Y, rows of unit length.
        labels: class of each sample; None where samples may have several.
        gram: Phi' Phi.
        locality: Phi' L Phi, see `Problem`; None without a graph.
        semantic_locality: Y' L Y likewise.
    """

    x: Float[Array, "n p"] = None  # type: ignore[assignment]
    phi: Float[Array, "n m"] = None  # type: ignore[assignment]
    classes: Float[Array, "n c"] = None  # type: ignore[assignment]
    semantics: Float[Array, "n e"] = None  # type: ignore[assignment]
    labels: Int[Array, " n"] | None = None
    gram: Float[Array, "m m"] = None  # type: ignore[assignment]
    locality: Float[Array, "m m"] | None = None
    semantic_locality: Float[Array, "e e"] | None = None

    @property
    def problem(self) -> Problem:
        """The problem of the published objective; without a graph its locality term is zero."""
        locality = jnp.zeros_like(self.gram) if self.locality is None else self.locality
        return Problem(self.phi, self.semantics, self.gram, locality, self.semantic_locality)


class Trace(NamedTuple):
    """How a solve that has an objective got to its end.

    Attributes:
        objective: J of the state that was returned.
        start_objectives: that of each start.
        terms: J and its terms after each iteration; NaN past the last one.
        flips: bits changed in each iteration; -1 past the last one.
        iterations: iterations done.
        status: a `Status`.
    """

    objective: Float[Array, ""]
    start_objectives: Float[Array, " restarts"]
    terms: Objective
    flips: Int[Array, " max_iterations"]
    iterations: Int[Array, ""]
    status: Int[Array, ""]


class Fitted(NamedTuple):
    """What a method learned.

    Attributes:
        head: of the hash function.
        class_head: for class vectors; None where the method has none.
        trace: None where the method has no objective to follow.
    """

    head: Head
    class_head: ClassHead | None = None
    trace: Trace | None = None


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
    """Numbers that a method holds while it factorises one Gram matrix: that, its eigenvectors and two copies."""
    del options
    return 6 * shapes.samples * shapes.bits + 4 * max(shapes.features, shapes.rbf) ** 2


Fit = Callable[..., Fitted]
"""(key, data, weights, options, *, bits) -> Fitted."""


@dataclass(frozen=True, eq=False)  # a method is itself: it can be a key, and a static argument
class Method:
    """A method, as everything else sees it.

    Attributes:
        name: by which configurations and results call it.
        paper: its source.
        reads: what it learns from.
        fit: from (key, data, weights, options, *, bits) to what it learned; pure, vmappable over key and weights.
        feature_map: what its head reads, made from anchors and bandwidth where it reads RBF features.
        weights: a NamedTuple of numbers with the paper's values. Each field is an axis of a sweep, and is traced.
        options: a frozen dataclass with the paper's choices. Each field is an axis of a sweep, and is static.
        ranges: what a weight or an option takes, where that does not follow from its type.
        shared: the weights that a factorisation depends on, which the values of all other weights share.
        has_codes: whether it hashes; a bound does not, and has 0 bits.
        most_bits: from the length of a preprocessed feature vector to the longest code; None for no limit.
        unread: from weights and options to what of `reads` these leave unread.
        floats: numbers that the fit of one cell holds, see `closed_form_floats`.
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
