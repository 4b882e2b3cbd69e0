"""Binary centres of classes, which some methods pull the codes of their samples to.

"hadamard" centres are those of Yuan et al., "Central similarity quantization for efficient image and video retrieval",
CVPR 2020, sec. 3.2: rows of a Hadamard matrix H, or of H and -H, which differ in half of the bits or in all; where
none fits, bits drawn by a fair coin, which differ in half of them on average. Rows are drawn at random, and each has a
random sign here: one column of H is constant, and its bit would tell nothing.

"semantic" centres are this project's: sign(s F) for the class vector s and a random frame F. The share of bits in which
two centres differ is then on average their angle divided by pi (Goemans & Williamson 1995; Charikar 2002), so similar
classes have similar centres, and a class that was never seen has a centre too, from its name.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.typing import DTypeLike
from jaxtyping import Array, Float, PRNGKeyArray

from zsh_jax.core.heads import Linear
from zsh_jax.core.packing import signs
from zsh_jax.core.precision import full_precision
from zsh_jax.core.steps.rotation import random_rotation
from zsh_jax.methods import learned
from zsh_jax.methods.protocol import Reads, TrainingData


@dataclass(frozen=True)
class Options(learned.Options):
    """Options of a learned head with centres.

    Attributes:
        centres: "hadamard", or "semantic" for the signs of the class vectors in a random frame, which give names of
            classes a code.
    """

    centres: Literal["hadamard", "semantic"] = "hadamard"


class Centres(NamedTuple):
    """Centres of classes.

    Attributes:
        codes: of each class, in {-1, +1}; the rows of unseen classes are not to be read.
        class_head: for class vectors; None for "hadamard".
    """

    codes: Float[Array, "c l"]
    class_head: Linear | None


def hadamard_centres(
    key: PRNGKeyArray, classes: int, *, bits: int, dtype: DTypeLike = jnp.float32
) -> Float[Array, "c l"]:
    """Rows of a Hadamard matrix, drawn without replacement; or fair coins where there are not enough.

    Args:
        key: of the draw.
        classes: c.
        bits: l. The matrix, Sylvester's, exists for powers of two.
        dtype: of the result.

    Returns:
        If l is a power of two, orthogonal rows for c <= l, rows that are orthogonal or opposite for c <= 2 l; else
        independent signs.
    """
    if bits & (bits - 1) or classes > 2 * bits:
        return jax.random.rademacher(key, (classes, bits), dtype)
    # Entry (i, j) of H is -1 to the number of ones that i and j share; row l + i of (H; -H) has one more.
    if classes <= bits:
        of_rows, of_signs = jax.random.split(key)
        rows = jax.random.choice(of_rows, bits, (classes,), replace=False)
        rows += bits * jax.random.bernoulli(of_signs, shape=(classes,)).astype(rows.dtype)
    else:
        rows = jax.random.choice(key, 2 * bits, (classes,), replace=False)
    columns = bits + jnp.arange(bits, dtype=rows.dtype)
    odd = lax.population_count(rows[:, None] & columns[None]) % 2
    return (1 - 2 * odd).astype(dtype)


@full_precision
def class_centres(key: PRNGKeyArray, data: TrainingData, *, kind: str, bits: int) -> Centres:
    """A centre for each class.

    Args:
        key: of the draw.
        data: labels are read, and class vectors for "semantic".
        kind: "hadamard" or "semantic"; static.
        bits: l; static.

    Returns:
        The centres.
    """
    if kind == "hadamard":
        return Centres(hadamard_centres(key, data.classes.shape[1], bits=bits, dtype=data.x.dtype), None)
    e = data.vectors.shape[1]
    frame = random_rotation(key, size=max(e, bits), dtype=data.x.dtype)[:e, :bits]
    head = Linear(frame)
    return Centres(signs(head(data.vectors)), head)


@full_precision
def sample_centres(
    key: PRNGKeyArray, classes: Float[Array, "n c"], centres: Float[Array, "c l"]
) -> Float[Array, "n l"]:
    """The centre of each sample: that of its class; for several labels the vote of their centres (sec. 3.2).

    Args:
        key: draws the bits of a tie, the same ones for all samples, as in the released code.
        classes: multi-hot.
        centres: of the classes.

    Returns:
        In {-1, +1}.
    """
    votes = classes @ centres
    coins = jax.random.rademacher(key, centres.shape[1:], centres.dtype)
    return jnp.where(votes == 0, coins[None], signs(votes))


def without_class_vectors(weights: object, options: Options) -> frozenset[Reads]:
    """The class vectors, if no centre depends on them."""
    del weights
    return frozenset() if options.centres == "semantic" else frozenset({Reads.CLASS_VECTORS})
