"""Lists of images with zeros and ones, as deep hashing repositories ship them."""

import numpy as np
import pytest
from PIL import Image

from zsh_jax.data.catalogue import PROTOCOLS
from zsh_jax.data.image_lists import load_image_lists
from zsh_jax.data.registry import load_dataset
from zsh_jax.data.spec import Source
from zsh_jax.errors import InputError
from zsh_jax.sweep.config import for_dataset
from zsh_jax.sweep.layout import lay_out
from zsh_jax.sweep.splits import split_of

CLASSES = 3
SINGLE = np.eye(CLASSES, dtype=int)[np.arange(24) % CLASSES]
SEVERAL = SINGLE | (np.random.default_rng(0).random(SINGLE.shape) < 0.3)
SEVERAL[12] = 0  # an image of the database without a label
NAMES = [f"images/a b/im {row:02d}.png" for row in range(24)]
# The database holds half of the training images.
LISTS = {"train.txt": range(10), "test.txt": range(18, 24), "database.txt": range(5, 18)}
CHECKSUM = "d383f1a19948f09c"  # of names and roles, not of labels


def _write(folder, labels, *, images=True, **changes):
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in LISTS.items():
        lines = [f"{NAMES[row]} {' '.join(map(str, labels[row]))}\n" for row in rows]
        (folder / name).write_text(changes.get(name.removesuffix(".txt"), "".join(lines)))
    if images:
        rng = np.random.default_rng(0)
        (folder / "images" / "a b").mkdir(parents=True)
        for row, name in enumerate(NAMES):
            pixels = rng.integers(0, 256, (9 + row % 2, 8, 3), np.uint8)
            Image.fromarray(pixels).save(folder / name)
    return folder


@pytest.mark.parametrize("labels", [SINGLE, SEVERAL], ids=["single", "several"])
def test_images_labels_and_roles_are_those_of_the_lists(tmp_path, labels):
    (_write(tmp_path, labels) / "classes.txt").write_text("ant\nbee\nred+fox\n")
    dataset = load_dataset(Source("lists", path=str(tmp_path), image_size=8))
    assert dataset.class_names == ("ant", "bee", "red fox")
    assert sorted(dataset.ids.tolist()) == NAMES
    rows = [NAMES.index(name) for name in dataset.ids.tolist()]
    expected = labels[rows] == 1 if labels is SEVERAL else labels[rows].argmax(axis=1)
    np.testing.assert_array_equal(dataset.labels, expected)
    for marks, listed in zip(dataset.given[1:4], LISTS.values(), strict=True):
        assert sorted(dataset.ids[marks].tolist()) == [NAMES[row] for row in listed]
    with Image.open(tmp_path / dataset.ids[0]) as image:
        top = (image.size[1] - 8) // 2
        if image.size[1] == 8:
            np.testing.assert_array_equal(dataset.images[0], np.asarray(image)[top : top + 8])
    assert dataset.images.shape == (24, 8, 8, 3)


def test_images_may_be_in_another_folder_with_absolute_looking_paths(tmp_path):
    folder, images = tmp_path / "lists", tmp_path / "disk"
    _write(images, SINGLE)
    for name, rows in LISTS.items():
        lines = [f"/{NAMES[row]} {' '.join(map(str, SINGLE[row]))}\r\n" for row in rows]
        folder.mkdir(exist_ok=True)
        (folder / name).write_text("".join(lines))
    dataset = load_image_lists(folder, root=images, image_size=8)
    assert dataset.images[3].shape == (8, 8, 3)
    with pytest.raises(
        InputError, match=r"24 of 24 listed images do not exist .*--config\.dataset\.root=PATH"
    ):
        load_image_lists(folder)
    assert load_image_lists(folder, images=False).images is None


def _config(folder, **axes):
    config = for_dataset("lists")
    config.dataset.path, config.dataset.image_size = str(folder), 8
    config.features.name, config.features.cache = "pixels", str(folder / "cache")
    config.sweep.update({"anchors": (4,), "neighbours": (2,), "seed": (0,), "method": ("lsh",)} | axes)
    return config


@pytest.mark.parametrize("name", ["single", "several"])
def test_the_protocol_uses_all_of_each_list_and_its_checksum_is_known(tmp_path, name):
    _write(tmp_path, {"single": SINGLE, "several": SEVERAL}[name])
    plan, inputs = lay_out(_config(tmp_path), extract=False)
    (split,) = plan.groups[0].splits
    assert (split.unseen, split.training_samples, split.queries) == ("none", 10, 6)
    found = split_of(inputs, split)
    for rows, listed in zip((found.training, found.queries, found.database), LISTS.values(), strict=True):
        assert sorted(inputs.dataset.ids[rows].tolist()) == [NAMES[row] for row in listed]
    assert inputs.checksums == {split: CHECKSUM}


def test_lists_with_classes_that_no_training_image_has_are_zero_shot(tmp_path):
    ahead = np.eye(4, dtype=int)[np.where(np.arange(24) < 14, np.arange(24) % 2, 2 + np.arange(24) % 2)]
    _write(tmp_path, ahead, images=False)
    features = np.random.default_rng(0).normal(size=(24, 5)).astype(np.float32)
    (tmp_path / "features").mkdir()
    np.savez(tmp_path / "features" / "all.npz", id=NAMES[::-1], features=features[::-1])
    config = _config(tmp_path, unseen=("held-out",))
    config.features.name, config.features.path = "precomputed", str(tmp_path / "features")
    plan, inputs = lay_out(config)
    assert plan.groups[0].splits[0].unseen == "class 2+class 3"
    rows = [NAMES.index(name) for name in inputs.dataset.ids.tolist()]
    np.testing.assert_array_equal(inputs.features, features[rows])
    config.sweep.unseen = ("none",)
    with pytest.raises(InputError, match="6 queries have no class that is in training"):
        lay_out(config)


LINE = f"{NAMES[0]} 1 0 0\n"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"train": LINE + "other.png 1 2 0\n"},
            r"train\.txt, line 2: 'other\.png 1 2 0' is not a path and 3 zeros",
        ),
        ({"train": LINE + "1 0 0\n"}, r"train\.txt, line 2: '1 0 0' is not a path"),
        (
            {"train": "a.png 1\n"},
            r"train\.txt, line 1: 'a\.png 1' is not a path and two or more zeros and ones",
        ),
        ({"train": "a.png 7\n"}, r"train\.txt, line 1: 'a\.png 7' is not a path and two or more"),
        ({"train": LINE + LINE}, r"train\.txt: .*im 00\.png is in lines 1 and 2"),
        ({"train": "\n"}, r"train\.txt lists no image"),
        ({"train": f"{NAMES[0]} 1 0\n"}, "lists differ in their number of classes: .*2 in train"),
        ({"train": f"{NAMES[0]} 0 0 0\n"}, r"1 images have no class \(first: images/a b/im 00\.png\)"),
        (
            {"train": f"{NAMES[5]} 1 0 0\n"},
            r"train\.txt, image 1: .*im 05\.png has other labels in another list",
        ),
        ({"test": LINE}, r"1 queries are training samples too"),
        ({"test": f"{NAMES[17]} 0 0 1\n"}, r"1 queries are in the database too"),
        ({"test": "\x07.png 1 0 0\n"}, r"test\.txt, line 1: .* holds U\+0007"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(tmp_path, changes, said):
    _write(tmp_path, SINGLE, images=False, **changes)
    with pytest.raises(InputError, match=said) as caught:
        load_image_lists(tmp_path, images=False)
    assert "\n" not in str(caught.value)


def test_a_missing_list_or_name_is_told(tmp_path):
    _write(tmp_path, SINGLE, images=False)
    (tmp_path / "classes.txt").write_text("ant\nbee\n")
    with pytest.raises(InputError, match=r"classes\.txt has 2 names, but the lists have 3 classes"):
        load_image_lists(tmp_path, images=False)
    (tmp_path / "database.txt").unlink()  # two lists leave the rest unclear
    with pytest.raises(InputError, match=r"has no database\.txt; fix: give the folder that holds train\.txt"):
        load_image_lists(tmp_path, images=False)
    with pytest.raises(InputError, match="there is no folder"):
        load_image_lists(tmp_path / "absent")


def test_one_list_is_a_data_set_whose_images_have_no_roles(tmp_path):
    """As NUS-WIDE and MIRFlickr are often shipped: one file, several labels an image."""
    _write(tmp_path, SEVERAL)
    for name in ("train.txt", "test.txt"):
        (tmp_path / name).unlink()
    for place in (tmp_path, tmp_path / "database.txt"):
        dataset = load_image_lists(place, image_size=8)
        assert dataset.ids.tolist() == [NAMES[row] for row in LISTS["database.txt"]]
        np.testing.assert_array_equal(dataset.labels, SEVERAL[LISTS["database.txt"]] == 1)
        assert dataset.given is None
        assert dataset.images.shape == (13, 8, 8, 3)
    with pytest.raises(InputError, match=r"sweep\.training_samples: 0 stands for all .* states none"):
        lay_out(_config(tmp_path), extract=False)
    plan, _ = lay_out(_config(tmp_path, training_samples=(6,), queries=(3,)), extract=False)
    assert plan.groups[0].splits[0].queries == 3


def test_a_broken_image_is_found_before_anything_starts(tmp_path):
    _write(tmp_path, SINGLE)
    (tmp_path / NAMES[3]).write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"im 03\.png"):
        load_image_lists(tmp_path)


def test_the_protocol_is_supervised_and_takes_all():
    protocol = PROTOCOLS["lists"]
    assert (protocol.unseen, protocol.training_samples, protocol.queries) == (("none",), 0, 0)
