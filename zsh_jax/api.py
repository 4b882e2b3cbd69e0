"""The public names of the package, such as `from zsh_jax import solve`."""

from zsh_jax.core.anchor_graph import AnchorGraph, anchor_graph
from zsh_jax.core.classes import Dictionary, class_dictionary
from zsh_jax.core.code_formats import Codes, read_codes
from zsh_jax.core.coupled import CoupledState, init_coupled, solve_coupled
from zsh_jax.core.feature_maps import RBF, FeaturesAndRBF, Identity
from zsh_jax.core.graph import Graph, knn_graph
from zsh_jax.core.hashing import HashFunction, code_length, encode, encode_classes, project
from zsh_jax.core.heads import MLP, ClassCodes, Joint, Linear, Vectors
from zsh_jax.core.kernel import choose_bandwidth, draw_anchors, rbf_features
from zsh_jax.core.laplacian import laplacian_quadratic
from zsh_jax.core.metrics.average_precision import (
    best_average_precision,
    expected_precision_at,
    tie_aware_average_precision,
    worst_average_precision,
)
from zsh_jax.core.metrics.evaluate import Metrics, evaluate_queries
from zsh_jax.core.metrics.found_average_precision import OfFound, average_precision_of_found
from zsh_jax.core.metrics.retrieval import Retrieval, evaluate
from zsh_jax.core.objective import Objective, objective
from zsh_jax.core.packing import hamming_distances, pack_codes, unpack_codes
from zsh_jax.core.preprocessing import Preprocessing, apply_preprocessing, fit_preprocessing, standardisation
from zsh_jax.core.problem import Hyperparameters, Problem, State, init_state, make_problem
from zsh_jax.core.rabitq import (
    Quantised,
    RaBitQ,
    estimated_products,
    estimated_squared_distances,
    quantise,
    random_quantiser,
)
from zsh_jax.core.relaxed import solve_relaxed
from zsh_jax.core.search import Search, Searches, evaluate_searches
from zsh_jax.core.solver import Solution, Status, solve
from zsh_jax.core.steps.codes import codes_step
from zsh_jax.core.steps.projection import projection_factor, projection_step
from zsh_jax.core.steps.regression import regression_step
from zsh_jax.core.steps.rotation import random_rotation, rotation_step
from zsh_jax.methods.protocol import Method, Trace
from zsh_jax.methods.table import METHODS
from zsh_jax.model_file import load, save
from zsh_jax.training.fit import fit, fit_with_trace
from zsh_jax.training.fit_in_blocks import fit_in_blocks

__all__ = [
    "METHODS",
    "MLP",
    "RBF",
    "AnchorGraph",
    "ClassCodes",
    "Codes",
    "CoupledState",
    "Dictionary",
    "FeaturesAndRBF",
    "Graph",
    "HashFunction",
    "Hyperparameters",
    "Identity",
    "Joint",
    "Linear",
    "Method",
    "Metrics",
    "Objective",
    "OfFound",
    "Preprocessing",
    "Problem",
    "Quantised",
    "RaBitQ",
    "Retrieval",
    "Search",
    "Searches",
    "Solution",
    "State",
    "Status",
    "Trace",
    "Vectors",
    "anchor_graph",
    "apply_preprocessing",
    "average_precision_of_found",
    "best_average_precision",
    "choose_bandwidth",
    "class_dictionary",
    "code_length",
    "codes_step",
    "draw_anchors",
    "encode",
    "encode_classes",
    "estimated_products",
    "estimated_squared_distances",
    "evaluate",
    "evaluate_queries",
    "evaluate_searches",
    "expected_precision_at",
    "fit",
    "fit_in_blocks",
    "fit_preprocessing",
    "fit_with_trace",
    "hamming_distances",
    "init_coupled",
    "init_state",
    "knn_graph",
    "laplacian_quadratic",
    "load",
    "make_problem",
    "objective",
    "pack_codes",
    "project",
    "projection_factor",
    "projection_step",
    "quantise",
    "random_quantiser",
    "random_rotation",
    "rbf_features",
    "read_codes",
    "regression_step",
    "rotation_step",
    "save",
    "solve",
    "solve_coupled",
    "solve_relaxed",
    "standardisation",
    "tie_aware_average_precision",
    "unpack_codes",
    "worst_average_precision",
]
