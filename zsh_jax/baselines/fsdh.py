"""FSDH: SDH with the regression turned round, so that the codes have a closed form.

Gui, Liu, Sun, Tao & Tan, "Fast supervised discrete hashing", IEEE TPAMI 40(2), 2018 (arXiv 1904.03556):

    |B - Y W|^2 + lam |W|^2 + nu |B - Phi P|^2    s.t. B in {-1, 1}

with the class indicators Y. Each step is an exact minimiser: W = (Y'Y + lam I)^-1 Y'B, P = (Phi'Phi)^-1 Phi'B, and
B = sign(Y W + nu Phi P). As in SDH a small ridge r on P, nu r |P|^2, keeps its step well posed.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int, PRNGKeyArray

from zsh_jax.baselines.data import TrainingData
from zsh_jax.baselines.gram import GramBasis, gram_basis, ridge_regression
from zsh_jax.baselines.hash_functions import Kernel
from zsh_jax.core.precision import full_precision


class FSDHOptions(NamedTuple):
    """What may be tuned.

    Attributes:
        lam: ridge on the regression W.
        nu: weight of the distance of the codes from the projected features.
        ridge: r, on the projection, relative to nu.
    """

    lam: Float[Array, "*sweep"] | float = 1.0
    nu: Float[Array, "*sweep"] | float = 1e-5
    ridge: Float[Array, "*sweep"] | float = 1e-2


class FSDHState(NamedTuple):
    """The unknowns.

    Attributes:
        codes: B, in {-1, +1}.
        regression: W, from class indicators to codes.
        projection: P.
    """

    codes: Float[Array, "n l"]
    regression: Float[Array, "c l"]
    projection: Float[Array, "m l"]


class FSDHFactors(NamedTuple):
    """What the steps share: eigenbases of Y'Y and of Phi'Phi."""

    classes: GramBasis
    phi: GramBasis


def factors(data: TrainingData) -> FSDHFactors:
    """Factor both Gram matrices.

    Args:
        data: of which `phi` and `classes` are read.

    Returns:
        Their eigenbases.
    """
    return FSDHFactors(gram_basis(data.classes.T @ data.classes), gram_basis(data.phi.T @ data.phi))


def regression_step(
    data: TrainingData, options: FSDHOptions, state: FSDHState, factor: FSDHFactors
) -> FSDHState:
    """W, exactly.

    Args:
        data: the training data.
        options: weights.
        state: whose codes are fitted.
        factor: of the data.

    Returns:
        The state with its `regression` replaced.
    """
    return state._replace(
        regression=ridge_regression(factor.classes, data.classes.T @ state.codes, options.lam)
    )


def projection_step(
    data: TrainingData, options: FSDHOptions, state: FSDHState, factor: FSDHFactors
) -> FSDHState:
    """P, exactly.

    Args:
        data: the training data.
        options: weights.
        state: whose codes are fitted.
        factor: of the data.

    Returns:
        The state with its `projection` replaced.
    """
    return state._replace(projection=ridge_regression(factor.phi, data.phi.T @ state.codes, options.ridge))


def codes_step(data: TrainingData, options: FSDHOptions, state: FSDHState) -> FSDHState:
    """B, exactly, all bits at once. A zero keeps the old bit.

    Args:
        data: the training data.
        options: weights.
        state: whose regression and projection are followed.

    Returns:
        The state with its `codes` replaced.
    """
    field = data.classes @ state.regression + options.nu * (data.phi @ state.projection)
    return state._replace(codes=jnp.where(field == 0, state.codes, jnp.sign(field)))


@partial(jax.jit, static_argnames=("bits", "iterations"))
@full_precision
def fit(
    key: PRNGKeyArray, data: TrainingData, options: FSDHOptions, *, bits: int, iterations: int = 5
) -> Kernel:
    """Alternate W, P and B steps from random codes (algorithm 1).

    Args:
        key: of the random codes.
        data: of which `phi` and `classes` are read.
        options: weights of the terms.
        bits: code length l; static.
        iterations: static. The paper's is 5.

    Returns:
        Projection (m, l), fitted to the last codes.
    """
    n, m = data.phi.shape
    dtype = data.phi.dtype
    factor = factors(data)
    start = FSDHState(
        codes=jax.random.rademacher(key, (n, bits), dtype=dtype),
        regression=jnp.zeros((data.classes.shape[1], bits), dtype),
        projection=jnp.zeros((m, bits), dtype),
    )

    def iterate(_: Int[Array, ""], state: FSDHState) -> FSDHState:
        state = regression_step(data, options, state, factor)
        state = projection_step(data, options, state, factor)
        return codes_step(data, options, state)

    end = lax.fori_loop(0, iterations, iterate, start)
    return Kernel(projection_step(data, options, end, factor).projection)
