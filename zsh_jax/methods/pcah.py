"""PCAH: signs of the leading principal components.

Wang, Kumar & Chang, "Semi-supervised hashing for scalable image retrieval", CVPR 2010, where it is the unsupervised
limit of the method: the projection that maximises tr(P' X'X P) with P'P = I.
"""

from functools import partial

import jax
from jaxtyping import Array, Float, PRNGKeyArray

from zsh_jax.core.factorisation import eigh
from zsh_jax.core.gram import oriented
from zsh_jax.core.heads import centred
from zsh_jax.core.precision import full_precision
from zsh_jax.methods.protocol import Fitted, Method, NoOptions, NoWeights, Reads, TrainingData


@partial(jax.jit, static_argnames="count")
@full_precision
def principal_directions(
    x: Float[Array, "n d"], *, count: int
) -> tuple[Float[Array, " d"], Float[Array, "d count"]]:
    """Mean, and the directions of largest variance about it.

    Args:
        x: features, (n, d).
        count: number of directions; static.

    Returns:
        The mean (d,), and orthonormal columns (d, count), the largest variance first.

    Raises:
        ValueError: there are fewer than `count` features. Further directions would be random, which is another method;
            a comparison leaves out that cell.
    """
    n, d = x.shape
    if not 1 <= count <= d:
        raise ValueError(f"{count} bits cannot be principal components of {d} features; fix: use at most {d}")
    mean = x.mean(0)
    centred = x - mean[None]
    _, eigenvectors = eigh(centred.T @ centred / n)
    return mean, oriented(eigenvectors[:, ::-1][:, :count])


@partial(jax.jit, static_argnames=("options", "bits"))
def fit(
    key: PRNGKeyArray, data: TrainingData, weights: NoWeights, options: NoOptions, *, bits: int
) -> Fitted:
    """Project on the leading principal directions.

    Args:
        key: not read; all methods have one signature.
        data: `x` is read.
        weights: none.
        options: none; static.
        bits: code length l, at most d; static.

    Returns:
        Projection with orthonormal columns (d, l), and the offset that centres it.

    Raises:
        ValueError: there are more bits than features.
    """
    del key, weights, options
    return Fitted(centred(*principal_directions(data.x, count=bits)))


METHOD = Method(
    name="pcah",
    paper="Wang, Kumar & Chang, Semi-supervised hashing for scalable image retrieval, CVPR 2010",
    reads=frozenset({Reads.FEATURES}),
    fit=fit,
    most_bits=lambda features: features,
)
