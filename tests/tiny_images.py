"""A data set of TFDS, of eight images, to be prepared in a folder of the test's own."""

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image

NAMES = ("cat", "striped circle", "7")
ROWS = {"train": 5, "test": 3}


def pixels(split, row, size=(6, 4), channels=3):
    rng = np.random.default_rng((len(split), row))
    return rng.integers(0, 256, (*size, channels), np.uint8)


class TinyImages(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """Eight images; `plan` says what each row holds besides."""

    name = "tiny_images"
    VERSION = tfds.core.Version("1.2.0")
    plan = staticmethod(lambda split, row: {"id": f"{split}-{row}"})
    features = {"id": tfds.features.Text()}  # noqa: RUF012
    shape = (6, 4, 3)

    def _info(self):
        features = {
            "image": tfds.features.Image(shape=self.shape, encoding_format="png"),
            "label": tfds.features.ClassLabel(names=list(NAMES)),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(features | self.features),
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager):
        del dl_manager
        return {split: self._generate_examples(split) for split in ROWS}

    def _generate_examples(self, split):
        for row in range(ROWS[split]):
            image = np.squeeze(pixels(split, row, channels=self.shape[-1]))
            example = {"image": Image.fromarray(image), "label": row % 3}
            yield row, example | self.plan(split, row)


def prepare(folder, builder=TinyImages, file_format="array_record"):
    builder(data_dir=folder).download_and_prepare(file_format=file_format)
    return str(folder)
