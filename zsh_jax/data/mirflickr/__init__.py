"""MIRFlickr-25K. `builder` registers `zsh_mirflickr25k` with TFDS and is imported when the data set is loaded."""

from zsh_jax.data.mirflickr.load import load_mirflickr
from zsh_jax.data.mirflickr.read import CONCEPTS, INSTRUCTIONS, RELEVANT

__all__ = ["CONCEPTS", "INSTRUCTIONS", "RELEVANT", "load_mirflickr"]
