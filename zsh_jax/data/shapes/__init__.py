"""Drawn shapes, a built-in data set for zero-shot hashing; importing this registers `zsh_shapes` with TFDS."""

from zsh_jax.data.shapes.builder import ZshShapes
from zsh_jax.data.shapes.drawing import ATTRIBUTE_NAMES, ATTRIBUTES, CLASS_NAMES, UNSEEN_CLASSES, draw
from zsh_jax.data.shapes.load import load_shapes

__all__ = [
    "ATTRIBUTES",
    "ATTRIBUTE_NAMES",
    "CLASS_NAMES",
    "UNSEEN_CLASSES",
    "ZshShapes",
    "draw",
    "load_shapes",
]
