"""The joint form with given settings: semantics and appearance in one space, mapped to the bits by a frame.

`zsh_jax.methods.joint` describes the form, and chooses its settings from the data. Here they are constants, chosen on
CIFAR-10 with version 0.2, and every one is an axis: for ablations, and for those who know their data.

This is an extension of Yang et al. 2016, not their method.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from zsh_jax.core.factorisation import cho_solve, cholesky
from zsh_jax.core.feature_maps import FeaturesAndRBF
from zsh_jax.core.precision import full_precision
from zsh_jax.core.preprocessing import unit_rows
from zsh_jax.methods.joint_space import (
    joined,
    joint_heads,
    leading_directions,
    random_frame,
    turned_frame,
    whitened,
    within_classes,
)
from zsh_jax.methods.pcah import principal_directions
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
    mean, leading = principal_directions(x, count=min(directions, x.shape[1]))
    every = jnp.ones(len(x), x.dtype)
    whitening = leading @ whitened(*within_classes((x - mean[None]) @ leading, classes, every), shrinkage)
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
    z = joined(unit_rows(phi @ semantic), appearance, share)
    every = jnp.ones(len(z), z.dtype)
    taken, leading = leading_directions(z, every, weights.centring, directions=options.rank)
    frame = random_frame(key, leading.shape[1], bits, x.dtype)
    turns = options.turns if options.turned == "all" or bits <= options.rank else 0
    frame = turned_frame(unit_rows((z - taken[None]) @ leading), frame, turns=turns)

    return joint_heads(semantic, (whitening, centre), appearance, share, taken, leading @ frame)


METHOD = Method(
    name="joint_fixed",
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
