"""Semantics: a vector for each class, and from them a target for each sample."""

from zsh_jax.data.semantics.controls import random_orthogonal, shuffled
from zsh_jax.data.semantics.missing import MissingVectors
from zsh_jax.data.semantics.targets import attribute_vectors, one_hot, semantic_targets
from zsh_jax.data.semantics.words import word_vectors

__all__ = [
    "MissingVectors",
    "attribute_vectors",
    "one_hot",
    "random_orthogonal",
    "semantic_targets",
    "shuffled",
    "word_vectors",
]
