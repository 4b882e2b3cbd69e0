"""The names of the package itself: `from zsh_jax import solve`, and the like."""

from zsh_jax.core.anchor_graph import AnchorGraph, anchor_graph
from zsh_jax.core.classes import encode_class
from zsh_jax.core.coupled import CoupledState, init_coupled, solve_coupled
from zsh_jax.core.graph import Graph, knn_graph
from zsh_jax.core.hashing import HashFunction, encode
from zsh_jax.core.joint import Joint, JointHashFunction, JointOptions, encode_joint, fit_joint
from zsh_jax.core.kernel import anchors, bandwidth, rbf_features
from zsh_jax.core.laplacian import laplacian_quadratic
from zsh_jax.core.metrics.average_precision import expected_precision_at, tie_aware_average_precision
from zsh_jax.core.metrics.evaluate import Metrics, evaluate, evaluate_queries
from zsh_jax.core.objective import Objective, objective
from zsh_jax.core.packing import hamming_distances, pack_codes, unpack_codes
from zsh_jax.core.preprocessing import Preprocessing, apply_preprocessing, fit_preprocessing, standardisation
from zsh_jax.core.problem import Hyperparameters, Problem, State, init_state, make_problem
from zsh_jax.core.relaxed import solve_relaxed
from zsh_jax.core.solver import Solution, Status, solve
from zsh_jax.core.steps.codes import codes_step
from zsh_jax.core.steps.projection import projection_factor, projection_step
from zsh_jax.core.steps.regression import regression_step
from zsh_jax.core.steps.rotation import random_rotation, rotation_step

__all__ = [
    "AnchorGraph",
    "CoupledState",
    "Graph",
    "HashFunction",
    "Hyperparameters",
    "Joint",
    "JointHashFunction",
    "JointOptions",
    "Metrics",
    "Objective",
    "Preprocessing",
    "Problem",
    "Solution",
    "State",
    "Status",
    "anchor_graph",
    "anchors",
    "apply_preprocessing",
    "bandwidth",
    "codes_step",
    "encode",
    "encode_class",
    "encode_joint",
    "evaluate",
    "evaluate_queries",
    "expected_precision_at",
    "fit_joint",
    "fit_preprocessing",
    "hamming_distances",
    "init_coupled",
    "init_state",
    "knn_graph",
    "laplacian_quadratic",
    "make_problem",
    "objective",
    "pack_codes",
    "projection_factor",
    "projection_step",
    "random_rotation",
    "rbf_features",
    "regression_step",
    "rotation_step",
    "solve",
    "solve_coupled",
    "solve_relaxed",
    "standardisation",
    "tie_aware_average_precision",
    "unpack_codes",
]
