"""The drawn shapes as TFDS data sets, `zsh_shapes` and `zsh_tinted_shapes`."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from jaxtyping import UInt8
from PIL import Image

from zsh_jax.data.shapes import tinted
from zsh_jax.data.shapes.drawing import CLASS_NAMES, IMAGES_PER_CLASS, SIDE, draw
from zsh_jax.data.shapes.tinted import draw_tinted

_DESCRIPTION = """Drawn colour images of 30 classes, each one of six shapes filled in one of five ways.
Place, turn, size, colours, background and noise vary freely. Made for zero-shot learning: every attribute of
a class that is held out is seen in other classes."""
_TINTED = """Drawn colour images of 100 classes, each one of five shapes filled in one of five ways in one of four hues.
Otherwise as zsh_shapes."""


@dataclasses.dataclass
class ZshShapesConfig(tfds.core.BuilderConfig):
    """One drawing of the data set.

    Attributes:
        seed: seed of the images.
    """

    seed: int = 0


_FIRST = ZshShapesConfig(name="seed0", description="Drawn from seed 0.")


def config_of(seed: int) -> ZshShapesConfig:
    """The config of a seed; seed 0 returns the registered object, because TFDS compares by identity."""
    if seed == 0:
        return _FIRST
    return ZshShapesConfig(name=f"seed{seed}", description=f"Drawn from seed {seed}.", seed=seed)


class ZshShapes(tfds.core.GeneratorBasedBuilder):
    """Builder of `zsh_shapes`; prepare it with `file_format="array_record"`, read without TensorFlow."""

    name = "zsh_shapes"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Six shapes, five fills, 300 images a class."}  # noqa: RUF012 (TFDS wants it so)
    BUILDER_CONFIGS = [_FIRST]  # noqa: RUF012

    def _info(self) -> tfds.core.DatasetInfo:
        return _info_of(self, _DESCRIPTION, CLASS_NAMES)

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        del dl_manager  # nothing to fetch
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
        return _drawn(draw, CLASS_NAMES, IMAGES_PER_CLASS, self.builder_config.seed)


class ZshTintedShapes(tfds.core.GeneratorBasedBuilder):
    """Builder of `zsh_tinted_shapes`."""

    name = "zsh_tinted_shapes"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Five shapes, five fills, four hues, 100 images a class."}  # noqa: RUF012
    BUILDER_CONFIGS = [_FIRST]  # noqa: RUF012

    def _info(self) -> tfds.core.DatasetInfo:
        return _info_of(self, _TINTED, tinted.CLASS_NAMES)

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        del dl_manager  # nothing to fetch
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
        seed = self.builder_config.seed
        return _drawn(draw_tinted, tinted.CLASS_NAMES, tinted.IMAGES_PER_CLASS, seed)


def _info_of(
    builder: tfds.core.DatasetBuilder, description: str, names: Sequence[str]
) -> tfds.core.DatasetInfo:
    features = {
        "id": tfds.features.Text(),
        "image": tfds.features.Image(shape=(SIDE, SIDE, 3), encoding_format="png"),
        "label": tfds.features.ClassLabel(names=list(names)),
    }
    return tfds.core.DatasetInfo(
        builder=builder,
        description=description,
        features=tfds.features.FeaturesDict(features),
        supervised_keys=("image", "label"),
        disable_shuffling=True,  # stored class by class, so the row number identifies the image
    )


def _drawn(
    picture: Callable[..., UInt8[np.ndarray, "32 32 3"]], names: Sequence[str], images: int, seed: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Examples of all classes, `images` of each."""
    for row in range(len(names) * images):
        label, index = divmod(row, images)
        # Written without TensorFlow, an image feature takes a Pillow image, not an array.
        image = Image.fromarray(picture(label, index, seed=seed))
        yield row, {"id": image_id(names[label], index), "image": image, "label": label}


def image_id(name: str, index: int) -> str:
    """The identifier of an image, such as `striped_circle_007`."""
    return f"{name.replace(' ', '_')}_{index:03d}"
