"""From the name of features to the function that extracts them from images."""

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from zsh_jax.data.reading import reading, written
from zsh_jax.data.towers.saved import SavedTowers, find_towers, towers_digest
from zsh_jax.errors import InputError
from zsh_jax.features.applications import APPLICATIONS
from zsh_jax.features.spec import TOWERS, Describe, Part, parse_spec


class Extractor(NamedTuple):
    """One kind of features.

    Attributes:
        name: its name in results.
        identity: everything besides the images that determines the values: equal identities mean equal features.
        load: returns the function from images to features; it may build a network, so call it once and late.
    """

    name: str
    identity: str
    load: Callable[[], Describe]


def feature_extractors(
    spec: str, *, weights: str | Path | None = None, batch_size: int = 64, download: bool = False
) -> tuple[Extractor, ...]:
    """The extractors of a feature name, one for each part. Nothing is loaded or imported yet.

    Args:
        spec: see `parse_spec`, such as `gist+colour` or `keras:VGG16:fc2`.
        weights: file of network weights; None for the ImageNet weights that Keras downloads. For towers, the folder of
            a saved model, or its name on the hub.
        batch_size: images per network batch.
        download: whether to download the model of towers if it is not on disk.

    Returns:
        One extractor for each part; their features are concatenated.

    Raises:
        InputError: the name is unknown, `weights` is not a file (for towers, a whole model), or it does not apply to
            exactly one network.
    """
    if batch_size < 1:
        raise InputError(f"features.batch_size must be 1 or more; got {batch_size}")
    parts = parse_spec(spec)
    if weights is None:
        return tuple(_extractor(part, None, batch_size, download) for part in parts)
    trained = [part for part in parts if _reads_weights(part)]
    if len(trained) != 1:
        raise InputError(
            f"features.weights is for one network with trained weights, but {spec!r} names {len(trained)};  "
            "fix: do not set it, or name one network"
        )
    path = written(weights)
    if trained[0].name != TOWERS and not path.is_file():
        raise InputError(f"features.weights: there is no file {path}; fix: give weights saved by Keras (.h5)")
    return tuple(_extractor(part, path if part in trained else None, batch_size, download) for part in parts)


def _reads_weights(part: Part) -> bool:
    return part.name == TOWERS or (part.network is not None and part.network.seed is None)


def saved_towers(weights: str | Path | None, *, download: bool) -> SavedTowers:
    """The checked model of the features `towers`.

    Args:
        weights: as for `feature_extractors`.
        download: as for `feature_extractors`.

    Returns:
        The model.

    Raises:
        InputError: it is not named, not there or damaged, or has no two towers.
    """
    if weights is None:
        raise InputError(
            "features.weights is not set; fix: give the folder of a saved CLIP or SigLIP model with "
            "--config.features.weights=PATH"
        )
    return find_towers(weights, setting="features.weights", download=download)


def _extractor(part: Part, weights: Path | None, batch_size: int, download: bool) -> Extractor:
    network = part.network
    if part.name == TOWERS:
        return _towers(saved_towers(weights, download=download), batch_size)
    if part.side is not None:
        return _efficientnet(part.name, part.side, batch_size)
    if network is None:
        return Extractor(part.name, f"{part.name} 1", partial(_plain, part.name))
    if network.seed is not None:
        source = f"random {network.seed}"
    elif weights is None:
        source = "imagenet"
    else:
        with reading(weights, "cannot be read"), weights.open("rb") as file:
            source = f"sha256 {hashlib.file_digest(file, 'sha256').hexdigest()}"
    side = APPLICATIONS[network.application].side
    identity = (
        f"keras {network.application}, layer {network.layer or 'pooled'}, weights {source}, "
        f"bilinear {side} x {side}, its own preprocessing, 1"
    )

    def load() -> Any:
        from zsh_jax.features.backbone import load_backbone

        return load_backbone(network, weights=weights, batch_size=batch_size)

    return Extractor(part.name, identity, load)


def _efficientnet(name: str, side: int, batch_size: int) -> Extractor:
    def load() -> Describe:
        from zsh_jax.features.efficientnet import load_efficientnet

        return load_efficientnet(side=side, batch_size=batch_size)

    # The weights are those of one file, by its digest.
    return Extractor(
        name, f"efficientnet_lite0 57934424, bilinear {side} x {side}, mean activations, 1", load
    )


def _towers(saved: SavedTowers, batch_size: int) -> Extractor:
    def load() -> Describe:
        from zsh_jax.features.towers import load_image_tower

        return load_image_tower(saved, batch_size=batch_size)

    identity = f"image tower, {saved.kind}, sha256 {towers_digest(saved)}, its own preprocessing by Pillow, 1"
    return Extractor(TOWERS, identity, load)


def _plain(name: str) -> Describe:
    # Import here: JAX starts only when features are needed.
    if name == "gist":
        from zsh_jax.features.gist import gist

        return gist
    if name == "colour":
        from zsh_jax.features.colour import colour

        return colour
    from zsh_jax.features.pixels import pixels

    return pixels
