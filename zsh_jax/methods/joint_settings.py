"""The settings of the joint form, chosen on classes that are seen but held out.

The classes of the training samples are dealt into folds. With each fold held out in turn, the space is learned from the
other samples, and those of the fold are queries among all: what serves them best should serve unseen classes. Ridge
and shrinkage are chosen first, by the cosine of real-valued vectors; then, by the codes themselves, the share of
semantics, the number of directions, and whether to turn the frame, all three together. Each choice maximises the mean
average precision over the folds.

Samples of unseen classes are not here: a method gets none. The principal directions alone have seen held-out classes.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.typing import DTypeLike
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, Shaped

from zsh_jax.core.metrics.query_average_precision import query_average_precision
from zsh_jax.core.metrics.score_ranking import score_average_precision
from zsh_jax.core.packing import pack_codes
from zsh_jax.core.preprocessing import unit_rows
from zsh_jax.core.steps.rotation import random_rotation
from zsh_jax.methods.joint_space import (
    joined,
    leading_directions,
    regressions,
    turned_frame,
    whitened,
    within_classes,
)

RIDGES = (1e-6, 1e-5, 1e-4, 1e-3)  # for each sample
SHRINKAGES = (0.1, 1.0, 1e6)  # with the last, all directions have one scale
SHARES = (0.1, 0.25, 0.5, 0.8, 1.0)  # not 0: names of classes would have no code
RANKS = (8, 16, 32, 64, 128)
FOLDS = 3
QUERIES = 128  # of each fold
SAMPLES = 4096  # that take part
TURNS = 10  # of a frame, while settings are chosen


class Settings(NamedTuple):
    """Settings of the joint form.

    Attributes:
        ridge: of the regression to the semantics, for each sample.
        shrinkage: added to the variances within classes, in units of their mean.
        share: w, of semantics.
        rank: r, directions that are kept.
        turned: whether the frame is turned to face the signs.
        validated: mean average precision of the choice on the classes held out; NaN if there was nothing to choose by.
    """

    ridge: Float[Array, ""]
    shrinkage: Float[Array, ""]
    share: Float[Array, ""]
    rank: Int[Array, ""]
    turned: Bool[Array, ""]
    validated: Float[Array, ""]


class Samples(NamedTuple):
    """Training samples, or a part of them.

    Attributes:
        phi: RBF features.
        projected: centred features on the principal directions.
        classes: multi-hot labels.
        semantics: targets of the regression.
        labels: class indices, or multi-hot labels.
    """

    phi: Float[Array, "n m"]
    projected: Float[Array, "n q"]
    classes: Float[Array, "n c"]
    semantics: Float[Array, "n e"]
    labels: Shaped[Array, "n *c"]


class _Fold(NamedTuple):
    """A fold: weights of the rows that are learned from, the queries, and which of them count."""

    rows: Float[Array, "*k n"]
    queries: Int[Array, "*k q"]
    counted: Bool[Array, "*k q"]


class _Fits(NamedTuple):
    """What a fold learned, under each ridge and shrinkage, or under those that were chosen."""

    regression: Float[Array, "*k m e"]
    whitening: Float[Array, "*k q q"]
    mean: Float[Array, "*k q"]  # of the projected samples


def ranks_of(length: int) -> tuple[int, ...]:
    """The numbers of directions to choose from, for z of a length."""
    return tuple(rank for rank in RANKS if rank <= length) or (length,)


def frames_of(key: PRNGKeyArray, length: int, bits: int, dtype: DTypeLike) -> Float[Array, "k r l"]:
    """A random frame for each number of directions, with rows of zeros up to the largest."""
    ranks = ranks_of(length)
    sizes = sorted({max(rank, bits) for rank in ranks})
    turns = {
        size: random_rotation(one, size=size, dtype=dtype)
        for one, size in zip(jax.random.split(key, len(sizes)), sizes, strict=True)
    }
    frames = [turns[max(rank, bits)][:rank, :bits] for rank in ranks]
    return jnp.stack([jnp.pad(frame, ((0, ranks[-1] - len(frame)), (0, 0))) for frame in frames])


def choose_settings(
    key: PRNGKeyArray,
    samples: Samples,
    centring: Float[Array, ""] | float,
    frames: Float[Array, "k r l"],
) -> Settings:
    """Choose the settings.

    Args:
        key: of the folds and the queries.
        samples: of the training data.
        centring: c, the share of the mean that is subtracted.
        frames: of `frames_of`.

    Returns:
        The settings. With fewer than two classes, or if no query has a relevant sample, the middle of each range.
    """
    to_draw, to_fold = jax.random.split(key)
    n = len(samples.phi)
    if n > SAMPLES:
        kept = jax.random.permutation(to_draw, n)[:SAMPLES]
        samples = jax.tree.map(lambda leaf: leaf[kept], samples)
    folds = _folds(to_fold, samples.classes)
    ridges, shrinkages = (jnp.array(values, samples.phi.dtype) for values in (RIDGES, SHRINKAGES))

    def learned(fold: _Fold) -> tuple[_Fits, Float[Array, " scores"]]:
        """What a fold learns under every ridge and every shrinkage, and the scores."""
        regression = regressions(samples.phi, samples.semantics, fold.rows, ridges)
        variances, turn = within_classes(samples.projected, samples.classes, fold.rows)
        whitening = lax.map(lambda shrinkage: whitened(variances, turn, shrinkage), shrinkages)
        mean = fold.rows @ samples.projected / fold.rows.sum()
        semantics = lax.map(lambda one: _semantics(samples, one), regression)
        appearance = lax.map(lambda one: _appearance(samples, one, mean), whitening)
        return _Fits(regression, whitening, mean), _of_vectors(semantics, appearance, samples.labels, fold)

    fits, scores = lax.map(learned, folds)
    ridge, _ = _best(scores[:, : len(ridges)])
    shrinkage, _ = _best(scores[:, len(ridges) :])
    chosen = _Fits(fits.regression[:, ridge], fits.whitening[:, shrinkage], fits.mean)
    return Settings(
        ridges[ridge], shrinkages[shrinkage], *_by_codes(chosen, samples, folds, centring, frames)
    )


def _semantics(samples: Samples, regression: Float[Array, "m e"]) -> Float[Array, "n e"]:
    return unit_rows(samples.phi @ regression)


def _appearance(
    samples: Samples, whitening: Float[Array, "q q"], mean: Float[Array, " q"]
) -> Float[Array, "n q"]:
    return unit_rows((samples.projected - mean[None]) @ whitening)


def _by_codes(
    fits: _Fits,
    samples: Samples,
    folds: _Fold,
    centring: Float[Array, ""] | float,
    frames: Float[Array, "k r l"],
) -> tuple[Float[Array, ""], Int[Array, ""], Bool[Array, ""], Float[Array, ""]]:
    """The share of semantics, the number of directions, whether the frame is turned, and the score of the choice."""
    labels = samples.labels
    ranks, bits = ranks_of(samples.semantics.shape[1] + samples.projected.shape[1]), frames.shape[-1]
    shares, sizes = jnp.array(SHARES, frames.dtype), jnp.array(ranks, jnp.int32)
    narrow = [place for place, size in enumerate(ranks) if size >= bits]  # whose frames can be turned
    choices = jnp.array([*range(len(ranks)), *narrow], jnp.int32)
    turns = jnp.where(jnp.arange(len(choices), dtype=jnp.int32) < len(ranks), 0, TURNS)

    def of_fold(args: tuple[_Fits, _Fold]) -> Float[Array, "s choices"]:
        fit, fold = args
        parts = _semantics(samples, fit.regression), _appearance(samples, fit.whitening, fit.mean)

        def of_share(share: Float[Array, ""]) -> Float[Array, " choices"]:
            z = joined(*parts, share)
            taken, leading = leading_directions(z, fold.rows, centring, directions=ranks[-1])
            directed = (z - taken[None]) @ leading

            def of_choice(args: tuple[Int[Array, ""], Int[Array, ""]]) -> Float[Array, ""]:
                place, turns = args
                kept = jnp.where(jnp.arange(ranks[-1], dtype=jnp.int32)[None] < sizes[place], directed, 0)
                learned = unit_rows(kept) * fold.rows[:, None]
                return _of_codes(kept @ turned_frame(learned, frames[place], turns=turns), labels, fold)

            return lax.map(of_choice, (choices, turns))

        return lax.map(of_share, shares)

    scores = lax.map(of_fold, (fits, folds))
    place, score = _best(scores.reshape(len(scores), -1))
    asked, choice = place // len(choices), place % len(choices)
    return shares[asked], sizes[choices[choice]], choice >= len(ranks), score


def _folds(key: PRNGKeyArray, classes: Float[Array, "n c"]) -> _Fold:
    """Deal the classes into folds; a sample is held out with any of its classes."""
    to_deal, to_ask = jax.random.split(key)
    used = classes.any(0)
    order = jnp.argsort(jnp.argsort(jnp.where(used, jax.random.uniform(to_deal, used.shape), 2)))
    queries = min(QUERIES, len(classes))

    def of(place: Int[Array, ""]) -> _Fold:
        held = (classes @ ((order % FOLDS == place) & used).astype(classes.dtype)) > 0
        drawn = jax.random.uniform(jax.random.fold_in(to_ask, place), held.shape)
        _, asked = lax.top_k(jnp.where(held, drawn, -1), queries)
        learned = ~held & classes.any(1)
        # Without anything to learn from, or to ask, a fold says nothing.
        return _Fold(
            jnp.where(learned.any(), learned, True).astype(classes.dtype), asked, held[asked] & learned.any()
        )

    return jax.vmap(of)(jnp.arange(FOLDS))


def _of_vectors(
    semantics: Float[Array, "a n e"],
    appearance: Float[Array, "b n q"],
    labels: Shaped[Array, "n *c"],
    fold: _Fold,
) -> Float[Array, " scores"]:
    """Mean average precision of several kinds of unit vectors; each query is left out of its own ranking."""

    def of(query: Int[Array, ""]) -> Float[Array, " scores"]:
        cosines = [jnp.einsum("kf,knf->kn", kind[:, query], kind) for kind in (semantics, appearance)]
        scores = jnp.concatenate(cosines).at[:, query].set(-jnp.inf)
        relevant = labels == labels[query] if labels.ndim == 1 else (labels & labels[query][None]).any(1)
        return jax.vmap(score_average_precision, (0, None))(scores, relevant.at[query].set(False))

    each = lax.map(of, fold.queries)
    return jax.vmap(lambda one: _mean(one, fold), 1)(each)


def _of_codes(
    projections: Float[Array, "n l"], labels: Shaped[Array, "n *c"], fold: _Fold
) -> Float[Array, ""]:
    """Mean average precision of codes; each query is left out of its own ranking."""
    codes, asked = pack_codes(projections), fold.queries
    each = query_average_precision(
        codes[asked], labels[asked], codes, labels, bits=projections.shape[1], leave_one_out=True
    )
    return _mean(each, fold)


def _mean(each: Float[Array, " q"], fold: _Fold) -> Float[Array, ""]:
    """Mean over the queries that count and have a relevant sample; NaN for none."""
    counted = fold.counted & ~jnp.isnan(each)
    return jnp.where(counted, each, 0).sum() / counted.sum().astype(each.dtype)


def _best(scores: Float[Array, "folds k"]) -> tuple[Int[Array, ""], Float[Array, ""]]:
    """The candidate with the best mean over the folds that have one, and that mean; the middle one if none has.

    Of candidates that are equal to four digits, the first is taken: rounding must not choose.
    """
    mean = jnp.nanmean(scores, axis=0)
    known = ~jnp.isnan(mean)
    best = jnp.argmax(jnp.round(jnp.where(known, mean, -1), 4)).astype(jnp.int32)
    return jnp.where(known.any(), best, mean.shape[0] // 2), jnp.where(known.any(), mean[best], jnp.nan)
