"""Names of the classes of ILSVRC2012; `words.txt` has the words of each synset, from an Apache-2.0 label file."""

from zsh_jax.data.imagenet.names import class_names

__all__ = ["class_names"]
