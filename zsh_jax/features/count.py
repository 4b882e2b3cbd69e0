"""Number of values of named features, without extracting them."""

import numpy as np

from zsh_jax.features.pixels import SIDE
from zsh_jax.features.spec import Part, parse_spec

GIST = COLOUR = 512
EFFICIENTNET = 1280


def count_values(spec: str, height: int, width: int) -> int:
    """Length of the feature vector of an image.

    For network features it builds the network with random weights, which takes seconds and downloads nothing.

    Args:
        spec: see `parse_spec`.
        height: of the images.
        width: of the images.

    Returns:
        The number of values of all parts together.

    Raises:
        InputError: the features are unknown, or a network cannot be built.
    """
    return sum(_of(part, height, width) for part in parse_spec(spec))


def _of(part: Part, height: int, width: int) -> int:
    if part.side is not None:
        return EFFICIENTNET
    if part.network is None:
        shrunk = min(height, SIDE) * min(width, SIDE) * 3
        return {"gist": GIST, "colour": COLOUR, "pixels": shrunk}[part.name]
    from zsh_jax.features.backbone import load_backbone

    describe = load_backbone(part.network._replace(seed=0), batch_size=1)
    return describe(np.zeros((0, height, width, 3), np.uint8)).shape[1]
