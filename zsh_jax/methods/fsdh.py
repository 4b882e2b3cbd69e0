"""FSDH: SDH with the regression reversed, so that the codes have a closed form.

Gui, Liu, Sun, Tao & Tan, "Fast supervised discrete hashing", IEEE TPAMI 40(2), 2018 (arXiv 1904.03556):

    |B - Y W|^2 + lam |W|^2 + nu |B - Phi P|^2    s.t. B in {-1, 1}

with the class indicators Y. Each step is an exact minimiser: W = (Y'Y + lam I)^-1 Y'B, P = (Phi'Phi)^-1 Phi'B, and B =
sign(Y W + nu Phi P). As in SDH a small ridge r on P, nu r |P|^2, keeps its step well posed.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int, PRNGKeyArray

from zsh_jax.core.feature_maps import RBF
from zsh_jax.core.gram import GramBasis, gram_basis, ridge_regression
from zsh_jax.core.heads import Linear
from zsh_jax.core.precision import full_precision
from zsh_jax.methods.protocol import Fitted, Method, Reads, TrainingData


class Weights(NamedTuple):
    """Weights of the method.

    Attributes:
        lam: ridge on the regression W.
        nu: weight of the distance of the codes from the projected features.
        ridge: r, on the projection, relative to nu.
    """

    lam: Float[Array, "*sweep"] | float = 1.0
    nu: Float[Array, "*sweep"] | float = 1e-5
    ridge: Float[Array, "*sweep"] | float = 1e-2


@dataclass(frozen=True)
class Options:
    """Options of the method.

    Attributes:
        passes: over the three steps; the paper's value is 5.
    """

    passes: int = 5


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
    """Shared by the steps: eigenbases of Y'Y and of Phi'Phi."""

    classes: GramBasis
    phi: GramBasis


def factors(data: TrainingData) -> FSDHFactors:
    """Eigenbases of both Gram matrices, from `phi` and `classes`."""
    return FSDHFactors(gram_basis(data.classes.T @ data.classes), gram_basis(data.phi.T @ data.phi))


def regression_step(data: TrainingData, weights: Weights, state: FSDHState, factor: FSDHFactors) -> FSDHState:
    """The exact minimiser W.

    Args:
        data: the training data.
        weights: of the terms.
        state: its codes are fitted.
        factor: of the data.

    Returns:
        The state with new `regression`.
    """
    return state._replace(
        regression=ridge_regression(factor.classes, data.classes.T @ state.codes, weights.lam)
    )


def projection_step(data: TrainingData, weights: Weights, state: FSDHState, factor: FSDHFactors) -> FSDHState:
    """The exact minimiser P.

    Args:
        data: the training data.
        weights: of the terms.
        state: its codes are fitted.
        factor: of the data.

    Returns:
        The state with new `projection`.
    """
    return state._replace(projection=ridge_regression(factor.phi, data.phi.T @ state.codes, weights.ridge))


def codes_step(data: TrainingData, weights: Weights, state: FSDHState) -> FSDHState:
    """The exact minimiser B, all bits at once. A zero keeps the old bit.

    Args:
        data: the training data.
        weights: of the terms.
        state: its regression and projection are used.

    Returns:
        The state with new `codes`.
    """
    field = data.classes @ state.regression + weights.nu * (data.phi @ state.projection)
    return state._replace(codes=jnp.where(field == 0, state.codes, jnp.sign(field)))


@partial(jax.jit, static_argnames=("options", "bits"))
@full_precision
def fit(key: PRNGKeyArray, data: TrainingData, weights: Weights, options: Options, *, bits: int) -> Fitted:
    """Alternate W, P and B steps from random codes (algorithm 1).

    Args:
        key: of the random codes.
        data: `phi` and `classes` are read.
        weights: of the terms.
        options: of the method; static.
        bits: code length l; static.

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
        state = regression_step(data, weights, state, factor)
        state = projection_step(data, weights, state, factor)
        return codes_step(data, weights, state)

    end = lax.fori_loop(0, options.passes, iterate, start)
    return Fitted(Linear(projection_step(data, weights, end, factor).projection))


METHOD = Method(
    name="fsdh",
    paper="Gui, Liu, Sun, Tao & Tan, Fast supervised discrete hashing, IEEE TPAMI 40(2), 2018",
    reads=frozenset({Reads.RBF, Reads.LABELS}),
    fit=fit,
    feature_map=RBF,
    weights=Weights,
    options=Options,
)
