"""The compiled programs of a sweep: prepare a data split, train, encode and evaluate many cells at once."""

from functools import partial
from typing import NamedTuple

import jax
from jax import lax
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped, UInt8

from zsh_jax.core.graph import knn_graph
from zsh_jax.core.hashing import HashFunction, encode, standardisation
from zsh_jax.core.kernel import anchors, bandwidth, rbf_features
from zsh_jax.core.metrics.evaluate import Metrics, evaluate_queries
from zsh_jax.core.objective import Objective
from zsh_jax.core.problem import Hyperparameters, Problem, init_state, make_problem
from zsh_jax.core.solver import Rotation, solve


class Prepared(NamedTuple):
    """One data split, ready to train on; or several, stacked.

    Attributes:
        problem: the training data.
        mean: of the training features.
        scale: of the training features.
        anchors: standardised.
        bandwidth: sigma^2.
        start: key of the solver's start.
    """

    problem: Problem
    mean: Float[Array, "*s d"]
    scale: Float[Array, "*s d"]
    anchors: Float[Array, "*s k d"]
    bandwidth: Float[Array, "*s"]
    start: PRNGKeyArray


class Trained(NamedTuple):
    """What is kept of a solve: the hash function's projection, and how it got there.

    Attributes:
        projection: P.
        terms: J and its terms after each iteration.
        flips: bits changed in each iteration.
        iterations: iterations done.
        status: a `Status`.
    """

    projection: Float[Array, "*cells m l"]
    terms: Objective
    flips: Int[Array, "*cells max_iterations"]
    iterations: Int[Array, "*cells"]
    status: Int[Array, "*cells"]


@partial(jax.jit, static_argnames=("anchor_count", "neighbours"))
def prepare(
    features: Float[Array, "n_all d"],
    training: Int[Array, " n"],
    targets: Float[Array, "n e"],
    anchor_key: PRNGKeyArray,
    start_key: PRNGKeyArray,
    *,
    anchor_count: int,
    neighbours: int | None,
) -> Prepared:
    """Everything that the cells of one data split share.

    Args:
        features: raw features of all samples, (n_all, d).
        training: indices of the training samples, (n,).
        targets: semantic targets of the training samples, (n, e).
        anchor_key: for the anchors.
        start_key: handed on.
        anchor_count: anchors k; static.
        neighbours: neighbours in the graph; None for no locality term; static.

    Returns:
        The prepared split.
    """
    raw = features[training]
    mean, scale = standardisation(raw)
    x = (raw - mean) / scale
    chosen = anchors(anchor_key, x, count=anchor_count)
    sigma_squared = bandwidth(x, chosen)
    phi = rbf_features(x, chosen, sigma_squared)
    graph = None if neighbours is None else knn_graph(x, k=neighbours)
    return Prepared(make_problem(phi, targets, graph), mean, scale, chosen, sigma_squared, start_key)


@partial(jax.jit, static_argnames=("bits", "rotation", "max_iterations", "max_sweeps"))
def train(
    prepared: Prepared,
    shared: Hyperparameters,
    lam: Float[Array, " lams"],
    tolerance: Float[Array, " lams"],
    *,
    bits: int,
    rotation: Rotation,
    max_iterations: int,
    max_sweeps: int,
) -> Trained:
    """Solve every data split with every set of weights, as one program.

    The P-step's factorisation depends on alpha, beta and gamma. They have an axis of their own, outside that of
    lam and tolerance, so that it is made once for each of their values.

    Args:
        prepared: data splits, stacked on a leading axis.
        shared: alpha, beta and gamma, (ratios,) each; its lam is not read.
        lam: ridge of the regression, (lams,).
        tolerance: of the solver, (lams,).
        bits: code length; static.
        rotation: of the solver; static.
        max_iterations: of the solver; static.
        max_sweeps: of the solver; static.

    Returns:
        Leaves with leading axes (splits, ratios, lams).
    """

    def one_cell(
        split: Prepared, weights: Hyperparameters, lam: Float[Array, ""], tol: Float[Array, ""]
    ) -> Trained:
        solution = solve(
            split.problem,
            weights._replace(lam=lam),
            init_state(split.problem, split.start, bits=bits),
            rotation=rotation,
            max_iterations=max_iterations,
            max_sweeps=max_sweeps,
            tolerance=tol,
        )
        return Trained(
            solution.state.projection, solution.terms, solution.flips, solution.iterations, solution.status
        )

    over_lams = jax.vmap(one_cell, in_axes=(None, None, 0, 0))
    over_ratios = jax.vmap(over_lams, in_axes=(None, Hyperparameters(None, 0, 0, 0), None, None))  # type: ignore[arg-type]
    return jax.vmap(over_ratios, in_axes=(0, None, None, None))(prepared, shared, lam, tolerance)


@jax.jit
def encode_cells(
    prepared: Prepared, projections: Float[Array, "s cells m l"], features: Float[Array, "n_all d"]
) -> UInt8[Array, "s cells n_all bytes"]:
    """Codes of all samples under every cell's hash function; the cells of a split share phi(x).

    Args:
        prepared: data splits, stacked.
        projections: of each cell, (splits, cells, m, l).
        features: raw features of all samples, (n_all, d).

    Returns:
        Packed codes, (splits, cells, n_all, bytes).
    """

    def of_split(args: tuple[Prepared, Float[Array, "cells m l"]]) -> UInt8[Array, "cells n_all bytes"]:
        split, projection = args
        cells = HashFunction(split.mean, split.scale, split.anchors, split.bandwidth, projection)
        over_cells = jax.vmap(encode, in_axes=(HashFunction(None, None, None, None, 0), None))  # type: ignore[arg-type]
        return over_cells(cells, features)

    return lax.map(of_split, (prepared, projections))


@partial(jax.jit, static_argnames=("bits", "cutoffs", "block"))
def evaluate_cells(
    codes: UInt8[Array, "s cells n_all bytes"],
    labels: Shaped[Array, "n_all *c"],
    queries: Int[Array, "s q"],
    database: Int[Array, "s n"],
    *,
    bits: int,
    cutoffs: tuple[int, ...],
    block: int,
) -> Metrics:
    """Mean metrics of every cell, one cell after the other.

    Args:
        codes: packed codes of all samples, (splits, cells, n_all, bytes).
        labels: of all samples.
        queries: indices of each split's queries, (splits, q).
        database: indices of each split's database, (splits, n).
        bits: code length; static.
        cutoffs: the N of precision at N; static.
        block: queries at a time; static.

    Returns:
        Leaves with leading axes (splits, cells).
    """

    def of_split(
        args: tuple[UInt8[Array, "cells n_all bytes"], Int[Array, " q"], Int[Array, " n"]],
    ) -> Metrics:
        cells, query, items = args

        def of_cell(code: UInt8[Array, "n_all bytes"]) -> Metrics:
            each = evaluate_queries(
                code[query],
                labels[query],
                code[items],
                labels[items],
                bits=bits,
                cutoffs=cutoffs,
                block=block,
            )
            return jax.tree.map(lambda values: values.mean(0), each)

        return lax.map(of_cell, cells)

    return lax.map(of_split, (codes, queries, database))
