"""Resize images inside compiled programs."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float32, UInt8


def resize(images: UInt8[Array, "n h w 3"], height: int, width: int) -> Float32[Array, "n height width 3"]:
    """Resize images, each side independently.

    Args:
        images: RGB images.
        height: of the result, in pixels.
        width: of the result, in pixels.

    Returns:
        Bilinear samples, 0 to 255, antialiased along a side that shrinks.
    """
    shape = (images.shape[0], height, width, 3)
    return jax.image.resize(images.astype(jnp.float32), shape, "bilinear", antialias=True)
