"""CCA-ITQ: canonical correlations of features and labels, then ITQ's rotation.

Gong & Lazebnik, "Iterative quantization", CVPR 2011 (Hotelling 1936 for the correlations): the w that
solve Cxy (Cyy + r I)^-1 Cyx w = s^2 (Cxx + r I) w, with r = 1e-4, each weighted by its correlation s as in the
authors' released code.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from zsh_jax.core.factorisation import eigh
from zsh_jax.core.gram import gram_basis, inverse_root, oriented
from zsh_jax.core.heads import centred
from zsh_jax.core.precision import full_precision
from zsh_jax.core.steps.rotation import random_rotation
from zsh_jax.methods.itq import rotate
from zsh_jax.methods.protocol import Fitted, Method, Reads, TrainingData


class Weights(NamedTuple):
    """Weights of the method.

    Attributes:
        ridge: r, added to the variance of every feature and of every class indicator.
    """

    ridge: Float[Array, "*sweep"] | float = 1e-4


@dataclass(frozen=True)
class Options:
    """Options of the method.

    Attributes:
        passes: pairs of steps of the rotation; the paper's value is 50.
    """

    passes: int = 50


@jax.jit
@full_precision
def canonical_directions(
    x: Float[Array, "n d"], y: Float[Array, "n c"], ridge: Float[Array, ""] | float
) -> tuple[Float[Array, "d c"], Float[Array, " c"]]:
    """Directions of x whose projections correlate most with a projection of y.

    Args:
        x: centred features, (n, d).
        y: centred class indicators, (n, c).
        ridge: added to the diagonals of both covariances.

    Returns:
        Directions w with w'(Cxx + r I) w = s^2 (each scaled by its correlation), and the correlations s, descending. A
        direction without correlation is zero.
    """
    n = x.shape[0]
    whiten_x = inverse_root(gram_basis(x.T @ x / n), ridge)
    whiten_y = inverse_root(gram_basis(y.T @ y / n), ridge)
    cross = whiten_x.T @ (x.T @ y / n) @ whiten_y
    # Few classes, many features: get the left singular vectors, times their singular values, from the right ones.
    squared, right = eigh(cross.T @ cross)
    order = slice(None, None, -1)
    return oriented(whiten_x @ (cross @ right[:, order])), jnp.sqrt(jnp.maximum(squared[order], 0))


@partial(jax.jit, static_argnames=("options", "bits"))
@full_precision
def fit(key: PRNGKeyArray, data: TrainingData, weights: Weights, options: Options, *, bits: int) -> Fitted:
    """Canonical directions weighted by their correlations, then ITQ's rotation.

    At most c directions have a correlation. With more bits than classes the others have weight zero, as in the released
    code, where they are eigenvectors with eigenvalue zero: the l x l rotation then spreads the c directions over all l
    bits. So all code lengths are comparable, and no bit is noise.

    Args:
        key: of the rotation's random start.
        data: `x` and `classes` are read.
        weights: the ridge.
        options: of the method; static.
        bits: code length l; static.

    Returns:
        Projection (d, l), and the offset that centres it.
    """
    mean = data.x.mean(0)
    x = data.x - mean[None]
    y = data.classes - data.classes.mean(0)[None]
    directions, _ = canonical_directions(x, y, weights.ridge)
    directions = directions[:, :bits]
    directions = jnp.pad(directions, ((0, 0), (0, bits - directions.shape[1])))
    rotated = rotate(
        x @ directions, random_rotation(key, size=bits, dtype=x.dtype), iterations=options.passes
    )
    return Fitted(centred(mean, directions @ rotated.rotation))


METHOD = Method(
    name="cca_itq",
    paper="Gong & Lazebnik, Iterative quantization, CVPR 2011",
    reads=frozenset({Reads.FEATURES, Reads.LABELS}),
    fit=fit,
    weights=Weights,
    options=Options,
)
