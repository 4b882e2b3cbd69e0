"""Resizing of pictures, inside compiled programs."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float32, UInt8


def resize(images: UInt8[Array, "n h w 3"], height: int, width: int) -> Float32[Array, "n height width 3"]:
    """Bring pictures to another size, each side for itself.

    Args:
        images: RGB pictures.
        height: wanted, in pixels.
        width: wanted, in pixels.

    Returns:
        Bilinear samples, 0 to 255; smoothed first along a side that shrinks, so that fine patterns do not alias.
    """
    shape = (images.shape[0], height, width, 3)
    return jax.image.resize(images.astype(jnp.float32), shape, "bilinear", antialias=True)
