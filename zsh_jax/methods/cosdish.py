"""COSDISH: codes learned from sampled columns of the similarity matrix, without relaxing their signs.

Kang, Li & Zhou, "Column sampling based discrete supervised hashing", AAAI 2016. In each round q columns O are drawn,
with S = 1 if samples share a label and -r elsewhere, r the ratio of the two counts, and

    |l S - B B_O'|^2    s.t. B in {-1, 1}

is reduced in turn: in the sampled rows B_O greedily, each bit a binary quadratic problem on the residual of the bits
before it; in the other rows by B = sign(S B_O) (an L1 loss). The hash functions are then fitted, linear as in the
paper: (X'X + g I)^-1 X'B.

The paper solves the binary problem by a 2-approximation based on clustering. Here coordinate descent runs from several
starts, the current bits among them, and the lowest result is kept: no single flip improves it, and it is never worse
than the current bits.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from zsh_jax.core.gram import gram_basis, ridge_regression
from zsh_jax.core.heads import centred
from zsh_jax.core.packing import signs
from zsh_jax.core.precision import full_precision
from zsh_jax.methods.protocol import Fitted, Method, Reads, TrainingData
from zsh_jax.takes import whole

_SWEEPS = 50


class Weights(NamedTuple):
    """Weights of the method.

    Attributes:
        ridge: g, of the regression from features to codes.
    """

    ridge: Float[Array, "*sweep"] | float = 1.0


@dataclass(frozen=True)
class Options:
    """Options of the method.

    Attributes:
        draws: number of column draws; the paper's value is 10.
        alternations: of the two steps for each draw; the paper's value is 3.
        starts: of each binary quadratic problem, at least 2.
    """

    draws: int = 10
    alternations: int = 3
    starts: int = 4


class Columns(NamedTuple):
    """The sampled columns.

    Attributes:
        chosen: O, their indices.
        similarity: w S, with S = 1 or -r: whole numbers, so that equal sums are equal in any order of adding up.
        scale: w, the number of dissimilar pairs.
    """

    chosen: Int[Array, " q"]
    similarity: Float[Array, "n q"]
    scale: Float[Array, ""]


def sampled_columns(classes: Float[Array, "n c"], chosen: Int[Array, " q"]) -> Columns:
    """Columns of the similarity matrix; similar and dissimilar pairs have equal total weight.

    Args:
        classes: multi-hot, (n, c).
        chosen: indices of the columns.

    Returns:
        The columns. Memory: n x q.
    """
    similar = classes @ classes[chosen].T > 0
    ones = jnp.sum(similar, dtype=classes.dtype)
    others = jnp.maximum(similar.size - ones, 1)
    return Columns(chosen, jnp.where(similar, others, -ones), others)


@full_precision
def binary_quadratic(
    quadratic: Float[Array, "q q"], linear: Float[Array, " q"], starts: Float[Array, "s q"]
) -> Float[Array, " q"]:
    """Minimise b'Qb + b'p over signs: coordinate descent from each start; the best result is kept.

    Args:
        quadratic: Q, symmetric; its diagonal only adds a constant and is not read.
        linear: p.
        starts: signs, one start a row.

    Returns:
        Signs that no single flip improves.
    """
    coupling = quadratic - jnp.diag(jnp.diag(quadratic))

    def update(i: Int[Array, ""], b: Float[Array, "s q"]) -> Float[Array, "s q"]:
        field = 2 * (b @ coupling[i]) + linear[i]
        return b.at[:, i].set(jnp.where(field == 0, b[:, i], -jnp.sign(field)))

    def goes_on(carry: tuple[Float[Array, "s q"], Bool[Array, ""], Int[Array, ""]]) -> Bool[Array, ""]:
        _, flipped, sweeps = carry
        return flipped & (sweeps < _SWEEPS)

    def sweep(
        carry: tuple[Float[Array, "s q"], Bool[Array, ""], Int[Array, ""]],
    ) -> tuple[Float[Array, "s q"], Bool[Array, ""], Int[Array, ""]]:
        b, _, sweeps = carry
        swept = lax.fori_loop(0, b.shape[1], update, b)
        return swept, jnp.any(swept != b), sweeps + 1

    ends, _, _ = lax.while_loop(goes_on, sweep, (starts, jnp.array(True), jnp.array(0, jnp.int32)))
    values = jnp.sum((ends @ coupling) * ends, axis=1) + ends @ linear
    return ends[jnp.argmin(values)]


@partial(jax.jit, static_argnames="starts")
@full_precision
def sampled_step(
    key: PRNGKeyArray, columns: Columns, codes: Float[Array, "n l"], *, starts: int = 4
) -> Float[Array, "n l"]:
    """Update B_O bit by bit, with the other rows fixed.

    With R = l S - sum_{m<k} b_m b_Om', bit k minimises |R - b_k b_Ok'|^2 over b_Ok: the quadratic problem with Q = -2
    R_O and p = -2 R_rest' b_rest. All are computed times w, see `Columns`: ties are then decided by no rounding.

    Args:
        key: of the random starts.
        columns: the sampled columns.
        codes: B.
        starts: of the coordinate descent: the current bits, the signs of the linear term, and random ones; at least 2;
            static.

    Returns:
        B with the sampled rows replaced.
    """
    chosen, similarity, scale = columns
    bits = codes.shape[1]
    keys = jax.random.split(key, bits)
    # The other rows are fixed, so b_rest'R_rest needs no array of n x q: bit m < k subtracts (b_rest'b_m) b_Om.
    rest = codes.at[chosen].set(0)
    agreement, overlap = bits * (rest.T @ similarity), scale * (rest.T @ rest)

    def update(
        k: Int[Array, ""], carry: tuple[Float[Array, "q l"], Float[Array, "q q"]]
    ) -> tuple[Float[Array, "q l"], Float[Array, "q q"]]:
        rows, residual = carry
        linear = -2 * (agreement[k] - rows @ jnp.where(jnp.arange(bits) < k, overlap[k], 0))
        others = jax.random.rademacher(keys[k], (starts - 2, chosen.shape[0]), dtype=codes.dtype)
        first = jnp.concatenate([rows[:, k][None], signs(-linear)[None], others])
        best = binary_quadratic(-2 * residual, linear, first)
        return rows.at[:, k].set(best), residual - scale * best[:, None] * best[None]

    rows, _ = lax.fori_loop(0, bits, update, (codes[chosen], bits * similarity[chosen]))
    return codes.at[chosen].set(rows)


@full_precision
def rest_step(columns: Columns, codes: Float[Array, "n l"]) -> Float[Array, "n l"]:
    """Update B outside the sample: sign(S B_O). A zero keeps the old bit.

    Args:
        columns: the sampled columns.
        codes: B.

    Returns:
        B with all but the sampled rows replaced.
    """
    chosen, similarity, _ = columns
    field = similarity @ codes[chosen]
    return jnp.where(field == 0, codes, jnp.sign(field)).at[chosen].set(codes[chosen])


@partial(jax.jit, static_argnames=("options", "bits"))
@full_precision
def fit(key: PRNGKeyArray, data: TrainingData, weights: Weights, options: Options, *, bits: int) -> Fitted:
    """Learn codes from sampled columns, as many as bits or samples, then fit hash functions to them (algorithm 1).

    Args:
        key: of the random codes, the columns and the starts.
        data: `x` and `classes` are read. Samples with a common label are similar.
        weights: the ridge.
        options: of the method; static.
        bits: code length l; static.

    Returns:
        Projection (d, l) of centred features.
    """
    x, classes = data.x, data.classes
    n = x.shape[0]
    start_key, key = jax.random.split(key)

    def draw(codes: Float[Array, "n l"], key: PRNGKeyArray) -> tuple[Float[Array, "n l"], None]:
        column_key, key = jax.random.split(key)
        chosen = jax.random.choice(column_key, n, (min(bits, n),), replace=False)
        columns = sampled_columns(classes, chosen)
        keys = jax.random.split(key, options.alternations)

        def alternate(i: Int[Array, ""], codes: Float[Array, "n l"]) -> Float[Array, "n l"]:
            return rest_step(columns, sampled_step(keys[i], columns, codes, starts=options.starts))

        return lax.fori_loop(0, options.alternations, alternate, codes), None

    start = jax.random.rademacher(start_key, (n, bits), dtype=x.dtype)
    codes, _ = lax.scan(draw, start, jax.random.split(key, options.draws))
    mean = x.mean(0)
    x = x - mean[None]
    return Fitted(centred(mean, ridge_regression(gram_basis(x.T @ x), x.T @ codes, weights.ridge)))


METHOD = Method(
    name="cosdish",
    paper="Kang, Li & Zhou, Column sampling based discrete supervised hashing, AAAI 2016",
    reads=frozenset({Reads.FEATURES, Reads.LABELS}),
    fit=fit,
    weights=Weights,
    options=Options,
    ranges={"starts": whole(2, 1000)},
)
