"""The drawn data set: reproducible, made of attributes, stored without loss, neither trivial nor hopeless."""

import subprocess
import sys

import numpy as np
import pytest

from zsh_jax.data.catalogue import DATASETS
from zsh_jax.data.shapes import (
    ATTRIBUTE_NAMES,
    ATTRIBUTES,
    CLASS_NAMES,
    UNSEEN_CLASSES,
    draw,
    load_shapes,
    tinted,
)
from zsh_jax.data.shapes.drawing import FILLS, IMAGES_PER_CLASS, SHAPES
from zsh_jax.errors import InputError
from zsh_jax.features.gist import gist

UNSEEN = [CLASS_NAMES.index(name) for name in UNSEEN_CLASSES]


@pytest.fixture(scope="module")
def folder(shapes_folder):
    return str(shapes_folder)


@pytest.fixture(scope="module")
def shapes(folder):
    return load_shapes(folder)


def test_same_bytes_for_the_same_seed_in_any_order():
    pairs = [(label, index) for label in range(len(CLASS_NAMES)) for index in (0, 299)]
    forwards = {pair: draw(*pair, seed=3) for pair in pairs}
    for pair in reversed(pairs):
        np.testing.assert_array_equal(draw(*pair, seed=3), forwards[pair])


def test_seed_class_and_index_each_give_another_picture():
    base = draw(0, 0, seed=0)
    for other in (draw(0, 0, seed=1), draw(1, 0, seed=0), draw(0, 1, seed=0)):
        assert np.mean(other != base) > 0.5


def test_names_and_attributes_say_the_same():
    assert len(set(CLASS_NAMES)) == len(CLASS_NAMES) == len(ATTRIBUTES) == 30
    assert ATTRIBUTES.dtype == np.float32
    for name, row in zip(CLASS_NAMES, ATTRIBUTES, strict=True):
        fill, shape = name.split()
        assert {ATTRIBUTE_NAMES[a] for a in np.flatnonzero(row)} == {fill, shape}
        assert row.sum() == 2


def test_unseen_classes_are_new_combinations_of_attributes_seen_several_times():
    assert len(set(UNSEEN_CLASSES)) == 4
    seen = np.delete(ATTRIBUTES, UNSEEN, axis=0)
    for row in ATTRIBUTES[UNSEEN]:
        assert not (seen == row).all(axis=1).any()
        assert (seen[:, row > 0].sum(axis=0) >= 3).all()


def _variation(label, rows, columns):
    """Mean deviation of brightness over a window, which shows whether a pattern is there."""
    images = np.stack([draw(label, i) for i in range(20)]).astype(float).mean(-1)
    return images[:, rows, columns].std(axis=(1, 2)).mean()


@pytest.mark.parametrize("shape", ["circle", "square", "cross"])
def test_the_fill_shows_in_the_middle(shape):
    middle = slice(12, 20)
    by_fill = {fill: _variation(CLASS_NAMES.index(f"{fill} {shape}"), middle, middle) for fill in FILLS}
    for patterned in ("striped", "checkered", "spotted"):
        assert by_fill[patterned] > 3 * by_fill["solid"]


def test_the_outline_follows_the_shape():
    """What differs from the corner of a solid image is the shape, and its area tells shapes apart."""
    area = {}
    for shape in SHAPES:
        label = CLASS_NAMES.index(f"solid {shape}")
        images = np.stack([draw(label, i) for i in range(30)]).astype(float).mean(-1)
        area[shape] = (np.abs(images - images[:, :1, :1]) > 60).mean()
    assert area["circle"] > area["triangle"] > area["star"]
    assert area["square"] > area["crescent"]


@pytest.mark.parametrize(("label", "index", "seed"), [(30, 0, 0), (-1, 0, 0), (0, -1, 0), (0, 0, -1)])
def test_a_picture_that_is_not_there_is_named(label, index, seed):
    with pytest.raises(InputError, match="draw needs a class"):
        draw(label, index, seed=seed)


def test_bad_seed_and_folder_are_named(tmp_path):
    with pytest.raises(InputError, match="seed of zsh_shapes"):
        load_shapes(str(tmp_path), seed=-1)
    taken = tmp_path / "file"
    taken.touch()
    with pytest.raises(InputError, match="choose a writable folder"):
        load_shapes(str(taken))


def test_the_package_alone_does_not_load_tfds():
    script = "import sys, zsh_jax; sys.exit('tensorflow_datasets' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.slow
def test_reading_gives_back_what_was_drawn(shapes):
    assert shapes.class_names == CLASS_NAMES
    assert len(set(shapes.ids)) == len(shapes.ids) == 30 * IMAGES_PER_CLASS
    np.testing.assert_array_equal(np.bincount(shapes.labels), np.full(30, IMAGES_PER_CLASS))
    np.testing.assert_array_equal(shapes.attributes, ATTRIBUTES)
    assert set(shapes.source_splits) == {"train"}
    for row in range(0, len(shapes.ids), 97):
        name, index = shapes.ids[row].rsplit("_", 1)
        label = CLASS_NAMES.index(name.replace("_", " "))
        assert label == shapes.labels[row]
        np.testing.assert_array_equal(shapes.images[row], draw(label, int(index)))


@pytest.mark.slow
def test_identifiers_alone_are_the_same_and_nothing_is_drawn_again(shapes, folder, capsys):
    bare = load_shapes(folder, images=False)
    assert bare.images is None
    np.testing.assert_array_equal(bare.ids, shapes.ids)
    np.testing.assert_array_equal(bare.labels, shapes.labels)
    assert "drawing" not in capsys.readouterr().err


@pytest.mark.slow
def test_cosine_on_gist_finds_unseen_classes_neither_always_nor_by_chance(shapes):
    number = np.arange(len(shapes.labels)) % IMAGES_PER_CLASS
    some = number < 90
    described, labels = gist(shapes.images[some]), shapes.labels[some]
    described /= np.linalg.norm(described, axis=1, keepdims=True)
    query = np.isin(labels, UNSEEN) & (number[some] < 30)
    order = np.argsort(-described[query] @ described[~query].T, axis=1)
    relevant = labels[~query][order] == labels[query][:, None]
    precision = np.cumsum(relevant, axis=1) / np.arange(1, relevant.shape[1] + 1)
    average = (precision * relevant).sum(axis=1) / relevant.sum(axis=1)
    print(f"mAP of cosine on GIST: {average.mean():.3f}")
    assert 0.2 < average.mean() < 0.6


def test_tinted_classes_are_every_shape_fill_and_hue_and_unseen_ones_new_combinations():
    assert len(set(tinted.CLASS_NAMES)) == 100
    for name, row in zip(tinted.CLASS_NAMES, tinted.ATTRIBUTES, strict=True):
        assert {one for one, has in zip(tinted.ATTRIBUTE_NAMES, row, strict=True) if has} == set(name.split())
    unseen = [name.split() for name in tinted.UNSEEN_CLASSES]
    assert len(set(map(tuple, unseen))) == 10
    assert set(tinted.UNSEEN_CLASSES) <= set(tinted.CLASS_NAMES)
    assert {word for name in unseen for word in name} == set(tinted.ATTRIBUTE_NAMES)
    (protocol,) = DATASETS["tinted_shapes"].protocols.values()
    assert protocol.unseen == ("+".join(tinted.UNSEEN_CLASSES),)


@pytest.mark.parametrize("label", [0, 41, 99])
def test_a_tint_scales_the_channels_of_a_grey_shape(label):
    image = tinted.draw_tinted(label, 3, seed=2).astype(float)
    np.testing.assert_array_equal(image, tinted.draw_tinted(label, 3, seed=2))
    assert (image != tinted.draw_tinted(label, 4, seed=2)).any()
    hue = tinted.CLASS_NAMES[label].split()[0]
    shares = image.sum((0, 1)) / image.sum()
    expected = np.array(tinted.HUES[hue]) / sum(tinted.HUES[hue])
    np.testing.assert_allclose(shares, expected, atol=0.15)
    with pytest.raises(InputError, match="draw_tinted needs a class"):
        tinted.draw_tinted(100, 0)
