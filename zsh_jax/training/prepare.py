"""Prepare a data split for training: preprocessing, RBF features, shared products and the neighbour graph."""

from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, Shaped

from zsh_jax.core.anchor_graph import AnchorGraph, anchor_graph
from zsh_jax.core.feature_maps import RBF
from zsh_jax.core.graph import EdgeWeights, Graph, knn_graph
from zsh_jax.core.kernel import choose_bandwidth, draw_anchors, rbf_features
from zsh_jax.core.metrics.relevance import has_label
from zsh_jax.core.preprocessing import Preprocessing, apply_preprocessing, fit_preprocessing
from zsh_jax.core.problem import make_problem
from zsh_jax.core.semantic_basis import semantic_basis
from zsh_jax.core.sharding import rows_apart
from zsh_jax.methods.protocol import Reads, TrainingData
from zsh_jax.training.streams import Streams


@dataclass(frozen=True)
class GraphOptions:
    """Options of the neighbour graph.

    Attributes:
        kind: "knn", or "anchors" for the anchor graph.
        neighbours: number of neighbours of each sample.
        edge_weights: of the kNN graph, "heat" or "binary".
        normalised: whether to use the normalised Laplacian.
    """

    kind: str = "knn"
    neighbours: int = 10
    edge_weights: EdgeWeights = "heat"
    normalised: bool = False


@dataclass(frozen=True)
class Preparation:
    """Preparation of a data split; static.

    Attributes:
        preprocessing: kind, see `fit_preprocessing`.
        pca_dimensions: directions that "pca" keeps; 0 for all.
        anchors: number of anchors, drawn from the training samples.
        graph: options of the neighbour graph, if a method reads it.
    """

    preprocessing: str = "standardise"
    pca_dimensions: int = 0
    anchors: int = 1000
    graph: GraphOptions = GraphOptions()


class Prepared(NamedTuple):
    """One prepared data split; or several, stacked.

    Attributes:
        data: training data of the methods.
        vectors: class vector of each class, rows of unit length.
        preprocessing: fitted on the training samples.
        rbf: anchors and bandwidth; None if no method reads RBF features.
        start: random key of the methods.
    """

    data: TrainingData
    vectors: Float[Array, "*s c e"]
    preprocessing: Preprocessing
    rbf: RBF | None
    start: PRNGKeyArray


class Taught(NamedTuple):
    """The supervision of the training samples.

    Attributes:
        labels: class indices, or multi-hot over all classes.
        targets: Y, the semantic target of each training sample.
        vectors: of all classes.
    """

    labels: Int[Array, " n"] | Bool[Array, "n c"]
    targets: Float[Array, "n e"]
    vectors: Float[Array, "c e"]


def prepare(
    features: Float[Array, "n d"],
    taught: Taught,
    keys: Streams,
    bandwidth_scale: Float[Array, ""] | float,
    *,
    how: Preparation,
    reads: frozenset[Reads],
) -> Prepared:
    """Compute everything that the cells of one data split share.

    Args:
        features: raw features of the training samples, (n, d).
        taught: labels, targets and class vectors.
        keys: of the split's seed.
        bandwidth_scale: sigma^2 in multiples of the published rule.
        how: static.
        reads: inputs of the methods of the split; static. Other inputs are not computed.

    Returns:
        The prepared split.
    """
    kind, dimensions = how.preprocessing, how.pca_dimensions if how.preprocessing == "pca" else 0
    fitted = fit_preprocessing(features, kind=kind, dimensions=dimensions or None)
    x = rows_apart(apply_preprocessing(fitted, features))
    data = TrainingData(x=x, semantics=taught.targets.astype(x.dtype))
    if Reads.CLASS_VECTORS in reads:
        vectors, used = taught.vectors.astype(x.dtype), _used(taught)
        data = data._replace(
            basis=semantic_basis(vectors, used), vectors=jnp.where(used[:, None], vectors, 0)
        )
    if Reads.LABELS in reads:
        data = _with_labels(data, taught.labels, len(taught.vectors))
    rbf = None
    if reads & {Reads.RBF, Reads.GRAPH}:
        rbf = _rbf(x, keys, bandwidth_scale, anchors=how.anchors)
        graph = _graph(x, rbf, how.graph) if Reads.GRAPH in reads else None
        phi = rows_apart(rbf_features(x, *rbf))
        problem = make_problem(phi, taught.targets, graph, normalised=how.graph.normalised)
        data = data._replace(
            phi=problem.phi,
            gram=problem.gram,
            locality=None if graph is None else problem.locality,
            semantic_locality=problem.semantic_locality,
        )
    if not reads & {Reads.FEATURES}:
        data = data._replace(x=None)  # type: ignore[arg-type]
    return Prepared(data, taught.vectors, fitted, rbf, keys.start)


def _used(taught: Taught) -> Bool[Array, " c"]:
    """Whether each class has training samples."""
    if taught.labels.ndim == 2:
        return has_label(taught.labels).any(0)
    return jnp.zeros(len(taught.vectors), bool).at[taught.labels].set(True)


def _with_labels(data: TrainingData, labels: Shaped[Array, "n *c"], classes: int) -> TrainingData:
    """Add labels in the form that methods read; multi-label samples have no class index."""
    if labels.ndim == 2:
        return data._replace(classes=labels.astype(data.x.dtype))
    hot = labels[:, None] == jnp.arange(classes)[None]
    return data._replace(classes=hot.astype(data.x.dtype), labels=labels)


def _rbf(x: Float[Array, "n p"], keys: Streams, scale: Float[Array, ""] | float, *, anchors: int) -> RBF:
    chosen = draw_anchors(keys.anchors, x, count=anchors)
    return RBF(chosen, scale * choose_bandwidth(x, chosen))


def _graph(x: Float[Array, "n p"], rbf: RBF, how: GraphOptions) -> Graph | AnchorGraph:
    if how.kind == "knn":
        return knn_graph(x, k=how.neighbours, weights=how.edge_weights)
    return anchor_graph(x, rbf.anchors, rbf.bandwidth, nearest=how.neighbours)
