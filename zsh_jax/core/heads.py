"""Heads: from mapped features or class vectors to l real values whose signs are the code."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from zsh_jax.core.classes import Dictionary
from zsh_jax.core.precision import full_precision
from zsh_jax.core.preprocessing import unit_rows


class Linear(NamedTuple):
    """f P + o.

    Attributes:
        projection: P.
        offset: o; None for none.
    """

    projection: Float[Array, "m l"]
    offset: Float[Array, " l"] | None = None

    @property
    def bits(self) -> int:
        """Code length l."""
        return self.projection.shape[-1]

    @full_precision
    def __call__(self, features: Float[Array, "n m"]) -> Float[Array, "n l"]:
        """Project features, (n, m), onto l values."""
        projected = features @ self.projection
        return projected if self.offset is None else projected + self.offset[None]


class MLP(NamedTuple):
    """relu(f W + a) P + o: a perceptron with one hidden layer.

    Attributes:
        hidden: W.
        hidden_offset: a.
        projection: P.
        offset: o; None for none.
    """

    hidden: Float[Array, "m h"]
    hidden_offset: Float[Array, " h"]
    projection: Float[Array, "h l"]
    offset: Float[Array, " l"] | None = None

    @property
    def bits(self) -> int:
        """Code length l."""
        return self.projection.shape[-1]

    @full_precision
    def __call__(self, features: Float[Array, "n m"]) -> Float[Array, "n l"]:
        """Map features, (n, m), to l values."""
        units = jnp.maximum(features @ self.hidden + self.hidden_offset[None], 0)
        return Linear(self.projection, self.offset)(units)


class ClassCodes(NamedTuple):
    """The code of the class with the highest score f P + o.

    Attributes:
        projection: P, to the scores of classes.
        offset: o.
        codes: of the classes.
    """

    projection: Float[Array, "m c"]
    offset: Float[Array, " c"]
    codes: Float[Array, "c l"]

    @property
    def bits(self) -> int:
        """Code length l."""
        return self.codes.shape[-1]

    @full_precision
    def __call__(self, features: Float[Array, "n m"]) -> Float[Array, "n l"]:
        """Classify features, (n, m), and look the codes up."""
        scores = features @ self.projection + self.offset[None]
        return self.codes[jnp.argmax(scores, axis=1)]


class Vectors(NamedTuple):
    """f C, or f itself, for a bound: it compares real-valued vectors by cosine and has no codes.

    Attributes:
        regression: C; None for the identity.
    """

    regression: Float[Array, "m e"] | None = None

    @property
    def bits(self) -> int:
        """0: a bound has no code."""
        return 0

    @full_precision
    def __call__(self, features: Float[Array, "n m"]) -> Float[Array, "n e"]:
        """Return the vectors to compare, (n, e), for features (n, m)."""
        return features if self.regression is None else features @ self.regression


class Joint(NamedTuple):
    """Predicted semantics and appearance in one space, rotated to the bits; see `zsh_jax.methods.joint`.

    Attributes:
        semantic: regression from RBF features to the semantics.
        whitening: from preprocessed features to appearance.
        centre: whitened mean of the training samples; subtracted from the appearance.
        frame: from semantics and appearance to projections.
        offset: subtracted from the projections.
    """

    semantic: Float[Array, "m e"]
    whitening: Float[Array, "p q"]
    centre: Float[Array, " q"]
    frame: Float[Array, "e+q l"]
    offset: Float[Array, " l"]

    @property
    def bits(self) -> int:
        """Code length l."""
        return self.frame.shape[-1]

    @full_precision
    def __call__(self, features: Float[Array, "n f"]) -> Float[Array, "n l"]:
        """Project concatenated preprocessed and RBF features, (n, p + m), to l values."""
        p = self.whitening.shape[0]
        x, phi = features[:, :p], features[:, p:]
        appearance = unit_rows(x @ self.whitening - self.centre[None])
        z = jnp.concatenate([unit_rows(phi @ self.semantic), appearance], axis=1)
        return z @ self.frame - self.offset[None]


Head = Linear | MLP | ClassCodes | Joint | Vectors
ClassHead = Linear | Dictionary


@full_precision
def centred(mean: Float[Array, " d"], projection: Float[Array, "d l"]) -> Linear:
    """(x - mean) P as a head for x.

    Args:
        mean: of the training features; zero up to rounding if they are standardised.
        projection: P.

    Returns:
        The head, with offset -mean P.
    """
    return Linear(projection, -(mean[None] @ projection)[0])


@full_precision
def centred_rbf(mean: Float[Array, " m"], projection: Float[Array, "k l"]) -> Linear:
    """(phi(x) - mean) P of the features before the constant column, as a head for phi(x).

    Args:
        mean: of the RBF features; its last entry, for the constant column, is not read.
        projection: P, with a row for each of the k = m - 1 features before the constant column.

    Returns:
        The head: the row of the constant column is -mean P.
    """
    return Linear(jnp.concatenate([projection, -(mean[None, :-1] @ projection)]))
