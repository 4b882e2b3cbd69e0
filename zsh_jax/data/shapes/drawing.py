"""Small images of shapes with a pattern inside, for `zsh_shapes`.

A class is a combination of two attributes, a shape and a fill. Position, rotation, size, colours, background and noise
vary freely. So every attribute of an unseen class occurs in seen classes, as zero-shot learning assumes.
"""

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from zsh_jax.errors import InputError

SIDE = 32
IMAGES_PER_CLASS = 300
SHAPES = ("circle", "square", "triangle", "star", "cross", "crescent")
FILLS = ("solid", "striped", "checkered", "spotted", "hollow")

CLASS_NAMES: tuple[str, ...] = tuple(f"{fill} {shape}" for shape in SHAPES for fill in FILLS)
ATTRIBUTE_NAMES: tuple[str, ...] = SHAPES + FILLS
UNSEEN_CLASSES: tuple[str, ...] = ("striped circle", "checkered square", "hollow triangle", "spotted star")

# Ranges of the free variables: lengths in pixels, angles in radians, brightness from 0 to 1.
SHIFT = 1.5
RADIUS = (11.0, 13.5)
TURN = 0.2
LEVELS = (
    (0.05, 0.2),
    (0.42, 0.58),
    (0.8, 0.95),
)  # ink, gaps and background get one range each, so they differ
TINT = 0.15
WAVE = 0.08
NOISE = 0.03

_AXIS = np.arange(SIDE) - (SIDE - 1) / 2

Plane = Float64[np.ndarray, "32 32"]


# The class semantics: one-hot shape beside one-hot fill, rows as `CLASS_NAMES`, columns as `ATTRIBUTE_NAMES`.
ATTRIBUTES: Float32[np.ndarray, "c a"] = np.hstack(
    [
        np.repeat(np.eye(len(SHAPES), dtype=np.float32), len(FILLS), axis=0),
        np.tile(np.eye(len(FILLS), dtype=np.float32), (len(SHAPES), 1)),
    ]
)


def draw(label: int, index: int, *, seed: int = 0) -> UInt8[np.ndarray, "32 32 3"]:
    """Draw image `index` of class `label`, independently of other images.

    Args:
        label: index of the class in `CLASS_NAMES`.
        index: number of the image within its class, from 0.
        seed: another seed gives another data set.

    Returns:
        An RGB image.

    Raises:
        InputError: the class does not exist, or `index` or `seed` is negative.
    """
    if not 0 <= label < len(CLASS_NAMES) or index < 0 or seed < 0:
        raise InputError(
            f"draw needs a class in 0..{len(CLASS_NAMES) - 1}, an index >= 0 and a seed >= 0; "
            f"got class {label}, index {index}, seed {seed}"
        )
    rng = np.random.default_rng((seed, label, index))
    shape, fill = SHAPES[label // len(FILLS)], FILLS[label % len(FILLS)]

    radius = rng.uniform(*RADIUS)
    turn = rng.uniform(-TURN, TURN)
    dx, dy = rng.uniform(-SHIFT, SHIFT, 2)
    x, y = np.meshgrid(_AXIS - dx, _AXIS - dy)
    u, v = np.cos(turn) * x + np.sin(turn) * y, np.cos(turn) * y - np.sin(turn) * x

    inside = _DISTANCE[shape](u, v, radius)
    cover = _soft(inside)
    ink = _ink(fill, u, v, inside, rng)

    levels = [rng.uniform(*LEVELS[i]) for i in rng.permutation(3)]
    ink_colour, gap_colour, ground_colour = (level + _tint(rng) for level in levels)
    ground = ground_colour + _waves(rng)[:, :, None]
    # Hollow shapes show the background.
    gap = ground if fill == "hollow" else np.broadcast_to(gap_colour, ground.shape)
    body = gap + ink[:, :, None] * (ink_colour - gap)
    image = ground + cover[:, :, None] * (body - ground)
    image += NOISE * rng.standard_normal(image.shape)
    return np.rint(255 * np.clip(image, 0, 1)).astype(np.uint8)


def _soft(distance: Plane) -> Plane:
    """Share of each pixel inside the shape, from the distance of its centre to the edge (positive inside)."""
    return np.clip(distance + 0.5, 0, 1)


def _ink(fill: str, u: Plane, v: Plane, inside: Plane, rng: np.random.Generator) -> Plane:
    """Share of each pixel that is ink, not gap; a pattern turns with its shape and has a random offset."""
    if fill == "solid":
        return np.ones_like(u)
    if fill == "hollow":
        return _soft(rng.uniform(2.0, 3.0) - inside)
    begin = rng.uniform(0, 1, 2)
    if fill == "striped":
        period = rng.uniform(5.0, 6.0)
        return _soft(period / 4 - period * np.abs((u / period + begin[0]) % 1 - 0.5))
    if fill == "checkered":
        period = rng.uniform(7.5, 9.0)
        a, b = (
            period * (np.abs((w / period + s) % 1 - 0.5) - 0.25) for w, s in zip((u, v), begin, strict=True)
        )
        return _soft(np.sign(a * b) * np.minimum(np.abs(a), np.abs(b)))
    period = rng.uniform(5.5, 6.5)  # spotted: the spots are the gaps
    a, b = (period * ((w / period + s) % 1 - 0.5) for w, s in zip((u, v), begin, strict=True))
    return _soft(np.hypot(a, b) - 0.33 * period)


def _tint(rng: np.random.Generator) -> Float64[np.ndarray, " 3"]:
    """A change of hue that keeps the mean of the channels."""
    tint = rng.uniform(-TINT, TINT, 3)
    return tint - tint.mean()


def _waves(rng: np.random.Generator) -> Plane:
    """A slow wave across the background."""
    kx, ky = rng.uniform(-2 * np.pi / SIDE, 2 * np.pi / SIDE, 2)
    return WAVE * np.sin(kx * _AXIS[None, :] + ky * _AXIS[:, None] + rng.uniform(0, 2 * np.pi))


# Distance to the edge, positive inside. It need only be accurate inside.


def _circle(u: Plane, v: Plane, radius: float) -> Plane:
    return 0.95 * radius - np.hypot(u, v)


def _square(u: Plane, v: Plane, radius: float) -> Plane:
    return 0.82 * radius - np.maximum(np.abs(u), np.abs(v))


def _triangle(u: Plane, v: Plane, radius: float) -> Plane:
    low = v - 0.25 * radius  # its centre, below that of the enclosing square
    return 0.56 * radius - np.maximum(low, np.sqrt(0.75) * np.abs(u) - 0.5 * low)


def _star(u: Plane, v: Plane, radius: float) -> Plane:
    """Five points, folded onto half of one: one line from the tip to the notch."""
    tip, notch, half = 1.05 * radius, 0.48 * radius, np.pi / 5
    angle = np.abs((np.arctan2(u, -v) + half) % (2 * half) - half)
    r = np.hypot(u, v)
    along, across = r * np.cos(angle), r * np.sin(angle)
    nx, ny = notch * np.sin(half), tip - notch * np.cos(half)
    return (nx * (tip - along) - ny * across) / np.hypot(nx, ny)


def _cross(u: Plane, v: Plane, radius: float) -> Plane:
    long, short = np.maximum(np.abs(u), np.abs(v)), np.minimum(np.abs(u), np.abs(v))
    return np.minimum(radius - long, 0.4 * radius - short)


def _crescent(u: Plane, v: Plane, radius: float) -> Plane:
    bite = np.hypot(u - 0.75 * radius, v) - 0.65 * radius
    return np.minimum(radius - np.hypot(u, v), bite)


_DISTANCE = {
    "circle": _circle,
    "square": _square,
    "triangle": _triangle,
    "star": _star,
    "cross": _cross,
    "crescent": _crescent,
}
