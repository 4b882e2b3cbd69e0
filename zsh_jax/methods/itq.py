"""ITQ: rotate the principal components towards the corners of the hypercube.

Gong & Lazebnik, "Iterative quantization: a Procrustean approach to learning binary codes", CVPR 2011. For the projected
samples V it minimises Q(B, R) = |B - V R|^2 over signs B and orthogonal R (eq. 2), in turn: B = sign(V R), and R = S'
S'' from the singular value decomposition of V'B (sec. 3.2), 50 times from a random R.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, PRNGKeyArray

from zsh_jax.core.factorisation import svd
from zsh_jax.core.heads import centred
from zsh_jax.core.packing import signs
from zsh_jax.core.precision import full_precision
from zsh_jax.core.steps.rotation import random_rotation
from zsh_jax.methods.pcah import principal_directions
from zsh_jax.methods.protocol import Fitted, Method, NoWeights, Reads, TrainingData


@dataclass(frozen=True)
class Options:
    """Options of the method.

    Attributes:
        passes: pairs of steps; the paper's value is 50.
    """

    passes: int = 50


class Rotated(NamedTuple):
    """A rotation of the projected samples, with its trace.

    Attributes:
        rotation: R, orthogonal.
        error: |B - V R|^2 after each iteration; never rises.
    """

    rotation: Float[Array, "l l"]
    error: Float[Array, " iterations"]


@partial(jax.jit, static_argnames="iterations")
@full_precision
def rotate(projected: Float[Array, "n l"], start: Float[Array, "l l"], *, iterations: int = 50) -> Rotated:
    """Alternate the two exact steps of eq. 2.

    Args:
        projected: V, centred.
        start: an orthogonal R.
        iterations: pairs of steps; static.

    Returns:
        The rotation and the quantisation error after each pair.
    """
    squared_norm = jnp.sum(projected**2)

    def improve(rotation: Float[Array, "l l"], _: None) -> tuple[Float[Array, "l l"], Float[Array, ""]]:
        alignment = projected.T @ signs(projected @ rotation)
        left, right = svd(alignment)
        turned = left @ right
        # |B - V R|^2 = |B|^2 + |V|^2 - 2 tr(R' V'B).
        return turned, projected.size + squared_norm - 2 * jnp.sum(turned * alignment)

    return Rotated(*lax.scan(improve, start, length=iterations))


@partial(jax.jit, static_argnames=("options", "bits"))
@full_precision
def fit(key: PRNGKeyArray, data: TrainingData, weights: NoWeights, options: Options, *, bits: int) -> Fitted:
    """Principal components, then a rotation that reduces their quantisation error.

    Args:
        key: of the random start.
        data: `x` is read.
        weights: none.
        options: of the method; static.
        bits: code length l, at most d; static.

    Returns:
        Projection with orthonormal columns (d, l), and the offset that centres it.

    Raises:
        ValueError: there are more bits than features.
    """
    del weights
    mean, directions = principal_directions(data.x, count=bits)
    projected = (data.x - mean[None]) @ directions
    start = random_rotation(key, size=bits, dtype=data.x.dtype)
    return Fitted(centred(mean, directions @ rotate(projected, start, iterations=options.passes).rotation))


METHOD = Method(
    name="itq",
    paper="Gong & Lazebnik, Iterative quantization, CVPR 2011",
    reads=frozenset({Reads.FEATURES}),
    fit=fit,
    options=Options,
    most_bits=lambda features: features,
)
