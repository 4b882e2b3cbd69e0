"""Data sets that are files of features with their labels beside them."""

from zsh_jax.data.feature_files.load import load_features
from zsh_jax.data.feature_files.parts import DEFAULT_KEYS, Keys

__all__ = ["DEFAULT_KEYS", "Keys", "load_features"]
