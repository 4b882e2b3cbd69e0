"""Raw pixels of small images, as a baseline without feature extraction."""

from functools import partial

import jax
import numpy as np
from jaxtyping import Array, Float32, UInt8

from zsh_jax.features.resize import resize

SIDE = 32


def pixels(images: UInt8[np.ndarray, "n h w 3"]) -> Float32[np.ndarray, "n d"]:
    """The pixels of each image, 0 to 1; a larger image is first resized to 32 by 32.

    Torralba, Fergus and Freeman, "80 Million Tiny Images", PAMI 30(11), 2008: people recognise scenes at that size.

    Args:
        images: RGB images of one size.

    Returns:
        One row an image: rows, columns, channels; 3,072 values for images of at least 32 by 32.
    """
    height, width = images.shape[1:3]
    if height <= SIDE and width <= SIDE:
        small = images.astype(np.float32)
    else:
        small = np.asarray(_shrink(images, min(height, SIDE), min(width, SIDE)))
    return (small / np.float32(255)).reshape(len(images), -1)


@partial(jax.jit, static_argnums=(1, 2))
def _shrink(images: UInt8[Array, "n h w 3"], height: int, width: int) -> Float32[Array, "n s t 3"]:
    return resize(images, height, width)
