"""The joint form: semantics and appearance in one space, which an orthonormal frame turns onto the bits.

In the published form the semantics of the seen classes are all that a code may say. Of an image of an unseen class they
say little; what it looks like says more, and the two together most. Here an image is described by

    z(x) = ( sqrt(w) s(x), sqrt(1 - w) a(x) ),

s(x) its predicted semantic vector (ridge regression on the RBF features) and a(x) its appearance: the leading
principal directions of the features, whitened within the seen classes, so that how images of one class differ among
themselves counts for little (Hatch, Kajarekar & Stolcke, Interspeech 2006, for voices). Both have unit length. Of
z less a part of its mean, the leading r directions are kept, and a frame R (r x l) of orthonormal rows, or columns if
l < r, makes them bits: b(x) = sign((z(x) - c mean) V R). The rotation that aligns semantics with the visual space is V.
It is an extension of Yang et al. 2016, not theirs.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, PRNGKeyArray, UInt8

from zsh_jax.core.factorisation import cho_solve, cholesky, eigh, svd
from zsh_jax.core.kernel import rbf_features
from zsh_jax.core.packing import pack_codes
from zsh_jax.core.precision import full_precision
from zsh_jax.core.preprocessing import Preprocessing, apply_preprocessing, unit_rows
from zsh_jax.core.steps.rotation import random_rotation


class JointOptions(NamedTuple):
    """What may be tuned.

    Attributes:
        odds: w / (1 - w), the weight of semantics over that of appearance.
        centring: c, the part of the mean that is taken away.
        ridge: of the regression to the semantics.
        shrinkage: added to the variances within classes, in units of their mean.
    """

    odds: Float[Array, "*sweep"] | float = 1.5
    centring: Float[Array, "*sweep"] | float = 0.6
    ridge: Float[Array, "*sweep"] | float = 1.0
    shrinkage: Float[Array, "*sweep"] | float = 0.3


class Joint(NamedTuple):
    """From preprocessed and RBF features to projections, whose signs are the code.

    Attributes:
        semantic: regression to the semantics.
        whitening: from preprocessed features to appearance.
        centre: mean of the training samples' appearance before whitening, whitened.
        typical: mean appearance of the training samples: that of a class of which the name alone is known.
        frame: V R, its rows weighted.
        offset: c mean V R.
    """

    semantic: Float[Array, "m e"]
    whitening: Float[Array, "p q"]
    centre: Float[Array, " q"]
    typical: Float[Array, " q"]
    frame: Float[Array, "f l"]
    offset: Float[Array, " l"]


class JointHashFunction(NamedTuple):
    """All that is needed to encode images never seen: a `Joint`, and what comes before it.

    Attributes:
        mean: see `Preprocessing`.
        scale: see `Preprocessing`.
        anchors: preprocessed features of the anchors.
        bandwidth: sigma^2 of the RBF kernel.
        semantic: see `Joint` for this and the next five.
        whitening: from preprocessed features to appearance.
        centre: subtracted from it.
        typical: mean appearance.
        frame: from semantics and appearance to projections.
        offset: subtracted from them.
        basis: of the preprocessing, where it has one.
        unit: whether preprocessed rows are brought to unit length; None for no.
    """

    mean: Float[Array, " d"]
    scale: Float[Array, " d"]
    anchors: Float[Array, "k p"]
    bandwidth: Float[Array, ""]
    semantic: Float[Array, "m e"]
    whitening: Float[Array, "p q"]
    centre: Float[Array, " q"]
    typical: Float[Array, " q"]
    frame: Float[Array, "f l"]
    offset: Float[Array, " l"]
    basis: Float[Array, "d p"] | None = None
    unit: Bool[Array, ""] | None = None


@full_precision
def within_class_whitening(
    x: Float[Array, "n p"],
    classes: Float[Array, "n c"],
    shrinkage: Float[Array, ""] | float,
    *,
    directions: int,
) -> tuple[Float[Array, "p q"], Float[Array, " q"]]:
    """The leading principal directions, in which samples of one class then vary alike.

    Args:
        x: preprocessed training features, (n, p).
        classes: multi-hot labels, (n, c); columns of zeros are of no account.
        shrinkage: see `JointOptions`.
        directions: q, or p if that is less; static.

    Returns:
        A (p, q) and the whitened mean (q,): the appearance is x A less that.
    """
    mean = x.mean(0)
    centred = x - mean[None]
    _, vectors = eigh(centred.T @ centred / len(x))
    leading = vectors[:, ::-1][:, :directions]
    projected = centred @ leading
    # What the labels do not say of it; a column of zeros would leave no factor.
    counts = classes.T @ classes + 1e-3 * jnp.eye(classes.shape[1], dtype=x.dtype)
    means = cho_solve(cholesky(counts), classes.T @ projected)
    within = projected - classes @ means
    variances, turn = eigh(within.T @ within / len(x))
    floor = shrinkage * variances.mean() + jnp.finfo(x.dtype).tiny
    whitening = leading @ (turn / jnp.sqrt(jnp.maximum(variances, 0) + floor)[None])
    return whitening, mean @ whitening


@partial(jax.jit, static_argnames=("bits", "directions", "rank", "turns"))
@full_precision
def fit_joint(  # noqa: PLR0917  the arrays of a problem
    key: PRNGKeyArray,
    x: Float[Array, "n p"],
    phi: Float[Array, "n m"],
    classes: Float[Array, "n c"],
    semantics: Float[Array, "n e"],
    options: JointOptions,
    *,
    bits: int,
    directions: int = 128,
    rank: int = 16,
    turns: int = 0,
) -> Joint:
    """Fit the joint space, and draw its frame.

    Args:
        key: of the frame.
        x: preprocessed training features, (n, p).
        phi: their RBF features, (n, m).
        classes: multi-hot labels, (n, c).
        semantics: semantic targets, rows of unit length, (n, e).
        options: what may be tuned.
        bits: code length l; static.
        directions: q, of appearance; static.
        rank: r, directions of the joint space that reach the bits; static.
        turns: how often the frame is turned to face the signs: R = U V' of the singular value decomposition of T'B for
            B = sign(T R), T the training samples' r directions at unit length; |B - s T R| then never rises (Gong
            & Lazebnik 2011). 0 leaves it random; static.

    Returns:
        The map.
    """
    gram = phi.T @ phi
    # As in the P-step: a ridge below the rounding of the Gram matrix is none.
    ridge = jnp.maximum(options.ridge, 2 * jnp.finfo(phi.dtype).eps * jnp.trace(gram))
    factor = cholesky(gram + ridge * jnp.eye(len(gram), dtype=phi.dtype))
    semantic = cho_solve(factor, phi.T @ semantics)
    whitening, centre = within_class_whitening(x, classes, options.shrinkage, directions=directions)

    share = options.odds / (1 + options.odds)
    appearance = unit_rows(x @ whitening - centre[None])
    z = _joined(unit_rows(phi @ semantic), appearance, share)
    mean = z.mean(0)
    uncentred = z - options.centring * mean[None]
    values, vectors = eigh(uncentred.T @ uncentred)
    # Nothing is known of directions without variance: a class's code must not be told by their rounding.
    rounding = jnp.finfo(values.dtype).eps * len(z) * values[-1]
    leading = jnp.where(values[None] > rounding, vectors, 0)[:, ::-1][:, :rank]
    leading = leading * jnp.where(mean[None] @ leading < 0, -1, 1)  # the sign is a library's choice
    r = leading.shape[1]
    frame = random_rotation(key, size=max(r, bits), dtype=x.dtype)[:r, :bits]
    directed = unit_rows(uncentred @ leading)
    frame = lax.fori_loop(0, turns, lambda _, frame: _turned(directed, frame), frame)

    weights = _joined(jnp.ones_like(semantic[:1]), jnp.ones_like(centre[None]), share)[0]
    whole = leading @ frame
    return Joint(
        semantic=semantic,
        whitening=whitening,
        centre=centre,
        typical=appearance.mean(0),
        frame=weights[:, None] * whole,
        offset=(options.centring * mean[None] @ whole)[0],
    )


@partial(jax.jit, static_argnames="block")
@full_precision
def encode_joint(
    function: JointHashFunction, x: Float[Array, "n d"], *, block: int = 1024
) -> UInt8[Array, "n bytes"]:
    """Codes of images, packed as `encode` packs them. Exactly zero is bit 0.

    Args:
        function: a trained hash function; vmap over what is of its `Joint` alone to share phi(x).
        x: raw features, (n, d), as they were before preprocessing.
        block: samples at a time; static.

    Returns:
        (n, ceil(l / 8)) bytes.
    """
    preprocessing = Preprocessing(function.mean, function.scale, function.basis, function.unit)

    def encode_one(row: Float[Array, " d"]) -> UInt8[Array, " bytes"]:
        features = apply_preprocessing(preprocessing, row[None])
        phi = rbf_features(features, function.anchors, function.bandwidth)
        appearance = unit_rows(features @ function.whitening - function.centre[None])
        z = jnp.concatenate([unit_rows(phi @ function.semantic), appearance], axis=1)
        return pack_codes(z @ function.frame - function.offset[None])[0]

    return lax.map(encode_one, x, batch_size=min(block, x.shape[0]))


@full_precision
def encode_class_joint(function: Joint, vectors: Float[Array, "c e"]) -> Float[Array, "c l"]:
    """Codes of classes by their semantic vectors, their appearance taken to be the typical one.

    Args:
        function: fitted.
        vectors: rows of unit length, (c, e).

    Returns:
        Codes in {-1, +1}, (c, l).
    """
    typical = jnp.broadcast_to(function.typical[None], (len(vectors), len(function.typical)))
    projected = jnp.concatenate([vectors, typical], axis=1) @ function.frame - function.offset[None]
    return jnp.where(projected > 0, 1, -1).astype(vectors.dtype)


def _joined(
    semantics: Float[Array, "n e"], appearance: Float[Array, "n q"], share: Float[Array, ""] | float
) -> Float[Array, "n f"]:
    return jnp.concatenate([jnp.sqrt(share) * semantics, jnp.sqrt(1 - share) * appearance], axis=1)


def _turned(directed: Float[Array, "n r"], frame: Float[Array, "r l"]) -> Float[Array, "r l"]:
    left, right = svd(directed.T @ jnp.where(directed @ frame > 0, 1, -1).astype(frame.dtype))
    return left @ right
