"""What features are called: `gist`, `colour`, `keras:VGG16:fc2`, and several joined by `+`."""

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
    "keras:NETWORK[@random[SEED]][:LAYER]": "a layer of a network of Keras, such as keras:VGG16:fc2",
}
"""Every kind of feature that is made from pictures, and what it is."""


class Network(NamedTuple):
    """A layer of a network of Keras.

    Attributes:
        application: its name in `keras.applications`.
        layer: whose output is wanted; None for the last one before the classifier, pooled.
        seed: of random weights; None for trained ones.
    """

    application: str
    layer: str | None = None
    seed: int | None = None


class Part(NamedTuple):
    """One kind of feature among those that are joined.

    Attributes:
        name: as results state it, in one spelling.
        network: for features of a network; else None.
    """

    name: str
    network: Network | None = None


def parse_spec(spec: str) -> tuple[Part, ...]:
    """Read what features are called.

    Args:
        spec: names of `FEATURES`, joined by `+`.

    Returns:
        The parts, in the order in which their features stand side by side.

    Raises:
        InputError: there is no such kind of feature or network, or one stands twice.
    """
    parts = tuple(_part(word.strip(), spec) for word in spec.split("+"))
    names = [part.name for part in parts]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise InputError(f"features.name: {twice} stands twice in {spec!r}; name it once")
    return parts


def _part(word: str, spec: str) -> Part:
    if word in FEATURES:
        return Part(word)
    if word != "keras" and not word.startswith("keras:"):
        raise InputError(
            f"features.name: there is no {word!r} in {spec!r}; take any of {', '.join(FEATURES)}, joined by +"
        )
    match = re.fullmatch(r"keras:(?P<name>\w+)(?P<random>@random(?P<seed>\d*))?(:(?P<layer>[^:@+]+))?", word)
    if not match:
        raise InputError(f"features.name: {word!r} is not of the form keras:NETWORK[@random[SEED]][:LAYER]")
    name, layer = match["name"], match["layer"]
    if name not in APPLICATIONS:
        raise InputError(f"features.name: Keras has no network {name!r}; {nearest_names(name, APPLICATIONS)}")
    seed = int(match["seed"] or 0) if match["random"] else None
    random = "" if seed is None else f"@random{seed or ''}"
    return Part(f"keras:{name}{random}{f':{layer}' if layer else ''}", Network(name, layer, seed))
