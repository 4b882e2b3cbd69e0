"""MIRFlickr-25K as a TFDS data set; importing this registers `zsh_mirflickr25k` with TFDS."""

from zsh_jax.data.mirflickr.builder import ZshMirflickr25k
from zsh_jax.data.mirflickr.load import load_mirflickr
from zsh_jax.data.mirflickr.read import CONCEPTS, INSTRUCTIONS, RELEVANT

__all__ = ["CONCEPTS", "INSTRUCTIONS", "RELEVANT", "ZshMirflickr25k", "load_mirflickr"]
