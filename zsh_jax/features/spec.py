"""Names of features: `gist`, `efficientnet_lite0`, `keras:VGG16:fc2`, and several joined by `+`."""

import re
from collections.abc import Callable
from typing import NamedTuple

from jaxtyping import Float32, UInt8
from numpy import ndarray

from zsh_jax.data.nearest import nearest_names
from zsh_jax.errors import InputError
from zsh_jax.features.applications import APPLICATIONS

Describe = Callable[[UInt8[ndarray, "n h w 3"]], Float32[ndarray, "n d"]]
"""From images to their features."""

FEATURES = {
    "gist": "energy at each scale and orientation over a grid (Oliva and Torralba 2001), 512 values",
    "colour": "joint RGB histogram (Swain and Ballard 1991), 512 values",
    "pixels": "raw pixels, at most 32 a side (Torralba et al. 2008), 3,072 values",
    "efficientnet_lite0[@SIDE]": "EfficientNet-Lite0 (Tan and Le 2019) at SIDE pixels, or 224; 1,280 values",
    "towers": "image embeddings of a CLIP or SigLIP model (Radford et al. 2021, Zhai et al. 2023)",
    "keras:NETWORK[@random[SEED]][:LAYER]": "a layer of a network of Keras, such as keras:VGG16:fc2",
}
"""Every kind of feature that is extracted from images, with a description."""


class Network(NamedTuple):
    """A layer of a Keras network.

    Attributes:
        application: its name in `keras.applications`.
        layer: the output layer; None for the last layer before the classifier, pooled.
        seed: of random weights; None for trained weights.
    """

    application: str
    layer: str | None = None
    seed: int | None = None


class Part(NamedTuple):
    """One of the joined kinds of features.

    Attributes:
        name: its canonical name in results.
        network: the network, for features of Keras; else None.
        side: of the input of EfficientNet-Lite0, in pixels; else None.
    """

    name: str
    network: Network | None = None
    side: int | None = None


def parse_spec(spec: str) -> tuple[Part, ...]:
    """Parse the name of features.

    Args:
        spec: names of `FEATURES`, joined by `+`.

    Returns:
        The parts, in the order in which their features are concatenated.

    Raises:
        InputError: a kind of feature or a network is unknown or repeated.
    """
    parts = tuple(_part(word.strip(), spec) for word in spec.split("+"))
    names = [part.name for part in parts]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise InputError(f"features.name: {twice} occurs twice in {spec!r}; fix: name it once")
    return parts


TOWERS = "towers"
EFFICIENTNET, TRAINED_SIDE, SIDES = "efficientnet_lite0", 224, range(32, 1025)


def _part(word: str, spec: str) -> Part:
    if word.partition("@")[0] == EFFICIENTNET:
        return _efficientnet(word)
    if word in FEATURES:
        return Part(word)
    if word != "keras" and not word.startswith("keras:"):
        raise InputError(
            f"features.name: there is no {word!r} in {spec!r}; fix: use any of {', '.join(FEATURES)}, joined by +"
        )
    match = re.fullmatch(r"keras:(?P<name>\w+)(?P<random>@random(?P<seed>\d*))?(:(?P<layer>[^:@+]+))?", word)
    if not match:
        raise InputError(
            f"features.name: {word!r} does not have the form keras:NETWORK[@random[SEED]][:LAYER]"
        )
    name, layer = match["name"], match["layer"]
    if name not in APPLICATIONS:
        raise InputError(f"features.name: Keras has no network {name!r}; {nearest_names(name, APPLICATIONS)}")
    seed = int(match["seed"] or 0) if match["random"] else None
    random = "" if seed is None else f"@random{seed or ''}"
    return Part(f"keras:{name}{random}{f':{layer}' if layer else ''}", Network(name, layer, seed))


def _efficientnet(word: str) -> Part:
    _, at, given = word.partition("@")
    if at and not (re.fullmatch("[0-9]{1,6}", given) and int(given) in SIDES):
        raise InputError(
            f"features.name: {word!r}; fix: give a side of {SIDES[0]} to {SIDES[-1]} pixels, as in {EFFICIENTNET}@160"
        )
    side = int(given) if at else TRAINED_SIDE
    return Part(EFFICIENTNET + (f"@{side}" if side != TRAINED_SIDE else ""), side=side)
