"""RBF features: anchors, bandwidth, and the map from images to Phi."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from zsh_jax.core.precision import full_precision


def draw_anchors(key: PRNGKeyArray, x: Float[Array, "n d"], *, count: int) -> Float[Array, "k d"]:
    """Draw anchors from the training samples, without replacement.

    Args:
        key: of the draw.
        x: standardised training features, (n, d).
        count: number of anchors k, at most n.

    Returns:
        The features of the anchors, (k, d).

    Raises:
        ValueError: there are fewer samples than anchors.
    """
    return x[draw_anchor_rows(key, samples=x.shape[0], count=count)]


def draw_anchor_rows(key: PRNGKeyArray, *, samples: int, count: int) -> Int[Array, " k"]:
    """The rows of the anchors of `draw_anchors` among the training samples.

    Args:
        key: of the draw.
        samples: number of training samples n.
        count: number of anchors k, at most n.

    Returns:
        Distinct indices.

    Raises:
        ValueError: there are fewer samples than anchors.
    """
    if not 1 <= count <= samples:
        raise ValueError(f"cannot draw {count} anchors from {samples} training samples")
    return jax.random.choice(key, samples, (count,), replace=False)


@jax.jit
@full_precision
def choose_bandwidth(x: Float[Array, "n d"], anchor_features: Float[Array, "k d"]) -> Float[Array, ""]:
    """The bandwidth sigma^2: half the mean squared distance of the training samples to the anchors.

    This is the rule of the authors' released code. Queries and database use the value from the training data.

    Args:
        x: standardised training features, (n, d).
        anchor_features: anchors, (k, d).

    Returns:
        sigma^2, in squared units of the features.
    """
    # mean |x - a|^2 = E|x - mean x|^2 + E|a - mean a|^2 + |mean x - mean a|^2, without n x k distances.
    mean_x, mean_a = x.mean(0), anchor_features.mean(0)
    spread = jnp.sum((x - mean_x[None]) ** 2) / x.shape[0]
    spread += jnp.sum((anchor_features - mean_a[None]) ** 2) / anchor_features.shape[0]
    return (spread + jnp.sum((mean_x - mean_a) ** 2)) / 2


@full_precision
def squared_distances(a: Float[Array, "n d"], b: Float[Array, "k d"]) -> Float[Array, "n k"]:
    """Squared Euclidean distances between rows, never negative, in squared units of the features."""
    squares = jnp.sum(a**2, axis=1)[:, None] + jnp.sum(b**2, axis=1)[None, :]
    return jnp.maximum(squares - 2 * (a @ b.T), 0)


@jax.jit
def rbf_features(
    x: Float[Array, "n d"], anchor_features: Float[Array, "k d"], sigma_squared: Float[Array, ""]
) -> Float[Array, "n m"]:
    """Phi: one Gaussian bump an anchor, then a constant column (Yang et al. 2016, eq. 3).

    phi_j(x) = exp(-|x - a_j|^2 / (2 sigma^2)), and phi_{k+1} = 1.

    Args:
        x: standardised features, (n, d).
        anchor_features: anchors, (k, d).
        sigma_squared: `choose_bandwidth` of the training samples.

    Returns:
        (n, m) with m = k + 1.
    """
    return rbf_of_distances(squared_distances(x, anchor_features), sigma_squared)


def rbf_of_distances(squared: Float[Array, "n k"], sigma_squared: Float[Array, ""]) -> Float[Array, "n m"]:
    """Phi of samples whose squared distances to the anchors are known; see `rbf_features`."""
    bumps = jnp.exp(-squared / (2 * sigma_squared))
    return jnp.concatenate([bumps, jnp.ones((squared.shape[0], 1), bumps.dtype)], axis=1)
