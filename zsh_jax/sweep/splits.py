"""Turn the axes of a data split into indices of samples and class vectors."""

import numpy as np
from jaxtyping import Float32

from zsh_jax.data.semantics import random_orthogonal, shuffled
from zsh_jax.data.split import Split, split_dataset
from zsh_jax.inputs.load import Inputs
from zsh_jax.sweep.axes import DataSplit


def split_of(inputs: Inputs, split: DataSplit) -> Split:
    """The zero-shot split of the axes: indices of training samples, queries and database.

    Raises:
        InputError: if the data set does not allow this split.
    """
    return split_dataset(
        inputs.dataset,
        split.unseen,
        training_samples=split.training_samples,
        queries=split.queries,
        seed=split.seed,
        seen_classes=split.seen_classes,
        validation=split.validation,
        rule=inputs.rule,
    )


def vectors_of(inputs: Inputs, split: DataSplit) -> Float32[np.ndarray, "c e"]:
    """The class vectors of the axes: rows of unit length, in the order of the classes."""
    vectors = inputs.semantics[split.semantics].vectors
    if split.semantics == "random":
        return random_orthogonal(len(vectors), seed=split.seed)
    if split.semantics == "shuffled":
        return shuffled(vectors, seed=split.seed)
    return vectors
