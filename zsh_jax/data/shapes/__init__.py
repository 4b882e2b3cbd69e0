"""Drawn shapes, built-in data sets for zero-shot hashing; importing this registers them with TFDS."""

from zsh_jax.data.shapes.builder import ZshShapes, ZshTintedShapes
from zsh_jax.data.shapes.drawing import ATTRIBUTE_NAMES, ATTRIBUTES, CLASS_NAMES, UNSEEN_CLASSES, draw
from zsh_jax.data.shapes.load import load_shapes, load_tinted_shapes
from zsh_jax.data.shapes.tinted import draw_tinted

__all__ = [
    "ATTRIBUTES",
    "ATTRIBUTE_NAMES",
    "CLASS_NAMES",
    "UNSEEN_CLASSES",
    "ZshShapes",
    "ZshTintedShapes",
    "draw",
    "draw_tinted",
    "load_shapes",
    "load_tinted_shapes",
]
