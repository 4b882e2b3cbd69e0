"""Zero-shot hashing by transferring supervised knowledge (Yang et al., ACM MM 2016), in JAX.

The numerical core: pure functions of arrays. Data sources, the sweep engine, tracking and reports are
subpackages of their own, imported by name.
"""

from zsh_jax.core.graph import Graph, knn_graph, laplacian_quadratic
from zsh_jax.core.hashing import HashFunction, encode, standardisation
from zsh_jax.core.kernel import anchors, bandwidth, rbf_features
from zsh_jax.core.metrics.average_precision import expected_precision_at, tie_aware_average_precision
from zsh_jax.core.metrics.evaluate import Metrics, evaluate, evaluate_queries
from zsh_jax.core.objective import Objective, objective
from zsh_jax.core.packing import hamming_distances, pack_codes, unpack_codes
from zsh_jax.core.problem import Hyperparameters, Problem, State, init_state, make_problem
from zsh_jax.core.solver import Solution, Status, solve
from zsh_jax.core.steps.codes import codes_step
from zsh_jax.core.steps.projection import projection_factor, projection_step
from zsh_jax.core.steps.regression import regression_step
from zsh_jax.core.steps.rotation import rotation_step

__all__ = [
    "Graph",
    "HashFunction",
    "Hyperparameters",
    "Metrics",
    "Objective",
    "Problem",
    "Solution",
    "State",
    "Status",
    "anchors",
    "bandwidth",
    "codes_step",
    "encode",
    "evaluate",
    "evaluate_queries",
    "expected_precision_at",
    "hamming_distances",
    "init_state",
    "knn_graph",
    "laplacian_quadratic",
    "make_problem",
    "objective",
    "pack_codes",
    "projection_factor",
    "projection_step",
    "rbf_features",
    "regression_step",
    "rotation_step",
    "solve",
    "standardisation",
    "tie_aware_average_precision",
    "unpack_codes",
]
