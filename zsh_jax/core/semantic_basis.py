"""The solve in a basis of the semantics, which has as many dimensions as there are classes.

With c classes, the e-dimensional targets Y span at most c dimensions, and so do V and, up to a rotation that nothing
determines, W. In an orthonormal basis Q (r x e) of that span, Y = (Y Q') Q, and every step on Y Q' gives the result of
the step on Y, from r columns in place of e.
"""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from zsh_jax.core.factorisation import complete_qr
from zsh_jax.core.precision import full_precision
from zsh_jax.core.problem import Problem, State


def semantic_basis(vectors: Float[Array, "c e"], used: Bool[Array, " c"]) -> Float[Array, "c e"] | None:
    """An orthonormal basis of a space that contains the semantic targets.

    Args:
        vectors: class vectors.
        used: whether a class has training samples; vectors of other classes are not read.

    Returns:
        Q, orthonormal rows; None if there are at least as many classes as dimensions.
    """
    c, e = vectors.shape
    if c >= e:
        return None
    q, _ = complete_qr(jnp.where(used[:, None], vectors, 0).T)
    return q[:, :c].T


@full_precision
def problem_in_basis(problem: Problem) -> Problem:
    """The problem with the semantics in its basis: Y Q', and Q Y'L Y Q'.

    Args:
        problem: with a basis; without one it is returned as it is.

    Returns:
        A problem whose semantics are (n, r), without a basis.
    """
    q = problem.basis
    if q is None:
        return problem
    locality = problem.semantic_locality
    return problem._replace(
        semantics=problem.semantics @ q.T,
        semantic_locality=None if locality is None else q @ locality @ q.T,
        basis=None,
    )


@full_precision
def state_in_basis(problem: Problem, state: State) -> State:
    """A state for `problem_in_basis`: V Q', with the rotation counted from that of `state`.

    Args:
        problem: with a basis, or without.
        state: of the problem.

    Returns:
        A state with rotation I (r, r), and regression and dictionary (l, r).
    """
    q = problem.basis
    if q is None:
        return state
    inside = state.dictionary @ q.T
    turn = jnp.eye(q.shape[0], dtype=q.dtype)
    return state._replace(rotation=turn, regression=inside, dictionary=inside)


@full_precision
def state_out_of_basis(problem: Problem, state: State, rotation: Float[Array, "e e"]) -> State:
    """The state in the whole semantic space.

    Args:
        problem: with a basis, or without.
        state: of `problem_in_basis`.
        rotation: R_0 of the state given to `state_in_basis`.

    Returns:
        V Q; R = (Q' R Q + I - Q'Q) R_0, which is orthogonal; and W = V R.
    """
    q = problem.basis
    if q is None:
        return state
    turn = state.rotation - jnp.eye(q.shape[0], dtype=q.dtype)
    whole = rotation + q.T @ (turn @ (q @ rotation))
    dictionary = state.dictionary @ q
    return state._replace(rotation=whole, dictionary=dictionary, regression=dictionary @ whole)
