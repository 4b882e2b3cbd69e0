"""The m x m products that all cells of a data split share, from training samples in blocks."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from zsh_jax.core.anchor_graph import weights_on_anchors
from zsh_jax.core.blocks.stream import BLOCK, Block, Mapped, features_of, only_new, sum_of_blocks, targets_of
from zsh_jax.core.kernel import rbf_of_distances, squared_distances
from zsh_jax.core.precision import full_precision
from zsh_jax.core.preprocessing import apply_preprocessing


class Products(NamedTuple):
    """The products of `Problem`.

    Attributes:
        gram: Phi' Phi.
        locality: Phi' L Phi; None without a graph.
        semantic_locality: Y' L Y; None without a graph.
    """

    gram: Float[Array, "m m"]
    locality: Float[Array, "m m"] | None
    semantic_locality: Float[Array, "e e"] | None


class _Sums(NamedTuple):
    gram: Float[Array, "m m"]  # Phi'Phi
    semantic_gram: Float[Array, "e e"]  # Y'Y
    features: Float[Array, "k m"]  # Z'Phi
    semantics: Float[Array, "k e"]  # Z'Y
    mass: Float[Array, " k"]  # Z'1


@partial(jax.jit, static_argnames=("nearest", "block"))
@full_precision
def products_in_blocks(mapped: Mapped, *, nearest: int = 0, block: int = BLOCK) -> Products:
    """Phi' Phi and, with the anchor graph, Phi' L Phi and Y' L Y, in one pass over the samples.

    The Laplacian of the anchor graph is L = I - Z Lambda^-1 Z', so that Phi' L Phi = Phi'Phi - (Z'Phi)' Lambda^-1
    (Z'Phi); see `AnchorGraph`.

    Args:
        mapped: training samples.
        nearest: anchors a sample in the anchor graph; 0 for no graph; static.
        block: samples of a block; static. Memory: a few times block x m.

    Returns:
        The products.
    """
    stream, preprocessing, rbf = mapped

    def of_block(of: Block) -> Float[Array, "m m"] | _Sums:
        x = apply_preprocessing(preprocessing, features_of(stream, of))
        distances = squared_distances(x, rbf.anchors)
        phi = only_new(of, rbf_of_distances(distances, rbf.bandwidth))
        if not nearest:
            return phi.T @ phi
        chosen, weights = weights_on_anchors(distances, rbf.bandwidth, nearest=nearest)
        y, rows = only_new(of, targets_of(stream, of, stream.targets)), jnp.arange(x.shape[0])[:, None]
        z = jnp.zeros_like(distances).at[rows, chosen].add(only_new(of, weights))
        return _Sums(phi.T @ phi, y.T @ y, z.T @ phi, z.T @ y, z.sum(0))

    sums = sum_of_blocks(of_block, stream.samples, block)
    if not isinstance(sums, _Sums):
        return Products(sums, None, None)
    root = lax.rsqrt(jnp.where(sums.mass > 0, sums.mass, 1))[:, None]
    features, semantics = root * sums.features, root * sums.semantics
    return Products(
        sums.gram, sums.gram - features.T @ features, sums.semantic_gram - semantics.T @ semantics
    )
