"""KSH: inner products of codes that match the labels of a sampled set of pairs.

Liu, Wang, Ji, Jiang & Chang, "Supervised hashing with kernels", CVPR 2012. With K the centred RBF features of q
labelled samples, and S = 1 for pairs with a common label, -1 for the others, it minimises |l S - sum_k b_k b_k'|^2 over
b_k = sign(K a_k), greedily: with R the residual of the bits before, b_k maximises b'Rb. It starts from the spectral
relaxation K'RK a = s K'K a, |K a|^2 = q. The result is the better of this start and of Nesterov's gradient method on
the smooth surrogate -f'Rf, f = 2 / (1 + exp(-K a)) - 1, with the gradient -K'((R f) o (1 - f o f)).
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int, PRNGKeyArray

from zsh_jax.core.factorisation import eigh
from zsh_jax.core.feature_maps import RBF
from zsh_jax.core.gram import gram_basis, inverse_root, oriented
from zsh_jax.core.heads import centred_rbf
from zsh_jax.core.leading_eigenvector import leading_eigenvector
from zsh_jax.core.one_by_one import one_by_one_on_cpu
from zsh_jax.core.packing import signs
from zsh_jax.core.precision import full_precision
from zsh_jax.methods.ksh_descent import Product, inner_products, smooth_descent
from zsh_jax.methods.protocol import Fitted, Method, Reads, Shapes, TrainingData, closed_form_floats


class Weights(NamedTuple):
    """Weights of the method.

    Attributes:
        tolerance: the gradient method stops once the surrogate, divided by q, changes by at most this.
    """

    tolerance: Float[Array, "*sweep"] | float = 1e-2


@dataclass(frozen=True)
class Options:
    """Options of the method.

    Attributes:
        labelled: number of labelled samples q, or all if there are fewer. The paper uses 1,000 to 2,000.
        max_iterations: maximum number of iterations of the gradient method.
    """

    labelled: int = 1000
    max_iterations: int = 500


class OneLabel(NamedTuple):
    """Similarity of samples with one label each, S = 2 C C' - 1 1', never formed: its rank is at most c.

    Attributes:
        classes: C', one-hot columns. In rows of samples, a product with a vector is three times as fast on the CPU.
    """

    classes: Float[Array, "c q"]


class Greedy(NamedTuple):
    """The learned bits and their residuals.

    Attributes:
        weights: a_k as columns.
        agreement: b_k' R b_k of each bit, with R the residual before it.
        relaxed: the same for the spectral relaxation; never above `agreement`.
        residual: |R|^2 after each bit.
    """

    weights: Float[Array, "k l"]
    agreement: Float[Array, " l"]
    relaxed: Float[Array, " l"]
    residual: Float[Array, " l"]


def times(similarity: Float[Array, "q q"] | OneLabel) -> Product:
    """S as a product.

    Args:
        similarity: S, or its factor.

    Returns:
        A function from (q, ...) to S times it.
    """
    if isinstance(similarity, OneLabel):
        classes = similarity.classes
        return lambda values: 2 * ((classes @ values).T @ classes).T - values.sum(0, keepdims=True)
    return lambda values: similarity @ values


@partial(jax.jit, static_argnames=("bits", "iterations"))
@full_precision
def greedy_bits(
    features: Float[Array, "q k"],
    similarity: Float[Array, "q q"] | OneLabel,
    tolerance: Float[Array, ""] | float,
    *,
    bits: int,
    iterations: int,
) -> Greedy:
    """Learn one bit after the other (algorithm 1).

    Args:
        features: K, centred.
        similarity: S, of -1 and 1.
        tolerance: of the gradient method.
        bits: code length l; static.
        iterations: maximum number of iterations of the gradient method; static.

    Returns:
        The weights of the bits and the trace of the residual.
    """
    whiten = inverse_root(gram_basis(features.T @ features))
    white = features @ whiten
    eigenvalues, turn = eigh(bits * (white.T @ times(similarity)(white)))
    given = _Given(features, similarity, inner_products(features), eigenvalues, whiten @ turn)
    learn = partial(_learn, bits=bits, iterations=iterations)
    return one_by_one_on_cpu(learn)(given, jnp.asarray(tolerance, features.dtype))


class _Given(NamedTuple):
    """What all bits share."""

    features: Float[Array, "q k"]
    similarity: Float[Array, "q q"] | OneLabel
    inner: Float[Array, "q q"] | None
    eigenvalues: Float[Array, " k"]  # of l W'K'S K W, for the whitening W; its eigenvectors are Q
    directions: Float[Array, "k k"]  # W Q


class _Learned(NamedTuple):
    codes: Float[Array, "l q"]  # bits not learned yet are zero
    taken: Float[Array, "l k"]  # (W Q)' K' b of each bit
    left: Float[Array, ""]  # |R|^2


@full_precision
def _learn(given: _Given, tolerance: Float[Array, ""], *, bits: int, iterations: int) -> Greedy:
    """The bits in sequence. R = l S - B B' is never formed: only its products are needed."""
    features, similarity, inner, eigenvalues, directions = given
    q, dtype = features.shape[0], features.dtype
    similar = times(similarity)

    def learn(
        state: _Learned, k: Int[Array, ""]
    ) -> tuple[_Learned, tuple[Float[Array, " k"], Float[Array, ""], Float[Array, ""], Float[Array, ""]]]:
        codes, taken, left = state

        def residual(values: Float[Array, " q"]) -> Float[Array, " q"]:
            return bits * similar(values) - (codes @ values) @ codes

        top = leading_eigenvector(
            lambda v: eigenvalues * v - (taken @ v) @ taken, size=len(eigenvalues), dtype=dtype
        )
        direction = oriented((directions @ top)[:, None])[:, 0]
        relaxed = direction * jnp.sqrt(q / jnp.sum((features @ direction) ** 2))
        refined = smooth_descent(features, inner, residual, relaxed, tolerance, iterations=iterations)
        relaxed_bit, refined_bit = signs(features @ relaxed), signs(features @ refined)
        of_relaxed, of_refined = relaxed_bit @ residual(relaxed_bit), refined_bit @ residual(refined_bit)
        better = of_refined > of_relaxed
        b = jnp.where(better, refined_bit, relaxed_bit)
        reached = jnp.maximum(of_relaxed, of_refined)
        left += q**2 - 2 * reached  # |R - b b'|^2 = |R|^2 - 2 b'Rb + q^2
        weights = jnp.where(better, refined, relaxed)
        learned = _Learned(codes.at[k].set(b), taken.at[k].set((b @ features) @ directions), left)
        return learned, (weights, reached, of_relaxed, left)

    nothing = jnp.zeros((bits, q), dtype), jnp.zeros((bits, len(eigenvalues)), dtype)
    first = _Learned(*nothing, jnp.asarray((bits * q) ** 2, dtype))
    _, (weights, reached, relaxed, left) = lax.scan(learn, first, jnp.arange(bits))
    return Greedy(weights.T, reached, relaxed, left)


@partial(jax.jit, static_argnames=("options", "bits"))
@full_precision
def fit(key: PRNGKeyArray, data: TrainingData, weights: Weights, options: Options, *, bits: int) -> Fitted:
    """Draw labelled samples, and learn the bits from their pairs.

    Args:
        key: of the labelled samples.
        data: `phi` and `classes` are read. Pairs with a common label are similar. If each sample has one label
            (`labels` is set), the q x q similarity is not formed, and a product with it takes a tenth of the time.
        weights: tolerance of the gradient method.
        options: of the method; static.
        bits: code length l; static.

    Returns:
        Projection (m, l).
    """
    n = data.phi.shape[0]
    chosen = jax.random.choice(key, n, (min(options.labelled, n),), replace=False)
    mean = data.phi.mean(0)
    features = (data.phi[chosen] - mean[None])[:, :-1]
    classes = data.classes[chosen]
    similarity = (
        OneLabel(classes.T)
        if data.labels is not None
        else jnp.where(classes @ classes.T > 0, 1, -1).astype(features.dtype)
    )
    greedy = greedy_bits(
        features, similarity, weights.tolerance, bits=bits, iterations=options.max_iterations
    )
    return Fitted(centred_rbf(mean, greedy.weights))


def descent_floats(shapes: Shapes, options: Options) -> int:
    """The default estimate, and the labelled samples with their inner products."""
    q, k = min(options.labelled, shapes.samples), shapes.rbf
    return closed_form_floats(shapes, options) + 2 * q * k + (q**2 if q <= 2 * k else 0)


METHOD = Method(
    name="ksh",
    paper="Liu, Wang, Ji, Jiang & Chang, Supervised hashing with kernels, CVPR 2012",
    reads=frozenset({Reads.RBF, Reads.LABELS}),
    fit=fit,
    feature_map=RBF,
    weights=Weights,
    options=Options,
    floats=descent_floats,
)
