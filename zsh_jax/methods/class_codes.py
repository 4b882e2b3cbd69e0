"""Class codes: classify an image among the seen classes, and give it the code of its class.

The trivial way to supervised codes: a ridge classifier on the RBF features, and a random code for each class. On seen
classes a code says all that the classifier knows; an image of an unseen class gets the code of some seen class. So it
tells how much of a supervised method's score is classification alone (Sablayrolles, Douze, Usunier & Jegou, "How should
we evaluate supervised hashing?", ICASSP 2017).
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from zsh_jax.core.feature_maps import RBF
from zsh_jax.core.gram import gram_basis, ridge_regression
from zsh_jax.core.heads import ClassCodes
from zsh_jax.core.precision import full_precision
from zsh_jax.methods.class_entropy import ABSENT, seen_classes
from zsh_jax.methods.protocol import Fitted, Method, NoOptions, Reads, TrainingData


class Weights(NamedTuple):
    """Weights of the method.

    Attributes:
        ridge: of the classifier.
    """

    ridge: Float[Array, "*sweep"] | float = 1.0


@partial(jax.jit, static_argnames=("options", "bits"))
@full_precision
def fit(key: PRNGKeyArray, data: TrainingData, weights: Weights, options: NoOptions, *, bits: int) -> Fitted:
    """Fit the classifier, and draw a code for each class.

    Args:
        key: of the codes.
        data: RBF features and labels are read.
        weights: the ridge.
        options: none; static.
        bits: code length l; static.

    Returns:
        A head that scores every class by ridge regression to its labels; unseen classes are never chosen.
    """
    del options
    phi, classes = data.phi, data.classes
    scores = ridge_regression(gram_basis(phi.T @ phi), phi.T @ classes, weights.ridge)
    offset = jnp.where(seen_classes(classes), 0, jnp.asarray(ABSENT, phi.dtype))
    codes = jax.random.rademacher(key, (classes.shape[1], bits), phi.dtype)
    return Fitted(ClassCodes(scores, offset, codes))


METHOD = Method(
    name="class_codes",
    paper="a control; after Sablayrolles, Douze, Usunier & Jegou, How should we evaluate supervised hashing?, "
    "ICASSP 2017",
    reads=frozenset({Reads.RBF, Reads.LABELS}),
    fit=fit,
    feature_map=RBF,
    weights=Weights,
)
