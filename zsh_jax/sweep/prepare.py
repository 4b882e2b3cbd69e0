"""The compiled program that makes a data split ready to train on."""

from functools import partial
from typing import NamedTuple

import jax
from jaxtyping import Array, Float, Int, PRNGKeyArray

from zsh_jax.baselines.data import TrainingData
from zsh_jax.core.anchor_graph import AnchorGraph, anchor_graph
from zsh_jax.core.graph import EdgeWeights, Graph, knn_graph
from zsh_jax.core.kernel import anchors, bandwidth, rbf_features
from zsh_jax.core.preprocessing import Preprocessing, apply_preprocessing, fit_preprocessing
from zsh_jax.core.problem import Problem, make_problem
from zsh_jax.sweep.streams import Streams


class GraphOptions(NamedTuple):
    """How the neighbour graph is made.

    Attributes:
        kind: "knn", or "anchors".
        neighbours: of each sample.
        edge_weights: of the knn graph.
        normalised: whether its Laplacian is.
    """

    kind: str
    neighbours: int
    edge_weights: EdgeWeights
    normalised: bool


class Semantics(NamedTuple):
    """What is known of the classes of a data split.

    Attributes:
        targets: Y, of the training samples.
        vectors: of all classes.
        classes: multi-hot labels of the training samples, where a baseline wants them.
    """

    targets: Float[Array, "n e"]
    vectors: Float[Array, "c e"]
    classes: Float[Array, "n c"] | None


class Prepared(NamedTuple):
    """One data split, ready to train on; or several, stacked.

    Attributes:
        problem: the training data.
        vectors: semantic vector of each class.
        preprocessing: fitted on the training samples.
        anchors: preprocessed.
        bandwidth: sigma^2.
        start: key of the solver's start.
        rotation: key of a random rotation.
        samples: preprocessed training features, where a baseline wants them.
        classes: their labels, multi-hot, likewise.
    """

    problem: Problem
    vectors: Float[Array, "*s c e"]
    preprocessing: Preprocessing
    anchors: Float[Array, "*s k p"]
    bandwidth: Float[Array, "*s"]
    start: PRNGKeyArray
    rotation: PRNGKeyArray
    samples: Float[Array, "*s n p"] | None
    classes: Float[Array, "*s n c"] | None

    @property
    def training_data(self) -> TrainingData:
        """What a baseline learns from; only of a split that was prepared with its samples."""
        assert self.samples is not None
        assert self.classes is not None
        return TrainingData(self.samples, self.problem.phi, self.classes, self.problem.semantics)


@partial(jax.jit, static_argnames=("anchor_count", "preprocessing", "pca_dimensions", "graph"))
def prepare(
    features: Float[Array, "n_all d"],
    training: Int[Array, " n"],
    semantics: Semantics,
    keys: Streams,
    bandwidth_scale: Float[Array, ""],
    *,
    anchor_count: int,
    preprocessing: str,
    pca_dimensions: int,
    graph: GraphOptions | None,
) -> Prepared:
    """Everything that the cells of one data split share.

    Args:
        features: raw features of all samples, (n_all, d).
        training: indices of the training samples, (n,).
        semantics: of the training samples and of all classes.
        keys: of the split's seed.
        bandwidth_scale: sigma^2 in multiples of the published rule.
        anchor_count: anchors k; static.
        preprocessing: kind, see `fit_preprocessing`; static.
        pca_dimensions: that it keeps if it is "pca", 0 for all; static.
        graph: None for no locality term; static.

    Returns:
        The prepared split.
    """
    raw = features[training]
    fitted = fit_preprocessing(raw, kind=preprocessing, dimensions=pca_dimensions or None)
    x = apply_preprocessing(fitted, raw)
    chosen = anchors(keys.anchors, x, count=anchor_count)
    sigma_squared = bandwidth_scale * bandwidth(x, chosen)
    phi = rbf_features(x, chosen, sigma_squared)
    made: Graph | AnchorGraph | None = None
    if graph is not None and graph.kind == "knn":
        made = knn_graph(x, k=graph.neighbours, weights=graph.edge_weights)
    elif graph is not None:
        made = anchor_graph(x, chosen, sigma_squared, nearest=graph.neighbours)
    problem = make_problem(phi, semantics.targets, made, normalised=graph is not None and graph.normalised)
    return Prepared(
        problem=problem,
        vectors=semantics.vectors,
        preprocessing=fitted,
        anchors=chosen,
        bandwidth=sigma_squared,
        start=keys.start,
        rotation=keys.rotation,
        samples=None if semantics.classes is None else x,
        classes=semantics.classes,
    )
