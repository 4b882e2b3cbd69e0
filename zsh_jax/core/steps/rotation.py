"""R-step: the rotation of the semantic space, by orthogonal Procrustes."""

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float, PRNGKeyArray

from zsh_jax.core.factorisation import complete_qr, svd
from zsh_jax.core.precision import full_precision
from zsh_jax.core.problem import Hyperparameters, Problem, State


@jax.jit
@full_precision
def rotation_step(problem: Problem, hyper: Hyperparameters, state: State) -> State:
    """The orthogonal R that brings Y R nearest to B W (Schönemann 1966; Yang et al. 2016, sec. 3.4, Q-step).

    R = U V' for the singular value decomposition of Y' B W. That matrix has at most rank c, so R is not unique: compare
    Y R, never R.

    Args:
        problem: the training data.
        hyper: not read; all steps have one signature.
        state: its `codes` and `regression` are the target.

    Returns:
        The state with new `rotation` (e, e) and `dictionary` W R'.
    """
    del hyper
    rotation = procrustes(problem.semantics.T @ state.codes, state.regression)
    return state._replace(rotation=rotation, dictionary=state.regression @ rotation.T)


@full_precision
def procrustes(left: Float[Array, "e l"], right: Float[Array, "l e"]) -> Float[Array, "e e"]:
    """The orthogonal R with the largest tr(R' left right).

    With fewer bits than semantic values the product has rank l, and R is computed from l x l matrices: for left = Q (T;
    0) and right' = Q~ (T~; 0), it is Q diag(U V', I) Q~' with U and V' of T T~'. On the complement, where R is not
    determined, it maps one basis to the other.

    Args:
        left: Y'B.
        right: W.

    Returns:
        R (e, e), R'R = I.
    """
    size, bits = left.shape
    if bits >= size:
        u, vt = svd(left @ right)
        return u @ vt
    q, t = complete_qr(left)
    q_right, t_right = complete_qr(right.T)
    u, vt = svd(t @ t_right.T)
    return q[:, :bits] @ (u @ vt) @ q_right[:, :bits].T + q[:, bits:] @ q_right[:, bits:].T


def random_rotation(key: PRNGKeyArray, *, size: int, dtype: DTypeLike = jnp.float32) -> Float[Array, "e e"]:
    """A random orthogonal matrix, uniform over all of them (the Haar measure).

    The orthogonal factor of a matrix of independent normal values (Stewart 1980, by the polar decomposition).

    Args:
        key: of the draw.
        size: e.
        dtype: of the result.

    Returns:
        R (e, e) with R'R = I.
    """
    left, right = svd(jax.random.normal(key, (size, size), dtype))
    return left @ right
