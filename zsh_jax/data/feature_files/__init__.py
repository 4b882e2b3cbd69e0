"""Data sets stored as feature files with labels."""

from zsh_jax.data.feature_files.load import load_features
from zsh_jax.data.feature_files.parts import DEFAULT_KEYS, Keys

__all__ = ["DEFAULT_KEYS", "Keys", "load_features"]
