"""Data sets of TFDS, read as they were written, without TensorFlow or network."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image, ImageOps
from tiny_images import NAMES, ROWS, TinyImages, pixels, prepare

from zsh_jax.data.tfds_source import load_tfds
from zsh_jax.errors import InputError

pytestmark = pytest.mark.usefixtures("no_network")

SHARED = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("tfds"))


def test_all_splits_one_after_the_other_as_they_were_written(prepared):
    dataset = load_tfds("tiny_images", data_dir=prepared)
    rows = [(split, row) for split, count in ROWS.items() for row in range(count)]
    written = {f"{split}-{row}": (split, row) for split, row in rows}
    assert dataset.name == "tiny_images"
    assert dataset.class_names == NAMES
    assert dataset.attributes is None
    assert dataset.ids.tolist() == list(written)
    assert dataset.source_splits.tolist() == [split for split, _ in rows]
    assert dataset.labels.dtype == np.int32
    np.testing.assert_array_equal(dataset.labels, [row % 3 for _, row in rows])
    np.testing.assert_array_equal(dataset.images, [pixels(*row) for row in rows])


def test_identifiers_and_labels_alone_are_the_same(prepared):
    whole, bare = (
        load_tfds("tiny_images:1.*.*", data_dir=prepared, images=images) for images in (True, False)
    )
    assert bare.images is None
    for field in ("ids", "source_splits", "labels"):
        np.testing.assert_array_equal(getattr(bare, field), getattr(whole, field))


def test_several_files_a_split_are_read_in_their_order(tmp_path):
    config = tfds.download.DownloadConfig(num_shards=3)
    TinyImages(data_dir=tmp_path).download_and_prepare(file_format="array_record", download_config=config)
    assert len(list(tmp_path.rglob("*train.array_record-*"))) == 3
    dataset = load_tfds("tiny_images", data_dir=str(tmp_path))
    assert dataset.ids.tolist() == [f"{split}-{row}" for split in ROWS for row in range(ROWS[split])]


def test_rows_without_id_are_numbered_and_grey_becomes_rgb(tmp_path):
    class Grey(TinyImages, skip_registration=True):
        name = "grey"
        features = {}  # noqa: RUF012
        plan = staticmethod(lambda split, row: {})
        shape = (6, 4, 1)

    config = tfds.download.DownloadConfig(num_shards=2)
    Grey(data_dir=tmp_path).download_and_prepare(file_format="array_record", download_config=config)
    dataset = load_tfds("grey", data_dir=str(tmp_path))
    assert dataset.ids[4:6].tolist() == ["train_00004", "test_00000"]
    expected = np.repeat(pixels("test", 0, channels=1), 3, axis=-1)
    np.testing.assert_array_equal(dataset.images[5], expected)


def test_images_without_a_label_are_left_out(tmp_path):
    class Unlabelled(TinyImages, skip_registration=True):
        name = "unlabelled"
        plan = staticmethod(
            lambda split, row: {"id": f"{split}-{row}"} | ({"label": -1} if split == "test" else {})
        )

    dataset = load_tfds("unlabelled", data_dir=prepare(tmp_path, Unlabelled))
    assert set(dataset.source_splits) == {"train"}
    assert len(dataset.ids) == len(dataset.labels) == len(dataset.images) == ROWS["train"]


def test_several_labels_an_image_and_rows_without_any(tmp_path):
    class Several(TinyImages, skip_registration=True):
        name = "several"
        shape = (6, 6, 3)
        plan = staticmethod(
            lambda split, row: {
                "file_name": f"{split}{row}.jpg",
                "labels": [0, 2][: row % 3],
                "image": Image.fromarray(pixels(split, row, (6, 6))),
            }
        )

        def _info(self):
            features = {
                "image": tfds.features.Image(shape=self.shape, encoding_format="png"),
                "labels": tfds.features.Sequence(tfds.features.ClassLabel(names=list(NAMES))),
                "file_name": tfds.features.Text(),
            }
            features = tfds.features.FeaturesDict(features)
            return tfds.core.DatasetInfo(builder=self, features=features, disable_shuffling=True)

        def _generate_examples(self, split):
            for row in range(ROWS[split]):
                yield row, self.plan(split, row)

    folder = prepare(tmp_path, Several)
    now, later = (load_tfds("several", data_dir=folder, on_demand=on_demand) for on_demand in (False, True))
    assert now.class_names == NAMES
    assert now.ids.tolist() == [f"{split}{row}.jpg" for split in ROWS for row in range(ROWS[split])]
    assert now.labels.dtype == np.bool_
    rows = [[0, 0, 0], [1, 0, 0], [1, 0, 1]]
    np.testing.assert_array_equal(now.labels, [rows[row % 3] for split in ROWS for row in range(ROWS[split])])
    np.testing.assert_array_equal(later.images[:], now.images)
    np.testing.assert_array_equal(later.labels, now.labels)


def test_pictures_on_demand_are_those_decoded_at_once(tmp_path):
    class Unlabelled(TinyImages, skip_registration=True):
        name = "partly"
        shape = (6, 6, 3)
        plan = staticmethod(
            lambda split, row: {
                "id": f"{split}-{row}",
                "label": row % 3 - 1,
                "image": Image.fromarray(pixels(split, row, (6, 6))),
            }
        )

    folder = prepare(tmp_path, Unlabelled)
    now, later = (load_tfds("partly", data_dir=folder, on_demand=on_demand) for on_demand in (False, True))
    assert len(now.ids) == 5
    np.testing.assert_array_equal(np.asarray(later.images), now.images)


def test_pictures_of_several_sizes_are_no_array(tmp_path):
    class Uneven(TinyImages, skip_registration=True):
        name = "uneven"
        shape = (None, None, 3)
        plan = staticmethod(
            lambda split, row: {"id": str(row), "image": Image.fromarray(pixels(split, row, (6, 4 + row)))}
        )

    folder = prepare(tmp_path, Uneven)
    squares = load_tfds("uneven", data_dir=folder, image_size=4).images
    for row in (0, 4, 7):
        written = Image.fromarray(pixels("train" if row < 5 else "test", row % 5, (6, 4 + row % 5)))
        expected = ImageOps.fit(written, (4, 4), Image.Resampling.BICUBIC)
        np.testing.assert_array_equal(squares[row], np.asarray(expected))
    with pytest.raises(InputError, match=r"differ in size \(from 6 x 4 x 3 to 6 x 8 x 3\)"):
        load_tfds("uneven", data_dir=folder)
    assert len(load_tfds("uneven", data_dir=folder, images=False).ids) == 8


def test_a_set_of_something_else_is_named_with_what_it_has(tmp_path):
    class Unclassed(TinyImages, skip_registration=True):
        name = "unclassed"
        features = {"label": tfds.features.Text()}  # noqa: RUF012
        plan = staticmethod(lambda split, row: {"label": "cat"})

    with pytest.raises(InputError, match="it has image, label, but no 'label' of kind ClassLabel"):
        load_tfds("unclassed", data_dir=prepare(tmp_path, Unclassed))


def test_tensorflow_is_not_loaded(prepared):
    script = (
        "import sys; from zsh_jax.data.tfds_source import load_tfds; assert 'tensorflow_datasets' not in sys.modules; "
        f"load_tfds('tiny_images', data_dir={prepared!r}); sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_real_cifar10_has_what_its_features_say():
    folder, features = SHARED / "tfds", SHARED / "features" / "cifar10" / "mobilenet_v1"
    if not (folder / "cifar10").is_dir():
        pytest.skip(f"no real CIFAR-10: {folder / 'cifar10'} is missing")
    dataset = load_tfds("cifar10", data_dir=str(folder), images=False)
    assert dataset.class_names[:3] == ("airplane", "automobile", "bird")
    np.testing.assert_array_equal(np.bincount(dataset.labels), np.full(10, 6000))
    for split, count in (("train", 50_000), ("test", 10_000)):
        of_split = dataset.source_splits == split
        labels = dict(zip(dataset.ids[of_split].tolist(), dataset.labels[of_split].tolist(), strict=True))
        assert len(labels) == count
        with np.load(features / f"{split}.npz", allow_pickle=False) as archive:
            stated = dict(zip(archive["id"].astype(str).tolist(), archive["label"].tolist(), strict=True))
        assert labels == stated


@pytest.mark.slow
def test_real_cifar10_pictures_are_those_of_another_decoder():
    """The raw bytes of single records, decoded by Pillow straight, at rows spread over both splits."""
    folder = SHARED / "tfds"
    if not (folder / "cifar10").is_dir():
        pytest.skip(f"no real CIFAR-10: {folder / 'cifar10'} is missing")
    dataset = load_tfds("cifar10", data_dir=str(folder))
    assert dataset.images.shape == (60_000, 32, 32, 3)
    assert 100 < dataset.images[::100].mean() < 140
    builder = tfds.builder_from_directory(folder / "cifar10" / "3.0.2")
    decoders = {"image": tfds.decode.SkipDecoding()}
    for split, start in (("train", 0), ("test", 50_000)):
        source = builder.as_data_source(split, decoders=decoders)
        for row in range(0, len(source), 1999):
            record = source[row]
            assert dataset.ids[start + row] == record["id"].decode()
            with Image.open(io.BytesIO(record["image"])) as image:
                np.testing.assert_array_equal(dataset.images[start + row], np.asarray(image))
