"""Prepared data sets of TFDS and exported codes on disk, with changed bytes: one line, or what was written.

A longer round, by hand: pytest tests/test_damaged_prepared.py --hypothesis-profile=long
"""

import json

import numpy as np
import pytest
from cells import hash_function
from damaged_files import CHANGES, Change, apply, finite, survives
from hypothesis import HealthCheck, example, given, settings
from tiny_images import NAMES, pixels, prepare

from zsh_jax.data.checked import checked
from zsh_jax.data.row_index import index_path, read_index, write_index
from zsh_jax.data.tfds_source import load_tfds, open_tfds
from zsh_jax.export.read import load_export
from zsh_jax.export.write import export_index

EXAMPLES = settings.default.max_examples // 10  # 5, or 200 in the long profile
TINY = "tiny_images/1.2.0/"
FILES = {
    "records": f"{TINY}tiny_images-train.array_record-00000-of-00001",
    "description": f"{TINY}dataset_info.json",
    "features": f"{TINY}features.json",
    "labels": f"{TINY}label.labels.txt",
    "index": f"{TINY}zsh_jax.train.npz",
}
FEATURES = np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A prepared data set with an index of its rows, and the content of each of its files."""
    folder = tmp_path_factory.mktemp("tfds")
    prepare(folder)
    builder = open_tfds("tiny_images", str(folder))
    rows = load_tfds("tiny_images", data_dir=str(folder), images=False)
    train = rows.source_splits == "train"
    write_index(index_path(builder, "train"), builder, "train", rows.ids[train], rows.labels[train])
    return folder, {
        name: (folder / file).read_bytes() for name, file in FILES.items()
    }.__getitem__  # shown shortly


def _load(folder, images):
    return checked(load_tfds("tiny_images", data_dir=str(folder), images=images), str(folder))


def _is_dataset(dataset):
    assert dataset.labels.ndim == 1
    if dataset.images is not None:
        assert dataset.images.shape == (8, 6, 4, 3)


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(CHANGES)
@example([Change("word", 0.375, 0)])  # of the description: the names of the files
@example([Change("lose", 0.375, 0)])
def test_a_damaged_data_set_is_named_or_read(prepared, name, changes):
    folder, content_of = prepared
    (folder / FILES[name]).write_bytes(apply(content_of(name), changes))
    try:
        for images in (False, True):
            survives(lambda images=images: _load(folder, images), _is_dataset, str(folder))
    finally:
        (folder / FILES[name]).write_bytes(content_of(name))


def test_records_with_flipped_bits_never_pass_for_others(prepared):
    """Each record has a checksum."""
    folder, content_of = prepared
    path = folder / FILES["records"]
    sound = content_of("records")
    places = np.linspace(0, len(sound) - 1, 12, dtype=int)
    for place in places:
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])

        def is_what_was_written(dataset):
            train = np.flatnonzero(dataset.source_splits == "train")
            for number, row in enumerate(train):
                np.testing.assert_array_equal(dataset.images[row], pixels("train", number))

        survives(lambda: _load(folder, True), is_what_was_written, str(folder))
    path.write_bytes(sound)


def test_a_sound_index_is_read(prepared):
    folder, _ = prepared
    builder = open_tfds("tiny_images", str(folder))
    assert index_path(builder, "train").name == "zsh_jax.train.npz"
    index_path(builder, "train").unlink()
    rows = load_tfds("tiny_images", data_dir=str(folder), images=False)
    train = rows.source_splits == "train"
    write_index(index_path(builder, "train"), builder, "train", rows.ids[train], rows.labels[train])
    ids, labels = read_index(builder, "train")
    np.testing.assert_array_equal(ids, rows.ids[train])
    np.testing.assert_array_equal(labels, rows.labels[train])
    assert set(rows.class_names) == set(NAMES)


EXPORTED = ("index.json", "codes.npy", "ids.npy", "hash_function.safetensors", "index.faiss")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    pytest.importorskip("faiss")
    folder = export_index(
        tmp_path_factory.mktemp("export") / "out", hash_function(), FEATURES, ids=np.arange(20)
    )
    contents = {name: (folder / name).read_bytes() for name in EXPORTED}
    return folder, lambda name: contents[name]


def _is_export(export):
    assert export.codes.dtype == np.uint8
    assert export.codes.shape == (20, -(-export.bits // 8))
    finite(export.hash_function.preprocessing.mean, dims=1)


@pytest.mark.parametrize("name", EXPORTED)
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(CHANGES)
def test_a_damaged_export_is_named_or_read(exported, name, changes):
    folder, content_of = exported
    (folder / name).write_bytes(apply(content_of(name), changes))
    try:
        survives(lambda: load_export(folder), _is_export, str(folder))
    finally:
        (folder / name).write_bytes(content_of(name))


def test_the_sound_export_is_read(exported):
    assert survives(lambda: load_export(exported[0]), _is_export, "") is None
    assert json.loads(exported[1]("index.json"))["number"] == 20
