"""SDH: codes from which a linear classifier tells the class.

Shen, Shen, Liu & Shen, "Supervised discrete hashing", CVPR 2015:

    |Y - B W|^2 + lam |W|^2 + nu |B - Phi P|^2    s.t. B in {-1, 1}

with the class indicators Y. It is this project's problem with one-hot semantics, no rotation and no locality, and is
solved by its solver. The ridge on P, nu r |P|^2, is the authors' released code's (r = 1e-2).
"""

from functools import partial
from typing import NamedTuple

import jax
from jaxtyping import Array, Float, PRNGKeyArray

from zsh_jax.baselines.data import TrainingData
from zsh_jax.baselines.hash_functions import Kernel
from zsh_jax.core.problem import Hyperparameters, init_state, make_problem
from zsh_jax.core.solver import solve


class SDHOptions(NamedTuple):
    """What may be tuned.

    Attributes:
        lam: ridge on the classifier W.
        nu: weight of the distance of the codes from the projected features; positive.
        ridge: r, on the projection, relative to nu.
    """

    lam: Float[Array, "*sweep"] | float = 1.0
    nu: Float[Array, "*sweep"] | float = 1e-5
    ridge: Float[Array, "*sweep"] | float = 1e-2


@partial(jax.jit, static_argnames=("bits", "iterations", "sweeps"))
def fit(
    key: PRNGKeyArray,
    data: TrainingData,
    options: SDHOptions,
    *,
    bits: int,
    iterations: int = 5,
    sweeps: int = 10,
) -> Kernel:
    """Alternate P, W and B steps from random codes (algorithm 1).

    Args:
        key: of the random codes.
        data: of which `phi` and `classes` are read. Several labels a sample are regressed to as they stand.
        options: weights of the terms.
        bits: code length l; static.
        iterations: at the most; static. The paper's is 5.
        sweeps: of coordinate descent in each B-step at the most; static.

    Returns:
        Projection (m, l), fitted to the last codes.
    """
    problem = make_problem(data.phi, data.classes)
    hyper = Hyperparameters(lam=options.lam, alpha=options.nu, beta=options.nu * options.ridge, gamma=0.0)
    start = init_state(problem, key, bits=bits)
    solution = solve(problem, hyper, start, rotation="none", max_iterations=iterations, max_sweeps=sweeps)
    return Kernel(solution.state.projection)
