"""The drawn shapes as a TFDS data set, `zsh_shapes`."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import tensorflow_datasets as tfds
from PIL import Image

from zsh_jax.data.shapes.drawing import CLASS_NAMES, IMAGES_PER_CLASS, SIDE, draw

_DESCRIPTION = """Drawn colour images of 30 classes, each one of six shapes filled in one of five ways.
Place, turn, size, colours, background and noise vary freely. Made for zero-shot learning: every attribute of
a class that is held out is seen in other classes."""


@dataclasses.dataclass
class ZshShapesConfig(tfds.core.BuilderConfig):
    """One drawing of the data set.

    Attributes:
        seed: seed of the images.
    """

    seed: int = 0


def config_of(seed: int) -> ZshShapesConfig:
    """The config of a seed; seed 0 returns the registered object, because TFDS compares by identity."""
    if seed == 0:
        return ZshShapes.BUILDER_CONFIGS[0]
    return ZshShapesConfig(name=f"seed{seed}", description=f"Drawn from seed {seed}.", seed=seed)


class ZshShapes(tfds.core.GeneratorBasedBuilder):
    """Builder of `zsh_shapes`; prepare it with `file_format="array_record"`, read without TensorFlow."""

    name = "zsh_shapes"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Six shapes, five fills, 300 images a class."}  # noqa: RUF012 (TFDS wants it so)
    BUILDER_CONFIGS = [ZshShapesConfig(name="seed0", description="Drawn from seed 0.")]  # noqa: RUF012

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "id": tfds.features.Text(),
            "image": tfds.features.Image(shape=(SIDE, SIDE, 3), encoding_format="png"),
            "label": tfds.features.ClassLabel(names=list(CLASS_NAMES)),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description=_DESCRIPTION,
            features=tfds.features.FeaturesDict(features),
            supervised_keys=("image", "label"),
            disable_shuffling=True,  # stored class by class, so the row number identifies the image
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        del dl_manager  # nothing to fetch
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
        for row in range(len(CLASS_NAMES) * IMAGES_PER_CLASS):
            label, index = divmod(row, IMAGES_PER_CLASS)
            # Written without TensorFlow, an image feature takes a Pillow image, not an array.
            image = Image.fromarray(draw(label, index, seed=self.builder_config.seed))
            yield row, {"id": image_id(label, index), "image": image, "label": label}


def image_id(label: int, index: int) -> str:
    """The identifier of an image, such as `striped_circle_007`."""
    return f"{CLASS_NAMES[label].replace(' ', '_')}_{index:03d}"
