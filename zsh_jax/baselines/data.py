"""What every baseline learns from."""

from typing import NamedTuple

from jaxtyping import Array, Float


class TrainingData(NamedTuple):
    """The training samples of one split. Each method reads what it needs, and none sees an unseen class.

    Attributes:
        x: features, standardised with the mean and the deviation of these very samples.
        phi: RBF features, their last column constant, as `zsh_jax.rbf_features` gives them.
        classes: multi-hot over all classes of the data set; the columns of unseen classes are zero.
        semantics: semantic targets, rows of unit length.
    """

    x: Float[Array, "n d"]
    phi: Float[Array, "n m"]
    classes: Float[Array, "n c"]
    semantics: Float[Array, "n e"]
