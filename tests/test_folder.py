"""Folders of images: every kind of image as it is meant, decoded on demand, and what is wrong named."""

import numpy as np
import pytest
from PIL import Image

from zsh_jax.data.folder import load_folder
from zsh_jax.data.images import square
from zsh_jax.errors import InputError

SIZE = 16


def _noise(seed, size=(24, 40)):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)


@pytest.fixture
def folder(tmp_path):
    for name, count in (("cat", 3), ("sea_lion", 2)):
        (tmp_path / name).mkdir()
        for number in range(count):
            Image.fromarray(_noise(number)).save(tmp_path / name / f"{number}.png")
    return tmp_path


def _halves(left, right, size=(20, 40)):
    """An image that is one colour on the left and another on the right."""
    image = np.empty((*size, 3), np.uint8)
    image[:, : size[1] // 2], image[:, size[1] // 2 :] = left, right
    return image


def test_classes_files_and_pictures_in_the_order_of_their_names(folder):
    dataset = load_folder(folder, image_size=SIZE)
    assert dataset.name == folder.name
    assert dataset.class_names == ("cat", "sea_lion")
    assert dataset.ids.tolist() == ["cat/0.png", "cat/1.png", "cat/2.png", "sea_lion/0.png", "sea_lion/1.png"]
    assert dataset.labels.tolist() == [0, 0, 0, 1, 1]
    assert dataset.labels.dtype == np.int32
    assert dataset.images.shape == (5, SIZE, SIZE, 3)
    for row, name in enumerate(dataset.ids):
        np.testing.assert_array_equal(dataset.images[row], square(folder / name, SIZE))
    whole = np.asarray(dataset.images)
    assert whole.dtype == np.uint8
    np.testing.assert_array_equal(dataset.images[1:3], whole[1:3])
    np.testing.assert_array_equal(dataset.images[np.array([4, 0])], whole[[4, 0]])
    np.testing.assert_array_equal(dataset.images.at(np.array([3, 1]))[1], whole[1])


def test_a_block_decodes_no_other_picture(folder):
    dataset = load_folder(folder, image_size=SIZE)
    for name in dataset.ids[:4]:
        (folder / name).unlink()
    dataset.images[4:]
    with pytest.raises(InputError, match=r"sea_lion/0\.png"):
        dataset.images[3:]


def test_without_pictures_the_rest_is_the_same(folder):
    bare, whole = load_folder(folder, images=False), load_folder(folder)
    assert bare.images is None
    np.testing.assert_array_equal(bare.ids, whole.ids)
    np.testing.assert_array_equal(bare.labels, whole.labels)


def test_the_middle_is_kept_and_nothing_is_stretched(tmp_path):
    image = np.zeros((20, 60, 3), np.uint8)
    image[:, 20:40] = 255
    Image.fromarray(image).save(tmp_path / "wide.png")
    assert square(tmp_path / "wide.png", 20).min() == 255
    Image.fromarray(image.transpose(1, 0, 2)).save(tmp_path / "tall.png")
    assert square(tmp_path / "tall.png", 10).mean() > 250


def test_exif_orientation_is_followed(tmp_path):
    red, blue = (250, 0, 0), (0, 0, 250)
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    Image.fromarray(_halves(red, blue, (40, 40))).save(tmp_path / "turned.jpg", exif=exif, quality=95)
    turned = square(tmp_path / "turned.jpg", SIZE).astype(int)
    assert turned[:, :4, 2].min() > 200
    assert turned[:, -4:, 0].min() > 200


def test_grey_palette_alpha_and_cmyk_become_rgb(tmp_path):
    level = np.full((8, 8), 90, np.uint8)
    Image.fromarray(level).save(tmp_path / "grey.png")
    Image.fromarray((level.astype(np.uint16) << 8) + 17).save(tmp_path / "deep.png")
    for name in ("grey", "deep"):
        np.testing.assert_array_equal(square(tmp_path / f"{name}.png", 4), np.full((4, 4, 3), 90))
    rgba = np.zeros((8, 8, 4), np.uint8)
    rgba[:, 4:] = (10, 20, 30, 255)
    Image.fromarray(rgba).save(tmp_path / "alpha.png")
    seen = square(tmp_path / "alpha.png", 8)
    np.testing.assert_array_equal(seen[:, 0], np.full((8, 3), 255))  # transparent: white
    np.testing.assert_array_equal(seen[:, 7], np.tile([10, 20, 30], (8, 1)))
    Image.fromarray(_halves((200, 0, 0), (200, 0, 0))).convert("P").save(tmp_path / "palette.png")
    assert np.abs(square(tmp_path / "palette.png", 4).astype(int) - (200, 0, 0)).max() < 30
    Image.fromarray(_halves((200, 0, 0), (200, 0, 0))).convert("CMYK").save(tmp_path / "cmyk.jpg")
    assert np.abs(square(tmp_path / "cmyk.jpg", 4).astype(int) - (200, 0, 0)).max() < 30


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.99])
def test_a_picture_cut_off_is_named_at_once(folder, suffix, kept):
    path = folder / "cat" / f"late.{suffix}"
    Image.fromarray(_noise(7, (200, 300))).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(InputError, match=rf"late\.{suffix}: not an image, or damaged") as caught:
        load_folder(folder)
    assert "\n" not in str(caught.value)


def test_a_jpeg_with_something_behind_it_is_whole(folder):
    path = folder / "cat" / "motion.jpg"
    Image.fromarray(_noise(7)).save(path)
    path.write_bytes(path.read_bytes() + bytes(100_000))
    assert len(load_folder(folder, image_size=SIZE).images[:]) == 6


def test_other_files_and_hidden_ones_are_left_out(folder, capsys):
    (folder / "cat" / "notes.txt").write_text("not an image")
    (folder / "cat" / ".0.png").write_text("not an image")
    (folder / ".cache").mkdir()
    (folder / ".cache" / "0.png").touch()
    assert len(load_folder(folder).ids) == 5
    assert capsys.readouterr().err.count("(.txt 1)") == 1


def test_what_is_left_out_is_counted(folder, capsys):
    load_folder(folder)
    assert capsys.readouterr().err == ""
    for name in ("cat/a.heic", "cat/b.heic", "sea_lion/notes.txt", "loose.png", "README", "cat/more/0.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"")
    assert len(load_folder(folder).ids) == 5
    said = capsys.readouterr().err
    assert f"{folder}: 6 files are left out, which are not images of a class (" in said
    assert {".heic 2", ".txt 1", ".png 2", "README 1"} <= set(
        said.partition(" (")[2].rstrip(")\n").split(", ")
    )


@pytest.mark.parametrize("suffix", ["gif", "webp", "bmp", "tif", "TIFF", "jpeg"])
def test_other_kinds_of_images_are_read_and_cut_ones_named(folder, suffix):
    level = np.full((12, 16), 90, np.uint8)
    place = folder / "cat" / f"z.{suffix}"
    Image.fromarray(level).save(place)
    dataset = load_folder(folder, image_size=8)
    assert dataset.ids.tolist()[3] == f"cat/z.{suffix}"
    assert np.abs(dataset.images[3].astype(int) - 90).max() <= 2
    place.write_bytes(place.read_bytes()[:-30])
    with pytest.raises(InputError, match=rf"z\.{suffix}: not an image, or damaged"):
        load_folder(folder)


def test_folders_of_splits_hold_the_classes(tmp_path, capsys):
    """As ImageNet and many others are unpacked; images of `test` may have no class."""
    for number, name in enumerate(("train/cat/0.png", "train/dog/0.png", "val/cat/0.png", "val/dog/1.png")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(_noise(number)).save(tmp_path / name)
    (tmp_path / "test").mkdir()
    Image.fromarray(_noise(9)).save(tmp_path / "test" / "0.png")
    dataset = load_folder(tmp_path, image_size=SIZE)
    assert dataset.class_names == ("cat", "dog")
    assert dataset.ids.tolist() == ["cat/0.png", "dog/0.png", "cat/0.png", "dog/1.png"]
    assert dataset.source_splits.tolist() == ["train", "train", "val", "val"]
    assert dataset.labels.tolist() == [0, 1, 0, 1]
    np.testing.assert_array_equal(dataset.images[2], square(tmp_path / "val" / "cat" / "0.png", SIZE))
    assert "1 files are left out, which are not images of a class (.png 1)" in capsys.readouterr().err
    (tmp_path / "val").rename(tmp_path / "valid")
    assert load_folder(tmp_path, image_size=SIZE).version != dataset.version


def test_a_class_may_be_called_as_a_split_is(folder):
    (folder / "sea_lion").rename(folder / "train")  # the vehicle
    assert load_folder(folder).class_names == ("cat", "train")


def test_a_class_with_too_few_pictures_is_named(folder):
    (folder / "dog").mkdir()
    with pytest.raises(InputError, match=r"class 'dog' has 0 .* needs 2 or more"):
        load_folder(folder)
    Image.fromarray(_noise(0)).save(folder / "dog" / "one.png")
    with pytest.raises(InputError, match=r"class 'dog' has 1 "):
        load_folder(folder)


def test_missing_empty_and_flat_folders_are_named(tmp_path):
    with pytest.raises(InputError, match=r"there is no folder .*none"):
        load_folder(tmp_path / "none")
    with pytest.raises(InputError, match="holds no sub-folder; fix: give a folder with one sub-folder"):
        load_folder(tmp_path)
    Image.fromarray(_noise(0)).save(tmp_path / "one.jpg")
    with pytest.raises(InputError, match="holds 1 images and no sub-folder"):
        load_folder(tmp_path)
