"""Semantics: a vector for each class, and from them a target for each sample."""

from zsh_jax.data.semantics.controls import random_orthogonal, shuffled
from zsh_jax.data.semantics.targets import attribute_vectors, one_hot, semantic_targets
from zsh_jax.data.semantics.words import known_words, word_vectors

__all__ = [
    "attribute_vectors",
    "known_words",
    "one_hot",
    "random_orthogonal",
    "semantic_targets",
    "shuffled",
    "word_vectors",
]
