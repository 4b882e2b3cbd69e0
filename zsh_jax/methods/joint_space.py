"""The space of the joint form: predicted semantics beside appearance, its leading directions, and frames on them.

Every function takes a weight of each row, 1 or 0: rows of weight 0 take no part in what is learned, and are described
all the same. So one compiled program fits any part of the training samples.
"""

import jax.numpy as jnp
from jax import lax
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Int, PRNGKeyArray

from zsh_jax.core.factorisation import cho_solve, cholesky, eigh, svd
from zsh_jax.core.heads import Joint, Linear
from zsh_jax.core.steps.rotation import random_rotation
from zsh_jax.methods.protocol import Fitted


def within_classes(
    projected: Float[Array, "n q"], classes: Float[Array, "n c"], rows: Float[Array, " n"]
) -> tuple[Float[Array, " q"], Float[Array, "q q"]]:
    """Variances among samples of one class, and their directions.

    Args:
        projected: centred features, (n, q).
        classes: multi-hot labels, (n, c); columns of zeros are ignored.
        rows: weight of each row.

    Returns:
        Variances (q,), ascending, and orthonormal directions (q, q) as columns.
    """
    counted = classes * rows[:, None]
    # The residual of a regression on the labels; the small ridge handles columns of zeros.
    counts = counted.T @ classes + 1e-3 * jnp.eye(classes.shape[1], dtype=projected.dtype)
    means = cho_solve(cholesky(counts), counted.T @ projected)
    within = (projected - classes @ means) * rows[:, None]
    variances, turn = eigh(within.T @ within / rows.sum())
    return jnp.maximum(variances, 0), turn


def whitened(
    variances: Float[Array, " q"], turn: Float[Array, "q q"], shrinkage: Float[Array, ""] | float
) -> Float[Array, "q q"]:
    """Directions scaled so that samples of one class vary equally in all of them.

    Args:
        variances: from `within_classes`.
        turn: from `within_classes`.
        shrinkage: added to the variances, in units of their mean. With a large one all scales are equal.

    Returns:
        The whitening, (q, q).
    """
    floor = shrinkage * variances.mean() + jnp.finfo(variances.dtype).tiny
    return turn / jnp.sqrt(variances + floor)[None]


def regressions(
    phi: Float[Array, "n m"],
    semantics: Float[Array, "n e"],
    rows: Float[Array, " n"],
    ridges: Float[Array, " k"],
) -> Float[Array, "k m e"]:
    """Ridge regressions to the semantics, with an intercept that is not penalised.

    Centring takes most of the trace of the Gram matrix away, so that ridges a hundredth as large are above its
    rounding.

    Args:
        phi: RBF features, (n, m), with a constant last column.
        semantics: targets, (n, e).
        rows: weight of each row.
        ridges: for each sample of weight 1.

    Returns:
        A regression for each ridge, (k, m, e); the last row is the intercept.
    """
    count = rows.sum()
    features = phi[:, :-1]
    mean, target = rows @ features / count, rows @ semantics / count
    centred = (features - mean[None]) * rows[:, None]
    gram = centred.T @ centred
    cross = centred.T @ (semantics - target[None])
    rounding = 2 * jnp.finfo(phi.dtype).eps * jnp.trace(gram)

    def of(ridge: Float[Array, ""]) -> Float[Array, "m e"]:
        weight = jnp.maximum(ridge * count, rounding)
        solved = cho_solve(cholesky(gram + weight * jnp.eye(len(gram), dtype=gram.dtype)), cross)
        return jnp.concatenate([solved, target[None] - mean[None] @ solved])

    return lax.map(of, ridges)


def joined(
    semantics: Float[Array, "n e"], appearance: Float[Array, "n q"], share: Float[Array, ""] | float
) -> Float[Array, "n f"]:
    """( sqrt(w) s, sqrt(1 - w) a ), with w the share of semantics."""
    return jnp.concatenate([jnp.sqrt(share) * semantics, jnp.sqrt(1 - share) * appearance], axis=1)


def leading_directions(
    z: Float[Array, "n f"],
    rows: Float[Array, " n"],
    centring: Float[Array, ""] | float,
    *,
    directions: int,
) -> tuple[Float[Array, " f"], Float[Array, "f r"]]:
    """The leading directions of z after a part of its mean is subtracted.

    Args:
        z: of `joined`, (n, f).
        rows: weight of each row.
        centring: c, the share of the mean that is subtracted.
        directions: r, or f if that is less.

    Returns:
        What is subtracted, (f,), and directions (f, r) as columns. Those without variance are zero: a class code must
        not depend on their rounding.
    """
    mean = rows @ z / rows.sum()
    taken = centring * mean
    uncentred = (z - taken[None]) * rows[:, None]
    values, vectors = eigh(uncentred.T @ uncentred)
    rounding = jnp.finfo(values.dtype).eps * len(z) * values[-1]
    leading = jnp.where(values[None] > rounding, vectors, 0)[:, ::-1][:, :directions]
    return taken, leading * jnp.where(mean[None] @ leading < 0, -1, 1)  # the sign depends on the library


def random_frame(key: PRNGKeyArray, rank: int, bits: int, dtype: DTypeLike) -> Float[Array, "r l"]:
    """A random frame (r, l) with orthonormal rows, or columns if l < r."""
    return random_rotation(key, size=max(rank, bits), dtype=dtype)[:rank, :bits]


def turned_frame(
    directed: Float[Array, "n r"], frame: Float[Array, "r l"], *, turns: Int[Array, ""] | int
) -> Float[Array, "r l"]:
    """Turn a frame to face the signs: R = U V' of the singular value decomposition of T'B for B = sign(T R).

    |B - s T R| never rises (Gong & Lazebnik 2011).

    Args:
        directed: T, rows of unit length.
        frame: R, (r, l).
        turns: number of updates.

    Returns:
        The frame, (r, l).
    """

    def turn(_: Int[Array, ""], frame: Float[Array, "r l"]) -> Float[Array, "r l"]:
        left, right = svd(directed.T @ jnp.where(directed @ frame > 0, 1, -1).astype(frame.dtype))
        return left @ right

    return lax.fori_loop(0, turns, turn, frame)


def joint_heads(  # noqa: PLR0917  the parts of one form
    semantic: Float[Array, "m e"],
    whitening: tuple[Float[Array, "p q"], Float[Array, " q"]],
    appearance: Float[Array, "n q"],
    share: Float[Array, ""] | float,
    taken: Float[Array, " f"],
    frame: Float[Array, "f l"],
) -> Fitted:
    """The head b(x) = sign((z(x) - c mean) F), and one for class vectors.

    Args:
        semantic: regression to the semantics.
        whitening: A (p, q) and the whitened mean (q,).
        appearance: of the training samples; their mean stands for the appearance of every class.
        share: w.
        taken: what is subtracted from z.
        frame: F, from z to the bits.

    Returns:
        Both heads.
    """
    e = semantic.shape[1]
    scales = joined(jnp.ones_like(semantic[:1]), jnp.ones_like(appearance[:1]), share)[0]
    weighted, offset = scales[:, None] * frame, (taken[None] @ frame)[0]
    by_name = Linear(weighted[:e], (appearance.mean(0)[None] @ weighted[e:])[0] - offset)
    return Fitted(Joint(semantic, *whitening, weighted, offset), by_name)
