"""The data (Problem), the weights (Hyperparameters) and the unknowns (State)."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from zsh_jax.core.anchor_graph import AnchorGraph
from zsh_jax.core.graph import Graph
from zsh_jax.core.laplacian import laplacian_quadratic
from zsh_jax.core.precision import full_precision
from zsh_jax.core.random_signs import random_signs
from zsh_jax.core.sharding import rows_apart


class Hyperparameters(NamedTuple):
    """Weights of the objective's terms: scalars, or arrays of one shape to be vmapped over.

    Attributes:
        lam: ridge on the regression W.
        alpha: weight of the quantisation term |B - Phi P|^2; positive, since the P-step divides by it.
        beta: ridge on the projection P.
        gamma: weight of the locality term on the projection, as published.
        delta: weight of the locality term on the semantics, as in the authors' released code.
    """

    lam: Float[Array, "*sweep"] | float = 1e-2
    alpha: Float[Array, "*sweep"] | float = 1e-5
    beta: Float[Array, "*sweep"] | float = 1e-4
    gamma: Float[Array, "*sweep"] | float = 1e-6
    delta: Float[Array, "*sweep"] | float = 0.0


class Problem(NamedTuple):
    """The training data, in the form that the steps read. All cells of one data split share it.

    Attributes:
        phi: RBF features of the n training samples, with their constant column.
        semantics: Y, the semantic target of each training sample; rows of unit length.
        gram: Phi' Phi.
        locality: Phi' L Phi for the Laplacian L of the neighbour graph; zero without a graph.
        semantic_locality: Y' L Y; None without a graph.
        basis: Q, orthonormal rows that span the semantics, see `zsh_jax.core.semantic_basis`; None to work with Y as it
            is.
    """

    phi: Float[Array, "n m"]
    semantics: Float[Array, "n e"]
    gram: Float[Array, "m m"]
    locality: Float[Array, "m m"]
    semantic_locality: Float[Array, "e e"] | None = None
    basis: Float[Array, "r e"] | None = None


class State(NamedTuple):
    """The unknowns.

    Attributes:
        codes: B, in {-1, +1}.
        projection: P; the hash function is sign(phi(x) P).
        rotation: R, orthogonal.
        regression: W, from codes to rotated semantics.
        dictionary: V = W R', from codes to semantics; the codes depend on W and R only through it. It is stored because
            the product W R' would add the rounding of the rotation.
    """

    codes: Float[Array, "n l"]
    projection: Float[Array, "m l"]
    rotation: Float[Array, "e e"]
    regression: Float[Array, "l e"]
    dictionary: Float[Array, "l e"]


@partial(jax.jit, static_argnames="normalised")
@full_precision
def make_problem(
    phi: Float[Array, "n m"],
    semantics: Float[Array, "n e"],
    graph: Graph | AnchorGraph | None = None,
    *,
    normalised: bool = False,
) -> Problem:
    """Gather the training data and the two m x m products that every cell shares.

    Args:
        phi: RBF features, (n, m).
        semantics: semantic targets Y, (n, e), rows of unit length.
        graph: neighbour graph of the n samples; None leaves the locality term zero.
        normalised: whether L is the normalised Laplacian; static.

    Returns:
        The problem; `gram` and `locality` are (m, m), `semantic_locality` is (e, e).
    """
    gram = phi.T @ phi
    semantics = semantics.astype(phi.dtype)  # class vectors are float32 even if features are float64
    if graph is None:
        return Problem(phi, semantics, gram, jnp.zeros_like(gram))
    locality = laplacian_quadratic(phi, graph, normalised=normalised)
    return Problem(
        phi, semantics, gram, locality, laplacian_quadratic(semantics, graph, normalised=normalised)
    )


def init_state(problem: Problem, key: PRNGKeyArray, *, bits: int) -> State:
    """Random codes, R = I, and the W and P that start from them.

    Only the codes matter afterwards: P, R and W are fitted before they are read, except the W of the first rotation
    step, which is B'Y / n, the regression of independent codes.

    Args:
        problem: the training data, n samples.
        key: of the start; not used for anything else.
        bits: code length l.

    Returns:
        A state with codes (n, l) of independent fair signs.

    Raises:
        ValueError: `bits` is not positive.
    """
    if bits < 1:
        raise ValueError(f"bits must be at least 1; got {bits}")
    n, m = problem.phi.shape
    e = problem.semantics.shape[1]
    codes = rows_apart(random_signs(key, samples=n, bits=bits, dtype=problem.phi.dtype))
    regression = codes.T @ problem.semantics / n
    return State(
        codes=codes,
        projection=jnp.zeros((m, bits), problem.phi.dtype),
        rotation=jnp.eye(e, dtype=problem.phi.dtype),
        regression=regression,
        dictionary=regression,
    )
