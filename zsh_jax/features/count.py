"""Number of values of named features, without extracting them."""

from pathlib import Path

import numpy as np

from zsh_jax.data.towers.library import check_installed
from zsh_jax.features.extractors import saved_towers
from zsh_jax.features.pixels import SIDE
from zsh_jax.features.spec import TOWERS, Part, parse_spec

GIST = COLOUR = 512
EFFICIENTNET = 1280


def count_values(
    spec: str, height: int, width: int, *, weights: str | Path | None = None, download: bool = False
) -> int:
    """Length of the feature vector of an image.

    For features of Keras it builds the network with random weights, which takes seconds and downloads nothing.

    Args:
        spec: see `parse_spec`.
        height: of the images.
        width: of the images.
        weights: the model of towers; others are not read.
        download: whether to download it if it is not on disk.

    Returns:
        The number of values of all parts together.

    Raises:
        InputError: the features are unknown, or a network cannot be built or found.
    """
    return sum(
        _of_towers(weights, download) if part.name == TOWERS else _of(part, height, width)
        for part in parse_spec(spec)
    )


def _of_towers(weights: str | Path | None, download: bool) -> int:
    saved = saved_towers(weights, download=download)
    check_installed()  # before a sweep is planned with features that cannot be made
    return saved.values


def _of(part: Part, height: int, width: int) -> int:
    if part.side is not None:
        return EFFICIENTNET
    if part.network is None:
        shrunk = min(height, SIDE) * min(width, SIDE) * 3
        return {"gist": GIST, "colour": COLOUR, "pixels": shrunk}[part.name]
    from zsh_jax.features.backbone import load_backbone

    describe = load_backbone(part.network._replace(seed=0), batch_size=1)
    return describe(np.zeros((0, height, width, 3), np.uint8)).shape[1]
