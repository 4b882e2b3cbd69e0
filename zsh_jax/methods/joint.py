"""The joint form: semantics and appearance in one space, mapped to the bits by an orthonormal frame.

In the published form a code holds only the semantics of the seen classes. For an image of an unseen class they say
little; its appearance says more, and both together say most. Here an image is described by

    z(x) = ( sqrt(w) s(x), sqrt(1 - w) a(x) ),

with s(x) its predicted semantic vector (ridge regression on the RBF features) and a(x) its appearance: the leading
principal directions of the features, whitened within the seen classes, which reduces the variation among images of one
class (Hatch, Kajarekar & Stolcke, Interspeech 2006, for voices). Both have unit length. After a part of the mean of z
is subtracted, the leading r directions V are kept, and a frame R (r x l) with orthonormal rows, or columns if l < r,
maps them to bits: b(x) = sign((z(x) - c mean) V R). The rotation that aligns semantics with the visual space is V.

This is an extension of Yang et al. 2016, not their method.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, PRNGKeyArray

from zsh_jax.core.factorisation import cho_solve, cholesky, eigh, svd
from zsh_jax.core.feature_maps import FeaturesAndRBF
from zsh_jax.core.heads import Joint, Linear
from zsh_jax.core.precision import full_precision
from zsh_jax.core.preprocessing import unit_rows
from zsh_jax.core.steps.rotation import random_rotation
from zsh_jax.methods.protocol import Fitted, Method, Reads, TrainingData
from zsh_jax.takes import number, whole


class Weights(NamedTuple):
    """Weights of the method.

    Attributes:
        odds: w / (1 - w), the weight of semantics relative to appearance.
        centring: c, the share of the mean that is subtracted.
        ridge: of the regression to the semantics.
        shrinkage: added to the variances within classes, in units of their mean.
    """

    odds: Float[Array, "*sweep"] | float = 1.5
    centring: Float[Array, "*sweep"] | float = 0.6
    ridge: Float[Array, "*sweep"] | float = 1.0
    shrinkage: Float[Array, "*sweep"] | float = 0.3


@dataclass(frozen=True)
class Options:
    """Options of the method.

    Attributes:
        rank: r, directions of the joint space that are kept.
        directions: q, of appearance.
        turns: number of Procrustes updates of the frame: R = U V' of the singular value decomposition of T'B for B =
            sign(T R), with T the r directions of the training samples at unit length; |B - s T R| then never rises
            (Gong & Lazebnik 2011). 0 keeps the random frame.
        turned: the frames to update: "narrow" for those with at most as many bits as directions, which was best on
            validation classes; "all" for all.
    """

    rank: int = 16
    directions: int = 128
    turns: int = 20
    turned: Literal["narrow", "all"] = "narrow"


@full_precision
def within_class_whitening(
    x: Float[Array, "n p"],
    classes: Float[Array, "n c"],
    shrinkage: Float[Array, ""] | float,
    *,
    directions: int,
) -> tuple[Float[Array, "p q"], Float[Array, " q"]]:
    """The leading principal directions, scaled so that samples of one class vary equally in all of them.

    Args:
        x: preprocessed training features, (n, p).
        classes: multi-hot labels, (n, c); columns of zeros are ignored.
        shrinkage: see `Weights`.
        directions: q, or p if that is less; static.

    Returns:
        A (p, q) and the whitened mean (q,): the appearance is x A minus the mean.
    """
    mean = x.mean(0)
    centred = x - mean[None]
    _, vectors = eigh(centred.T @ centred / len(x))
    leading = vectors[:, ::-1][:, :directions]
    projected = centred @ leading
    # The residual of a regression on the labels; the small ridge handles columns of zeros.
    counts = classes.T @ classes + 1e-3 * jnp.eye(classes.shape[1], dtype=x.dtype)
    means = cho_solve(cholesky(counts), classes.T @ projected)
    within = projected - classes @ means
    variances, turn = eigh(within.T @ within / len(x))
    floor = shrinkage * variances.mean() + jnp.finfo(x.dtype).tiny
    whitening = leading @ (turn / jnp.sqrt(jnp.maximum(variances, 0) + floor)[None])
    return whitening, mean @ whitening


@partial(jax.jit, static_argnames=("options", "bits"))
@full_precision
def fit(key: PRNGKeyArray, data: TrainingData, weights: Weights, options: Options, *, bits: int) -> Fitted:
    """Fit the joint space and its frame.

    Args:
        key: of the frame.
        data: features, RBF features, labels and semantics are read.
        weights: of the method.
        options: of the method; static.
        bits: code length l; static.

    Returns:
        The head, and one for class vectors, which uses the mean appearance of the training samples for every class.
    """
    x, phi, classes, semantics = data.x, data.phi, data.classes, data.semantics
    gram = phi.T @ phi
    # As in the P-step: a ridge below the rounding of the Gram matrix has no effect.
    ridge = jnp.maximum(weights.ridge, 2 * jnp.finfo(phi.dtype).eps * jnp.trace(gram))
    factor = cholesky(gram + ridge * jnp.eye(len(gram), dtype=phi.dtype))
    semantic = cho_solve(factor, phi.T @ semantics)
    whitening, centre = within_class_whitening(x, classes, weights.shrinkage, directions=options.directions)

    share = weights.odds / (1 + weights.odds)
    appearance = unit_rows(x @ whitening - centre[None])
    z = _joined(unit_rows(phi @ semantic), appearance, share)
    mean = z.mean(0)
    uncentred = z - weights.centring * mean[None]
    values, vectors = eigh(uncentred.T @ uncentred)
    # Drop directions without variance: a class code must not depend on their rounding.
    rounding = jnp.finfo(values.dtype).eps * len(z) * values[-1]
    leading = jnp.where(values[None] > rounding, vectors, 0)[:, ::-1][:, : options.rank]
    leading = leading * jnp.where(mean[None] @ leading < 0, -1, 1)  # the sign depends on the library
    r = leading.shape[1]
    frame = random_rotation(key, size=max(r, bits), dtype=x.dtype)[:r, :bits]
    directed = unit_rows(uncentred @ leading)
    turns = options.turns if options.turned == "all" or bits <= options.rank else 0
    frame = lax.fori_loop(0, turns, lambda _, frame: _turned(directed, frame), frame)

    scales = _joined(jnp.ones_like(semantic[:1]), jnp.ones_like(centre[None]), share)[0]
    whole = leading @ frame
    weighted, offset = scales[:, None] * whole, (weights.centring * mean[None] @ whole)[0]
    e = semantic.shape[1]
    typical = appearance.mean(0)
    by_name = Linear(weighted[:e], (typical[None] @ weighted[e:])[0] - offset)
    return Fitted(Joint(semantic, whitening, centre, weighted, offset), by_name)


def _joined(
    semantics: Float[Array, "n e"], appearance: Float[Array, "n q"], share: Float[Array, ""] | float
) -> Float[Array, "n f"]:
    return jnp.concatenate([jnp.sqrt(share) * semantics, jnp.sqrt(1 - share) * appearance], axis=1)


def _turned(directed: Float[Array, "n r"], frame: Float[Array, "r l"]) -> Float[Array, "r l"]:
    left, right = svd(directed.T @ jnp.where(directed @ frame > 0, 1, -1).astype(frame.dtype))
    return left @ right


METHOD = Method(
    name="joint",
    paper="this project; after Palatucci et al. 2009, Hatch et al. 2006 and Gong & Lazebnik 2011",
    reads=frozenset({Reads.FEATURES, Reads.RBF, Reads.LABELS, Reads.CLASS_VECTORS}),
    fit=fit,
    feature_map=FeaturesAndRBF,
    weights=Weights,
    options=Options,
    ranges={
        "centring": number(zero=True),
        "ridge": number(zero=True),
        "shrinkage": number(zero=True),
        "turns": whole(0, 100_000),
    },
    shared=("ridge", "shrinkage"),
)
