"""Raw pixels, of pictures small enough that nothing is lost by having no better features."""

from functools import partial

import jax
import numpy as np
from jaxtyping import Array, Float32, UInt8

from zsh_jax.features.resize import resize

SIDE = 32


def pixels(images: UInt8[np.ndarray, "n h w 3"]) -> Float32[np.ndarray, "n d"]:
    """The pixels of each picture, 0 to 1; a larger picture is shrunk to 32 by 32 first.

    Torralba, Fergus and Freeman, "80 Million Tiny Images", PAMI 30(11), 2008: at that size people still name scenes.

    Args:
        images: RGB pictures of one size.

    Returns:
        One row a picture: rows, columns, channels; 3,072 values for pictures of 32 by 32 and more.
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
