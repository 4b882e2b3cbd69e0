"""What the axes of a data split stand for: indices of samples, and class vectors."""

import numpy as np
from jaxtyping import Float32

from zsh_jax.data.semantics import random_orthogonal, shuffled
from zsh_jax.data.split import Split, split_dataset
from zsh_jax.inputs.load import Inputs
from zsh_jax.sweep.axes import DataSplit


def split_of(inputs: Inputs, split: DataSplit) -> Split:
    """The zero-shot split that a cell's axes name.

    Args:
        inputs: of the sweep.
        split: the axes.

    Returns:
        Indices of training samples, queries and database.

    Raises:
        InputError: if the data set cannot be split so.
    """
    return split_dataset(
        inputs.dataset,
        split.unseen,
        training_samples=split.training_samples,
        queries=split.queries,
        seed=split.seed,
        seen_classes=split.seen_classes,
        validation=split.validation,
    )


def vectors_of(inputs: Inputs, split: DataSplit) -> Float32[np.ndarray, "c e"]:
    """The semantic vectors of all classes that a cell's axes name.

    Args:
        inputs: of the sweep.
        split: the axes.

    Returns:
        Rows of unit length, in the order of the classes.
    """
    vectors = inputs.semantics[split.semantics].vectors
    if split.semantics == "random":
        return random_orthogonal(len(vectors), seed=split.seed)
    if split.semantics == "shuffled":
        return shuffled(vectors, seed=split.seed)
    return vectors
