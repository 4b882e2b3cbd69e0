"""MIRFlickr-25K as a TFDS data set, `zsh_mirflickr25k`, from manually downloaded archives."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds
from PIL import Image

from zsh_jax.data.images import square
from zsh_jax.data.mirflickr.read import CONCEPTS, INSTRUCTIONS, RELEVANT, read_archive

SIDE = 224
QUALITY = 95  # of JPEG

_DESCRIPTION = """25,000 photographs of Flickr with 24 potential concepts, and 14 of them more strictly as relevant ones
(Huiskes and Lew 2008). The short side is resized to 224 pixels and the middle square cut out; images without any
concept are kept."""


class ZshMirflickr25k(tfds.core.GeneratorBasedBuilder):
    """Builder of `zsh_mirflickr25k`; prepare it with `file_format="array_record"`, read without TensorFlow."""

    name = "zsh_mirflickr25k"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Squares of 224 pixels."}  # noqa: RUF012 (TFDS wants it so)
    BUILDER_CONFIGS = [  # noqa: RUF012
        tfds.core.BuilderConfig(name="potential", description="The 24 potential concepts."),
        tfds.core.BuilderConfig(name="relevant", description="These and the 14 relevant ones, 38 in all."),
    ]
    MANUAL_DOWNLOAD_INSTRUCTIONS = INSTRUCTIONS

    @property
    def concepts(self) -> tuple[str, ...]:
        """Concepts of this config, in the order of the labels."""
        return CONCEPTS + (RELEVANT if self.builder_config.name == "relevant" else ())

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "id": tfds.features.Text(),
            "image": tfds.features.Image(shape=(SIDE, SIDE, 3), encoding_format="jpeg"),
            "labels": tfds.features.Sequence(tfds.features.ClassLabel(names=list(self.concepts))),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description=_DESCRIPTION,
            features=tfds.features.FeaturesDict(features),
            homepage="https://press.liacs.nl/mirflickr/",
            disable_shuffling=True,  # stored by image number
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        # Read all annotations before writing a row, so that missing or inconsistent files are found at once.
        archive = read_archive(Path(dl_manager.manual_dir), self.concepts)
        return {"train": self._generate_examples(archive)}

    def _generate_examples(self, archive: Any) -> Iterator[tuple[int, dict[str, Any]]]:
        for row, path in enumerate(archive.images):
            encoded = io.BytesIO()
            Image.fromarray(square(path, SIDE)).save(encoded, "JPEG", quality=QUALITY)
            encoded.seek(0)
            labels = archive.labels[row].nonzero()[0].tolist()
            yield row, {"id": f"im{archive.numbers[row]}", "image": encoded, "labels": labels}
