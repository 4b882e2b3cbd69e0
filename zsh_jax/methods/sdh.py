"""SDH: codes from which a linear classifier predicts the class.

Shen, Shen, Liu & Shen, "Supervised discrete hashing", CVPR 2015:

    |Y - B W|^2 + lam |W|^2 + nu |B - Phi P|^2    s.t. B in {-1, 1}

with the class indicators Y. This is the problem of this project with one-hot semantics, no rotation and no locality, so
its solver is used. The ridge on P, nu r |P|^2, is from the authors' released code (r = 1e-2).
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
from jaxtyping import Array, Float, PRNGKeyArray

from zsh_jax.core.feature_maps import RBF
from zsh_jax.core.heads import Linear
from zsh_jax.core.problem import Hyperparameters, init_state, make_problem
from zsh_jax.core.solver import solve
from zsh_jax.methods.protocol import Fitted, Method, Reads, Shapes, TrainingData


class Weights(NamedTuple):
    """Weights of the method.

    Attributes:
        lam: ridge on the classifier W.
        nu: weight of the distance of the codes from the projected features; positive.
        ridge: r, on the projection, relative to nu.
    """

    lam: Float[Array, "*sweep"] | float = 1.0
    nu: Float[Array, "*sweep"] | float = 1e-5
    ridge: Float[Array, "*sweep"] | float = 1e-2


@dataclass(frozen=True)
class Options:
    """Options of the method.

    Attributes:
        max_iterations: maximum number of passes over the three steps; the paper's value is 5.
        max_sweeps: maximum number of coordinate descent sweeps in each B-step.
    """

    max_iterations: int = 5
    max_sweeps: int = 10


@partial(jax.jit, static_argnames=("options", "bits"))
def fit(key: PRNGKeyArray, data: TrainingData, weights: Weights, options: Options, *, bits: int) -> Fitted:
    """Alternate P, W and B steps from random codes (algorithm 1).

    Args:
        key: of the random codes.
        data: `phi` and `classes` are read. Multi-hot rows are regression targets as they are.
        weights: of the terms.
        options: of the method; static.
        bits: code length l; static.

    Returns:
        Projection (m, l), fitted to the last codes.
    """
    problem = make_problem(data.phi, data.classes)
    hyper = Hyperparameters(lam=weights.lam, alpha=weights.nu, beta=weights.nu * weights.ridge, gamma=0.0)
    start = init_state(problem, key, bits=bits)
    solution = solve(
        problem,
        hyper,
        start,
        rotation="none",
        max_iterations=options.max_iterations,
        max_sweeps=options.max_sweeps,
    )
    return Fitted(Linear(solution.state.projection))


def solver_floats(shapes: Shapes, options: Options) -> int:
    """Numbers that a solve holds: its arrays of samples by bits, and the factor of the P-step."""
    del options
    n, m, bits = shapes.samples, shapes.rbf, shapes.bits
    return 8 * n * bits + 3 * bits * m + 2 * m**2


METHOD = Method(
    name="sdh",
    paper="Shen, Shen, Liu & Shen, Supervised discrete hashing, CVPR 2015",
    reads=frozenset({Reads.RBF, Reads.LABELS}),
    fit=fit,
    feature_map=RBF,
    weights=Weights,
    options=Options,
    shared=("nu", "ridge"),
    floats=solver_floats,
)
