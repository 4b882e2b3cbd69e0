"""The drawn shapes in four hues, for `zsh_tinted_shapes`: 100 classes, each a shape, a fill and a hue."""

import numpy as np
from jaxtyping import Float32, UInt8

from zsh_jax.data.shapes import drawing
from zsh_jax.errors import InputError

SHAPES = drawing.SHAPES[:5]
HUES = {
    "red": (1.0, 0.25, 0.25),
    "green": (0.25, 1.0, 0.25),
    "blue": (0.3, 0.4, 1.0),
    "yellow": (1.0, 1.0, 0.25),
}
STRENGTH = (0.8, 1.2)  # factors of the channels of a hue
IMAGES_PER_CLASS = 100

_KINDS = tuple((hue, fill, shape) for shape in SHAPES for fill in drawing.FILLS for hue in HUES)
CLASS_NAMES: tuple[str, ...] = tuple(" ".join(kind) for kind in _KINDS)
ATTRIBUTE_NAMES: tuple[str, ...] = (*SHAPES, *drawing.FILLS, *HUES)
# Ten classes that have each shape twice, each fill twice, and each hue two or three times.
UNSEEN_CLASSES: tuple[str, ...] = tuple(
    f"{tuple(HUES)[(3 * place + place // 5) % 4]} {drawing.FILLS[(2 * place + place // 5) % 5]} {SHAPES[place % 5]}"
    for place in range(10)
)

# The class semantics, one-hot for each kind of attribute; rows as `CLASS_NAMES`, columns as `ATTRIBUTE_NAMES`.
ATTRIBUTES: Float32[np.ndarray, "c a"] = np.array(
    [[name in kind for name in ATTRIBUTE_NAMES] for kind in _KINDS], np.float32
)


def draw_tinted(label: int, index: int, *, seed: int = 0) -> UInt8[np.ndarray, "32 32 3"]:
    """Draw image `index` of class `label`, independently of other images.

    Args:
        label: index of the class in `CLASS_NAMES`.
        index: number of the image within its class, from 0.
        seed: another seed gives another data set.

    Returns:
        An RGB image: a shape of `drawing` in grey, times the hue.

    Raises:
        InputError: the class does not exist, or `index` or `seed` is negative.
    """
    if not 0 <= label < len(_KINDS) or index < 0 or seed < 0:
        raise InputError(
            f"draw_tinted needs a class in 0..{len(_KINDS) - 1}, an index >= 0 and a seed >= 0; got class {label}, "
            f"index {index}, seed {seed}"
        )
    hue, fill, shape = _KINDS[label]
    place = tuple(HUES).index(hue)
    plain = drawing.CLASS_NAMES.index(f"{fill} {shape}")
    # The shapes of the four hues are different draws.
    image = drawing.draw(plain, index * len(HUES) + place, seed=seed).astype(float)
    factors = np.random.default_rng((seed, label, index)).uniform(*STRENGTH, 3)
    tinted = image.mean(-1, keepdims=True) * np.array(HUES[hue]) * factors
    return np.rint(np.clip(tinted, 0, 255)).astype(np.uint8)
