"""Data sets as `datasets` of Hugging Face saves them, written here by pyarrow alone."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from zsh_jax.data.__main__ import main
from zsh_jax.data.feature_files import load_features
from zsh_jax.data.hugging_face import load_hugging_face
from zsh_jax.data.registry import load_dataset
from zsh_jax.data.spec import Source
from zsh_jax.errors import InputError

pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")

NAMES = ("cat", "dog", "killer+whale")
PIXELS = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), np.uint8)
LABELS = np.arange(12) % 3
TAGS = [[0], [1, 2], [], [2], [0, 1, 2], [1]] * 2
FEATURES = np.random.default_rng(1).normal(size=(12, 4)).astype(np.float32)
CLASS_LABEL = {"names": NAMES, "_type": "ClassLabel"}
STATED = {
    "image": {"_type": "Image"},
    "label": CLASS_LABEL,
    "tags": {"feature": CLASS_LABEL, "_type": "List"},
    "older": [CLASS_LABEL],
}


def _png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return {"bytes": file.getvalue(), "path": None}


def _table(rows=slice(None), **changes):
    columns = {
        "label": pa.array(LABELS[rows], pa.int64()),
        "image": pa.array([_png(one) for one in PIXELS[rows]]),
        "tags": pa.array(TAGS[rows], pa.list_(pa.int64())),
        "older": pa.array(TAGS[rows], pa.list_(pa.int64())),
        "embedding": pa.array(FEATURES[rows].tolist(), pa.list_(pa.float32())),
    } | changes
    columns = {name: column for name, column in columns.items() if column is not None}
    stated = {"info": {"features": STATED}}
    return pa.table(columns).replace_schema_metadata({"huggingface": json.dumps(stated)})


def _save_to_disk(folder, table, parts=1):
    folder.mkdir(parents=True)
    files = [f"data-{part:05d}-of-{parts:05d}.arrow" for part in range(parts)]
    step = -(-len(table) // parts)
    for part, name in enumerate(files):
        piece = table.slice(part * step, step)
        with pa.ipc.new_stream(folder / name, table.schema) as writer:
            writer.write_table(piece, max_chunksize=3)
    listed = [{"filename": name} for name in files]
    (folder / "state.json").write_text(json.dumps({"_data_files": listed, "_split": None}))


def _one(folder):
    _save_to_disk(folder / "set", _table(), parts=2)
    return folder / "set"


def _several(folder):
    for split, rows in (("train", slice(0, 7)), ("test", slice(7, 12))):
        _save_to_disk(folder / "set" / split, _table(rows))
    (folder / "set" / "dataset_dict.json").write_text(json.dumps({"splits": ["train", "test"]}))
    return folder / "set"


def _hub(folder):
    (folder / "set" / "data").mkdir(parents=True)
    for split, rows in (("a-train", slice(0, 7)), ("b-test", slice(7, 12))):
        place = folder / "set" / "data" / f"{split}-00000-of-00001.parquet"
        pq.write_table(_table(rows), place, row_group_size=3)
    return folder / "set"


LAYOUTS = {"a folder of shards": (_one, "set"), "splits": (_several, "train"), "Parquet": (_hub, "a-train")}


@pytest.mark.parametrize(("write", "split"), LAYOUTS.values(), ids=LAYOUTS)
def test_images_and_labels_are_those_that_were_saved(tmp_path, write, split):
    dataset = load_dataset(Source("huggingface", path=str(write(tmp_path)), image_size=8))
    assert dataset.class_names == ("cat", "dog", "killer whale")
    np.testing.assert_array_equal(dataset.labels, LABELS)
    np.testing.assert_array_equal(np.asarray(dataset.images), PIXELS)
    order = np.array([11, 0, 5, 4])  # of several row groups
    np.testing.assert_array_equal(dataset.images[order], PIXELS[order])
    assert dataset.source_splits[0] == split
    assert dataset.ids[0] == f"{split}_00000"
    assert len(set(zip(dataset.ids, dataset.source_splits, strict=True))) == 12


def test_lists_of_classes_are_several_labels(tmp_path, capsys):
    for column in ("tags", "older"):
        dataset = load_hugging_face(_one(tmp_path / column), keys=Source("").keys._replace(labels=(column,)))
        expected = [[number in one for number in range(3)] for one in TAGS]
        np.testing.assert_array_equal(dataset.labels, expected)
    assert (
        main(["prepare", "huggingface", "--path", str(tmp_path / "tags" / "set"), "--array-labels", "tags"])
        == 0
    )
    assert "2 have none" in capsys.readouterr().out


def test_images_without_a_label_are_left_out_and_counted(tmp_path, capsys):
    labels = np.where(np.arange(12) < 4, -1, LABELS)
    _save_to_disk(tmp_path / "set", _table(label=pa.array(labels)))
    dataset = load_hugging_face(tmp_path / "set", image_size=8)
    np.testing.assert_array_equal(dataset.labels, LABELS[4:])
    np.testing.assert_array_equal(dataset.images[:], PIXELS[4:])
    assert "4 of 12 images have no label and are left out" in capsys.readouterr().err


def test_columns_of_features_have_the_class_names_of_the_table(tmp_path):
    place = tmp_path / "set.parquet"
    pq.write_table(_table(image=None), place)
    for path in (_one(tmp_path), place):
        dataset = load_features(path)
        np.testing.assert_array_equal(dataset.features, FEATURES)
        np.testing.assert_array_equal(dataset.labels, LABELS)
        assert dataset.class_names == NAMES


def _spoil(folder, change):
    for file in folder.glob("*.arrow"):
        file.write_bytes(change(file.read_bytes()))


def _listing(folder, name):
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name}]}))


WRONG = {
    "cut off": (
        {},
        lambda at: _spoil(at, lambda content: content[:-200]),
        "arrow is truncated or not an Arrow file",
    ),
    "cut at the end": ({}, lambda at: _spoil(at, lambda content: content[:-8]), "lacks the mark of its end"),
    "nothing": ({}, lambda at: _spoil(at, lambda content: b""), "arrow is truncated or not an Arrow file"),
    "elsewhere": ({}, lambda at: _listing(at, "../x.arrow"), r"state\.json is not a file of datasets"),
    "no images": ({"image": None}, None, "has no column of images; it has label, tags"),
    "no label": ({"label": None, "tags": None, "older": None}, None, "has no column of labels; it has image"),
    "a label too many": (
        {"label": pa.array(np.arange(12))},
        None,
        "a label is 11, but the file names 3 classes",
    ),
    "no label at all": ({"label": pa.array(np.full(12, -1))}, None, "no image has a label"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named(tmp_path, case):
    changes, spoil, said = WRONG[case]
    _save_to_disk(tmp_path / "set", _table(**changes))
    if spoil:
        spoil(tmp_path / "set")
    with pytest.raises(InputError, match=said) as caught:
        load_hugging_face(tmp_path / "set")
    assert "\n" not in str(caught.value)


def test_an_image_outside_of_the_file_is_named_with_its_row(tmp_path):
    outside = [{"bytes": None, "path": "/tmp/0.png"}, *map(_png, PIXELS[1:])]
    _save_to_disk(tmp_path / "set", _table(image=pa.array(outside)))
    dataset = load_hugging_face(tmp_path / "set")
    with pytest.raises(InputError, match=r"arrow, row 0: image holds no bytes of an image"):
        dataset.images[0]
    _spoil(
        tmp_path / "set", lambda content: content.replace(b"bytes\0", b"byt\xb6s\0")
    )  # the name of a field
    dataset = load_hugging_face(tmp_path / "set")
    with pytest.raises(InputError, match=r"arrow, row 5 is truncated or not an Arrow file"):
        dataset.images[5]
