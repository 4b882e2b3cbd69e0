"""The joint form: semantics and appearance in one space, mapped to the bits by an orthonormal frame.

In the published form a code holds only the semantics of the seen classes. For an image of an unseen class they say
little; its appearance says more, and both together say most. Here an image is described by

    z(x) = ( sqrt(w) s(x), sqrt(1 - w) a(x) ),

with s(x) its predicted semantic vector (ridge regression on the RBF features) and a(x) its appearance: the leading
principal directions of the features, whitened within the seen classes, which reduces the variation among images of one
class (Hatch, Kajarekar & Stolcke, Interspeech 2006, for voices). Both have unit length. After a part of the mean of z
is subtracted, the leading r directions V are kept, and a frame R (r x l) with orthonormal rows, or columns if l < r,
maps them to bits: b(x) = sign((z(x) - c mean) V R). The rotation that aligns semantics with the visual space is V.

Ridge, whitening, w, r and whether R is turned to face the signs are chosen from the data, see
`zsh_jax.methods.joint_settings`; `joint_fixed` takes them as they are given.

This is an extension of Yang et al. 2016, not their method.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from zsh_jax.core.feature_maps import FeaturesAndRBF
from zsh_jax.core.one_by_one import one_by_one_on_cpu
from zsh_jax.core.precision import full_precision
from zsh_jax.core.preprocessing import unit_rows
from zsh_jax.methods.joint_settings import (
    FOLDS,
    RANKS,
    RIDGES,
    SAMPLES,
    SHRINKAGES,
    Samples,
    choose_settings,
    frames_of,
    ranks_of,
)
from zsh_jax.methods.joint_space import (
    joined,
    joint_heads,
    leading_directions,
    regressions,
    turned_frame,
    whitened,
    within_classes,
)
from zsh_jax.methods.pcah import principal_directions
from zsh_jax.methods.protocol import Fitted, Method, Reads, Shapes, TrainingData
from zsh_jax.takes import number, whole


class Weights(NamedTuple):
    """Weights of the method.

    Attributes:
        centring: c, the share of the mean that is subtracted.
    """

    centring: Float[Array, "*sweep"] | float = 0.6


@dataclass(frozen=True)
class Options:
    """Options of the method.

    Attributes:
        directions: q, of appearance.
        turns: number of Procrustes updates of a frame that is turned, see `turned_frame`.
    """

    directions: int = 128
    turns: int = 20


@partial(jax.jit, static_argnames=("options", "bits"))
def fit(key: PRNGKeyArray, data: TrainingData, weights: Weights, options: Options, *, bits: int) -> Fitted:
    """Choose the settings, and fit the joint space and its frame to all samples.

    Args:
        key: of the choice and the frame.
        data: features, RBF features, labels and semantics are read.
        weights: of the method.
        options: of the method; static.
        bits: code length l; static.

    Returns:
        The head, one for class vectors, which uses the mean appearance of the training samples for every class, and
        the settings.
    """
    return one_by_one_on_cpu(partial(_fit, options=options, bits=bits))(key, data, weights)


@full_precision
def _fit(key: PRNGKeyArray, data: TrainingData, weights: Weights, *, options: Options, bits: int) -> Fitted:
    to_choose, to_frame = jax.random.split(key)
    labels = data.classes > 0 if data.labels is None else data.labels
    mean, leading = principal_directions(data.x, count=min(options.directions, data.x.shape[1]))
    projected = (data.x - mean[None]) @ leading
    samples = Samples(data.phi, projected, data.classes, data.semantics, labels)
    length = data.semantics.shape[1] + leading.shape[1]
    frames = frames_of(to_frame, length, bits, projected.dtype)
    found = choose_settings(to_choose, samples, weights.centring, frames)

    every = jnp.ones(len(projected), projected.dtype)
    semantic = regressions(data.phi, data.semantics, every, found.ridge[None])[0]
    scaled = whitened(*within_classes(projected, data.classes, every), found.shrinkage)
    appearance = unit_rows(projected @ scaled)
    z = joined(unit_rows(data.phi @ semantic), appearance, found.share)
    ranks = ranks_of(length)
    taken, directions = leading_directions(z, every, weights.centring, directions=ranks[-1])
    directions = jnp.where(jnp.arange(ranks[-1], dtype=jnp.int32)[None] < found.rank, directions, 0)
    frame = frames[jnp.argmax(jnp.array(ranks, jnp.int32) == found.rank)]
    turns = jnp.where(found.turned, options.turns, 0)
    frame = turned_frame(unit_rows((z - taken[None]) @ directions), frame, turns=turns)
    whitening = leading @ scaled
    fitted = joint_heads(
        semantic, (whitening, mean @ whitening), appearance, found.share, taken, directions @ frame
    )
    return fitted._replace(settings=found._asdict())


def floats(shapes: Shapes, options: Any) -> int:
    """Numbers held for a cell: the head alone; the fits of a batch follow each other."""
    return shapes.rbf * shapes.semantics + (shapes.features + shapes.bits) * options.directions


def floats_once(shapes: Shapes, options: Any) -> int:
    """Numbers held for the cell that is fitted: the parts of z under each ridge and shrinkage, and Gram matrices."""
    kept = min(shapes.samples, SAMPLES)
    parts = len(RIDGES) * shapes.semantics + len(SHRINKAGES) * options.directions
    rows = shapes.samples * (shapes.semantics + 3 * options.directions + shapes.rbf) + kept * shapes.rbf
    return FOLDS * kept * parts + rows + kept * RANKS[-1] + 4 * max(shapes.features, shapes.rbf) ** 2


METHOD = Method(
    name="joint",
    paper="this project; after Palatucci et al. 2009, Hatch et al. 2006 and Gong & Lazebnik 2011",
    reads=frozenset({Reads.FEATURES, Reads.RBF, Reads.LABELS, Reads.CLASS_VECTORS}),
    fit=fit,
    feature_map=FeaturesAndRBF,
    weights=Weights,
    options=Options,
    ranges={"centring": number(zero=True), "turns": whole(0, 100_000)},
    floats=floats,
    floats_once=floats_once,
)
